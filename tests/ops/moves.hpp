// What is asked of every op that moves numbers: its gradients, and whether it copies. The ops are
// compared with index formulas in join.cpp and reshape.cpp.
#pragma once

#include "reference.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reshape.hpp>

namespace reference {

/// First and second order of an op, on x as it is and as a transposed, reversed view; the sine
/// makes the second order more than zero.
template <class F>
void check_gradients(F op, const Shape& shape) {
  BOOST_TEST(gradcheck([&](auto& x) { return sin(op(x)); }, {shape}, {.order = 2}));
  if (shape.rank() < 2) return;
  Shape turned = shape;
  std::swap(turned[shape.rank() - 1], turned[shape.rank() - 2]);
  BOOST_TEST(gradcheck([&](auto& x) { return sin(op(flip(transpose(x), {0}))); }, {turned},
                       {.order = 2}));
}

inline bool shares(const Variable& y, const Variable& x) {
  return y.value().buffer() == x.value().buffer();
}

}  // namespace reference
