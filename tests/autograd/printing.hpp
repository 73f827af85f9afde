// Lets Boost.Test print the library's types in a failed comparison. Nothing else.
#pragma once

#include <ostream>

#include <unroll/autograd/array.hpp>

namespace unroll {

inline std::ostream& boost_test_print_type(std::ostream& out, Type type) { return out << name_of(type); }
inline std::ostream& boost_test_print_type(std::ostream& out, const Shape& s) { return out << s.text(); }

}  // namespace unroll
