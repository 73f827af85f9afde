// A check that several ops make of their inputs before they read them. What is particular to one op
// stands in its own file.
#pragma once

#include <initializer_list>

#include <unroll/autograd/op.hpp>

namespace unroll {

/// Throws Error("[op] name is int64 (2, 3); expected float32 or float64.") if input k is int64.
inline void require_float(const Op& op, int k, const char* name) {
  op.require(is_float(op[k].type()), name, " is ", op[k].type(), " ", op[k].shape(),
             "; expected float32 or float64.");
}
/// The same for all inputs, of those names.
inline void require_float(const Op& op, std::initializer_list<const char*> names) {
  int k = 0;
  for (const char* name : names) require_float(op, k++, name);
}

}  // namespace unroll
