// linear and affine where a row of the op table cannot say it: steps that share a weight, sizes of 0
// in them, and what is said about wrong inputs.
#include "reference.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reduce.hpp>

namespace {

using namespace reference;

/// The gradient of W from `steps` products of ones, in memory that had other numbers before.
Array gradient_of_shared(const Shape& x, const Shape& W, int steps) {
  for (Size n : {1, 20, 40, 80, 160}) full({n}, 12345);
  Tape tape;
  Variable weight = tape.watch(ones(W)), total;
  for (int t = 0; t < steps; ++t) {
    const Variable y = sum(linear(Variable(ones(x)), weight));
    total = t ? total + y : y;
  }
  return grad(total, weight).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(linear_op)

BOOST_AUTO_TEST_CASE(steps_that_share_a_weight) {
  for (int steps : {1, 3}) {
    BOOST_TEST(identical(gradient_of_shared({4, 3}, {5, 3}, steps), full({5, 3}, 4 * steps)));
    BOOST_TEST(identical(gradient_of_shared({2, 300, 3}, {5, 3}, steps), full({5, 3}, 600 * steps)));
    BOOST_TEST(identical(gradient_of_shared({0, 3}, {5, 3}, steps), zeros({5, 3})));
    BOOST_TEST(identical(gradient_of_shared({4, 0}, {5, 0}, steps), zeros({5, 0})));
    BOOST_TEST(identical(gradient_of_shared({600, 0}, {5, 0}, steps), zeros({5, 0})));
    BOOST_TEST(identical(gradient_of_shared({4, 3}, {0, 3}, steps), zeros({0, 3})));
    BOOST_TEST(identical(gradient_of_shared({600, 3}, {0, 3}, steps), zeros({0, 3})));
  }
}

BOOST_AUTO_TEST_SUITE_END()
