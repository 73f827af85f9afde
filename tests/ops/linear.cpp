// linear and affine where a row of the op table cannot say it: steps that share a weight, sizes of
// 0 in them, and what is said about wrong inputs.
#include "reference.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/random.hpp>
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
    BOOST_TEST(
        identical(gradient_of_shared({2, 300, 3}, {5, 3}, steps), full({5, 3}, 600 * steps)));
    BOOST_TEST(identical(gradient_of_shared({0, 3}, {5, 3}, steps), zeros({5, 3})));
    BOOST_TEST(identical(gradient_of_shared({4, 0}, {5, 0}, steps), zeros({5, 0})));
    BOOST_TEST(identical(gradient_of_shared({600, 0}, {5, 0}, steps), zeros({5, 0})));
    BOOST_TEST(identical(gradient_of_shared({4, 3}, {0, 3}, steps), zeros({0, 3})));
    BOOST_TEST(identical(gradient_of_shared({600, 3}, {0, 3}, steps), zeros({0, 3})));
  }
}

// They become Variables that live until affine has read them.
BOOST_AUTO_TEST_CASE(terms_that_are_no_variables) {
  const Array x = ones({2, 3}), W = full({4, 3}, 2), h = ones({2, 5}), U = full({4, 5}, 3),
              b = full({4}, 0.5);
  const Array expected = full({2, 4}, 21.5);
  BOOST_TEST(identical(affine(x, W, h, U, b).value(), expected));
  BOOST_TEST(identical(affine(x, W, h, U, 0.5).value(), expected));
  BOOST_TEST(identical(affine(Variable(x), Variable(W), ones({2, 5}), full({4, 5}, 3), full({4}, 0.5))
                           .value(),
                       expected));
}

// As a cell without a bias has it.
BOOST_AUTO_TEST_CASE(an_empty_bias_is_none) {
  Generator g(1);
  const Array x = normal({2, 3}, g), W = normal({4, 3}, g), h = normal({2, 5}, g),
              U = normal({4, 5}, g);
  const Parameter none;
  BOOST_TEST(identical(linear(x, W, none).value(), linear(x, W).value()));
  BOOST_TEST(identical(affine(x, W, h, U, none).value(), affine(x, W, h, U).value()));
  BOOST_TEST(identical(affine_of({x, W, h, U, none}).value(), affine(x, W, h, U).value()));
  const Variable row = Variable(normal({3, 2, 3}, g))[1];
  Tape tape;
  const Variable w = tape.watch(W), with = linear(row, w, none), without = linear(row, w);
  BOOST_TEST(identical(with.value(), without.value()));
  BOOST_TEST(identical(grad(sum(with), w).value(), grad(sum(without), w).value()));
}

// int64 is for indices: each op that reads several inputs says which one it is.
BOOST_AUTO_TEST_CASE(whole_numbers_are_refused) {
  const Variable x = ones({2, 3}), W = ones({4, 3}), b = ones({4});
  auto whole = [](const Variable& v) { return Variable(v.value().to(int64)); };
  auto expect = [](auto f, const std::string& start) {
    BOOST_TEST(error_of(f) == start + "; expected float32 or float64.");
  };
  expect([&] { linear(whole(x), W); }, "[linear] x is int64 (2, 3)");
  expect([&] { linear(x, whole(W)); }, "[linear] W is int64 (4, 3)");
  expect([&] { linear(whole(x), whole(W)); }, "[linear] x is int64 (2, 3)");
  expect([&] { linear(x, W, whole(b)); }, "[linear] the bias is int64 (4,)");
  expect([&] { affine(x, W, whole(x), W, b); }, "[affine] x is int64 (2, 3)");
  expect([&] { affine(x, W, x, whole(W)); }, "[affine] W is int64 (4, 3)");
  expect([&] { matmul(whole(x), ones({3, 2})); }, "[matmul] a is int64 (2, 3)");
  expect([&] { matmul(x, zeros({3, 2}, int64)); }, "[matmul] b is int64 (3, 2)");
  expect([&] { conv1d(zeros({1, 1, 3}, int64), ones({1, 1, 2})); },
         "[conv1d] x is int64 (1, 1, 3)");
  expect([&] { conv1d(ones({1, 1, 3}), zeros({1, 1, 2}, int64)); },
         "[conv1d] W is int64 (1, 1, 2)");
  expect([&] { conv2d(ones({1, 1, 3, 3}), zeros({1, 1, 2, 2}, int64)); },
         "[conv2d] W is int64 (1, 1, 2, 2)");
  expect([&] { layer_norm(whole(x)); }, "[layer_norm] x is int64 (2, 3)");
  expect([&] { layer_norm(x, zeros({3}, int64)); }, "[layer_norm] the gain is int64 (3,)");
  expect([&] { layer_norm(x, Variable(), zeros({3}, int64)); },
         "[layer_norm] the bias is int64 (3,)");
  BOOST_TEST(error_of([&] { whole(x) + x; }) ==
             "[add] elements are int64 (2, 3) and float32 (2, 3); expected one element type, "
             "convert one side with to().");
}

BOOST_AUTO_TEST_SUITE_END()
