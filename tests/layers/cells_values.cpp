// Values of the cells that have no golden case: ConvLSTM against the LSTM, leaky integrators and echo
// states against their equations; and what the constructors refuse.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/ops.hpp>

using namespace unroll;

BOOST_AUTO_TEST_SUITE(values_of_cells)

// With a kernel of 1 every pixel is an LSTM of its own.
BOOST_AUTO_TEST_CASE(conv_lstm_with_kernel_one) {
  ConvLSTM images(3, 4, {.kernel = 1});
  LSTM pixels(3, 4);
  images.to(float64);
  pixels.to(float64);
  images.b.assign(random({16, 1, 1}, 9));
  pixels.W.assign(images.W.value().reshaped({16, 3}));
  pixels.U.assign(images.U.value().reshaped({16, 4}));
  pixels.b.assign(images.b.value().reshaped({16}));
  const Array x = random({5, 2, 3, 4, 6});
  const Variable all = over_time(images, x).outputs();
  BOOST_TEST((all.shape() == Shape{5, 2, 4, 4, 6}));
  for (Size row : {0, 3})
    for (Size column : {0, 5}) {
      auto pixel = [&](const Array& a) { return Variable(a.select(-1, column).select(-1, row)); };
      const Variable one = over_time(pixels, pixel(x)).outputs();
      BOOST_TEST(distance(pixel(all.value()), one) < 1e-13);
    }
}

// A kernel of 3 sees its neighbours: the middle of W and U alone is a kernel of 1.
BOOST_AUTO_TEST_CASE(conv_lstm_with_zeros_around) {
  ConvLSTM wide(2, 3), narrow(2, 3, {.kernel = 1});
  wide.to(float64);
  narrow.to(float64);
  for (auto [w, n] : {std::pair(wide.W, narrow.W), std::pair(wide.U, narrow.U)}) {
    Array all = w.mutable_value();
    Array middle = all.sliced(2, 1, 2).sliced(3, 1, 2);
    n.assign(middle);
    all.fill(0);
    middle.assign(n.value());
  }
  const Array x = random({3, 2, 2, 4, 5});
  BOOST_TEST(distance(over_time(wide, x).outputs(), over_time(narrow, x).outputs()) < 1e-14);
  wide.W.assign(random(wide.W.shape()));
  BOOST_TEST(distance(over_time(wide, x).outputs(), over_time(narrow, x).outputs()) > 0.01);
}

BOOST_AUTO_TEST_CASE(leaky_integrators) {
  const Array x = random({1, 3}), h = random({1, 4}, 5);
  for (bool learned : {false, true}) {
    LeakyIntegrator cell(3, 4, {.leak = 0.3, .learned_leak = learned});
    cell.to(float64);
    cell.b.assign(values({0.5, -0.25, 1, -2}));
    Variable y = tanh(linear(x, cell.W) + linear(h, cell.U) + cell.b);
    BOOST_TEST(distance(cell.step(x, {h}).h, 0.7 * Variable(h) + 0.3 * y) < 1e-7);
  }
  LeakyIntegrator own(3, 4, {.bias = false, .learned_leak = true});
  own.to(float64);
  own.leak_logit.assign(values({-2, -1, 1, 2}));
  Variable a = sigmoid(Variable(values({-2, -1, 1, 2}, float64)));
  Variable y = tanh(linear(x, own.W) + linear(h, own.U));
  BOOST_TEST(distance(own.step(x, {h}).h, (1 - a) * Variable(h) + a * y) < 1e-14);
}

// The growth of a vector under U, again and again, is its largest absolute eigenvalue.
BOOST_AUTO_TEST_CASE(spectral_radius_of_an_echo_state) {
  for (double radius : {0.9, 0.25}) {
    EchoState cell(3, 30, {.spectral_radius = radius});
    cell.to(float64);
    Variable v = random({30, 1});
    double growth = 0;
    constexpr int kSteps = 4000;
    for (int k = 0; k < kSteps; ++k) {
      Variable next = matmul(cell.U, v);
      double size = norm(next).item();
      growth += std::log(size);
      v = next / size;
    }
    BOOST_TEST(std::exp(growth / kSteps) == radius, boost::test_tools::tolerance(0.005));
  }
}

BOOST_AUTO_TEST_CASE(what_an_echo_state_trains) {
  auto gradients = [](const EchoState& cell) {
    Tape tape;
    Linear readout(4, 1);
    tape.backward(sum(readout(over_time(cell, ones({3, 2, 3})).outputs())));
    BOOST_TEST(!readout.W.grad().empty());
    BOOST_TEST(cell.U.grad().empty());
    BOOST_TEST(cell.leak_logit.empty() == cell.leak_logit.grad().empty());
    return !cell.W.grad().empty();
  };
  BOOST_TEST(!gradients(EchoState(3, 4)));
  BOOST_TEST(gradients(EchoState(3, 4, {.train_input = true})));
  BOOST_TEST(!gradients(EchoState(3, 4, {.leak = 0.5, .learned_leak = true})));
}

BOOST_AUTO_TEST_CASE(refusals) {
  BOOST_TEST(error_of([] { ConvLSTM(3, 4, {.kernel = 2}); }) ==
             "[conv_lstm] kernel is 2; expected an odd number.");
  BOOST_TEST(error_of([] { over_time(ConvLSTM(3, 4), ones({5, 2, 3})); }) ==
             "[conv_lstm] x is (2, 3); expected (B, 3, height, width).");
  BOOST_TEST(error_of([] { LeakyIntegrator(3, 4, {.leak = 0}); }) ==
             "[leaky] leak is 0; expected 0 < leak <= 1.");
  BOOST_TEST(error_of([] { LeakyIntegrator(3, 4, {.leak = 1, .learned_leak = true}); }) ==
             "[leaky] a learned leak starts below 1; got 1.");
  BOOST_TEST(error_of([] { RecurrentHighway(3, 4, {.depth = 0}); }) ==
             "[recurrent_highway] depth is 0; expected 1 or more.");
  Generator generator(1);
  Array a = zeros({2, 3});
  BOOST_TEST(error_of([&] { init::spectral_radius(1)(a, generator); }) ==
             "[spectral_radius] shape is (2, 3); expected a square matrix.");
}

BOOST_AUTO_TEST_SUITE_END()
