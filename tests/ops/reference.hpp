// References for tests of ops: arrays made of a formula of the index, comparison, error texts, and
// arguments that lie in memory in an unusual order. Nothing here calls an op.
#pragma once

#include <cmath>
#include <ostream>

#include <boost/test/unit_test.hpp>

#include <unroll/autograd/generator.hpp>
#include <unroll/autograd/gradcheck.hpp>


namespace reference {

using namespace unroll;

using Index = std::vector<Size>;

/// The array with the elements f(index), float64.
template <class F>
Array build(const Shape& shape, F f) {
  std::vector<double> numbers;
  Index index(static_cast<std::size_t>(shape.rank()), 0);
  for (Size n = shape.count(); n > 0; --n) {
    numbers.push_back(f(index));
    for (int k = shape.rank() - 1; k >= 0; --k) {
      auto a = static_cast<std::size_t>(k);
      if (++index[a] < shape[k]) break;
      index[a] = 0;
    }
  }
  return values(std::span<const double>(numbers), shape);
}

/// The element at an index.
inline double at(const Array& a, const Index& index) {
  Array rest = a;
  for (Size i : index) rest = rest[i];
  return rest.item();
}

/// Standard normal numbers, float64 unless said otherwise.
inline Array numbers(const Shape& shape, std::uint64_t seed = 1, Type type = float64) {
  Generator generator(seed);
  return build(shape, [&](const Index&) { return generator.normal(); }).to(type);
}

/// The same numbers, but transposed and reversed in memory: neither contiguous nor ascending.
inline Array awkward(const Array& a) {
  std::vector<Size> back;
  for (Size k = a.rank() - 1; k >= 0; --k) back.push_back(k);
  Array b = a.permuted(back).copy().permuted(back);
  for (Size k = 0; k < a.rank(); ++k) b = b.flipped(k);
  b = b.copy();
  for (Size k = 0; k < a.rank(); ++k) b = b.flipped(k);
  return b;
}

/// True if the shapes agree, and all elements within a tolerance relative to numbers above one;
/// says where not.
inline boost::test_tools::predicate_result close(const Array& a, const Array& b,
                                                 double tolerance = 1e-13) {
  boost::test_tools::predicate_result result(a.shape() == b.shape());
  if (!result) {
    result.message() << "shapes " << a.shape().text() << " and " << b.shape().text();
    return result;
  }
  std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    if (std::abs(x[i] - y[i]) <= tolerance * std::max(1.0, std::abs(y[i]))) continue;
    result = false;
    result.message() << "element " << i << " of " << a.shape().text() << ": " << x[i] << " and "
                     << y[i];
    break;
  }
  return result;
}
inline boost::test_tools::predicate_result close(const Variable& a, const Array& b,
                                                 double tolerance = 1e-13) {
  return close(a.value(), b, tolerance);
}

/// The text of the Error that f throws, "" if it throws none.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace reference
