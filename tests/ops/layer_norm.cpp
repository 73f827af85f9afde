// layer_norm where variance vanishes or numbers are large, both forms of its gradient at once, and
// the errors. Its formula is checked by the op table (table_nn.cpp).
#include "reference.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>

namespace {

using namespace reference;

}  // namespace

BOOST_AUTO_TEST_SUITE(layer_normalisation)

BOOST_AUTO_TEST_CASE(kernel_and_differentiable_form_agree) {
  for (Size n : {1, 3, 8, 50})
    for (Type type : {float32, float64}) {
      Array x = numbers({4, 3, n}, 1, type), w = numbers({4, 3, n}, 2, type);
      Array g = numbers({n}, 3, type), b = numbers({n}, 4, type);
      auto gradients = [&](bool create_graph) {
        Tape tape;
        Variable v = tape.watch(x), gain = tape.watch(g), bias = tape.watch(b);
        Variable y = layer_norm(v, gain, bias) + layer_norm(v * 0.5, gain, bias);
        return grad(sum(y * w), {v, gain, bias}, {.create_graph = create_graph});
      };
      std::vector<Variable> kernel = gradients(false), composed = gradients(true);
      for (std::size_t k = 0; k < 3; ++k)
        BOOST_TEST(close(kernel[k], composed[k].value(), type == float32 ? 2e-5 : 1e-12));
    }
}

// A row without variance becomes the bias, whatever its size; eps keeps the gradient finite.
BOOST_AUTO_TEST_CASE(constant_rows) {
  for (Type type : {float32, float64})
    for (double value : {0.0, 3.0, -1e6}) {
      Array x = full({2, 5}, value, type), b = values({1, 2, 3, 4, 5}, type);
      Tape tape;
      Variable v = tape.watch(x), y = layer_norm(v, {}, b);
      BOOST_TEST(close(y, b.broadcast_to({2, 5})));
      Array g = grad(sum(y * values({1, 0, 0, 0, 0}, type)), v).value();
      double scale = 1 / std::sqrt(1e-5);
      BOOST_TEST(std::abs(g.at({1, 0}) / (0.8 * scale) - 1) < 1e-5);
      BOOST_TEST(std::abs(g.at({1, 4}) / (-0.2 * scale) - 1) < 1e-5);
    }
}

// The mean is subtracted before squaring: float32 keeps its digits far from zero.
BOOST_AUTO_TEST_CASE(far_from_zero) {
  Array x = values({{4096, 4097, 4098, 4099}}), near = values({{0, 1, 2, 3}});
  BOOST_TEST(close(layer_norm(x), layer_norm(near).value(), 1e-6));
  // Nor does a long sum lose the mean: an ulp of 1000 is 0.006 deviations here.
  Generator numbers(1);
  Array wide = normal({1, 4096}, numbers, {.type = float64});
  double* v = wide.mutable_data<double>();
  for (Size i = 0; i < wide.size(); ++i) v[i] = static_cast<float>(1000 + 0.01 * v[i]);
  BOOST_TEST(close(layer_norm(wide.to(float32)), layer_norm(wide).value(), 0.004));
}

BOOST_AUTO_TEST_CASE(errors) {
  Array x = zeros({2, 3, 4});
  BOOST_TEST(error_of([&] { layer_norm(x, ones({3})); }) ==
             "[layer_norm] x is (2, 3, 4), gain or bias (3,); expected (4,), the last 1 axis.");
  BOOST_TEST(error_of([&] { layer_norm(x, ones({4}), zeros({4}), {.axes = 2}); }) ==
             "[layer_norm] x is (2, 3, 4), gain or bias (4,); expected (3, 4), the last 2 axes.");
  BOOST_TEST(error_of([&] { layer_norm(x, {}, {}, {.axes = 4}); }) ==
             "[layer_norm] axes is 4, x is (2, 3, 4); expected a number of its trailing axes.");
  BOOST_TEST(error_of([&] { layer_norm(x, {}, {}, {.epsilon = -1}); }) ==
             "[layer_norm] epsilon is -1; expected 0 or more.");
  BOOST_TEST(error_of([&] { layer_norm(zeros({2, 3}, int64)); }) ==
             "[layer_norm] x is int64 (2, 3); expected float32 or float64.");
}

BOOST_AUTO_TEST_SUITE_END()
