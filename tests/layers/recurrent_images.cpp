// Layers of cells whose steps are images: directions, ways around a layer and noise find the features
// on axis 1. Of vectors see recurrent.cpp.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/layers.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

constexpr Size kSteps = 3, kBatch = 2, kHeight = 4, kWidth = 3;

Array images(Size channels, int seed = 1) {
  return random({kSteps, kBatch, channels, kHeight, kWidth}, seed);
}

/// A cell with the weights that `r` has from parameter number `first` on.
ConvLSTM with_weights_of(const Recurrent& r, std::size_t first, Size in, Size hidden) {
  ConvLSTM cell(in, hidden);
  cell.to(float64);
  const std::vector<Parameter> all = r.parameters();
  for (std::size_t k = 0; k < 3; ++k) cell.parameters()[k].assign(all[first + k].value());
  return cell;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrent_images)

BOOST_AUTO_TEST_CASE(directions_are_joined_by_channel) {
  Recurrent r = recurrent<ConvLSTM>(2, 3, {.bidirectional = true, .layers = 2});
  r.to(float64);
  Variable x = images(2);
  Size in = 2;
  for (std::size_t layer = 0; layer < 2; ++layer, in = 6) {
    const Variable f = over_time(with_weights_of(r, 6 * layer, in, 3), x).outputs(),
                   b = over_time(with_weights_of(r, 6 * layer + 3, in, 3), x, {.reverse = true})
                           .outputs();
    x = concat({f, b}, 2);
  }
  const auto states = over_time(r, images(2));
  BOOST_TEST(states.outputs().shape() == Shape({kSteps, kBatch, 6, kHeight, kWidth}));
  BOOST_TEST(distance(states.outputs().value(), x.value()) < 1e-12);
  // At one step the features are on axis 1.
  BOOST_TEST(distance(r.output(states[1]).value(), x.value()[1]) < 1e-12);
}

// Images as wide as they have channels: an axis taken for another would not be noticed by shapes.
BOOST_AUTO_TEST_CASE(highway_gates_channels_at_every_point) {
  Recurrent r = recurrent<ConvLSTM>(kWidth, kWidth, {.layers = 2, .skip = Skip::highway});
  r.to(float64);
  const Variable first = over_time(with_weights_of(r, 0, kWidth, kWidth), images(kWidth)).outputs(),
                 y = over_time(with_weights_of(r, 3, kWidth, kWidth), first).outputs();
  Parameter W, b;
  for (const NamedParameter& p : r.named_parameters()) {
    if (p.name == "layer1_highway.W") W = p.parameter;
    if (p.name == "layer1_highway.b") b = p.parameter;
  }
  W.assign(random({kWidth, kWidth}, 9));
  Array expected = zeros(y.shape(), float64);
  for (Size t = 0; t < kSteps; ++t)
    for (Size n = 0; n < kBatch; ++n)
      for (Size i = 0; i < kHeight; ++i)
        for (Size j = 0; j < kWidth; ++j)
          for (Size c = 0; c < kWidth; ++c) {
            double a = b.value().at({c});
            for (Size d = 0; d < kWidth; ++d)
              a += W.value().at({c, d}) * first.value().at({t, n, d, i, j});
            const double gate = 1 / (1 + std::exp(-a));
            expected[t][n][c][i].sliced(0, j, j + 1).fill(
                gate * y.value().at({t, n, c, i, j}) +
                (1 - gate) * first.value().at({t, n, c, i, j}));
          }
  BOOST_TEST(distance(over_time(r, images(kWidth)).outputs().value(), expected) < 1e-12);
}

BOOST_AUTO_TEST_CASE(gradients) {
  Generator generator(1);
  for (const RecurrentOptions& options :
       {RecurrentOptions{.bidirectional = true, .layers = 2},
        RecurrentOptions{.layers = 2, .skip = Skip::highway},
        RecurrentOptions{.layers = 2, .skip = Skip::residual}}) {
    Recurrent r = recurrent<ConvLSTM>(2, 2, options);
    r.initialise(generator);
    BOOST_TEST(gradcheck([&](const Variable& x) { return over_time(r, x).outputs(); },
                         {{2, 1, 2, 3, 3}}, {.order = 2, .parameters = r}));
  }
}

BOOST_AUTO_TEST_CASE(one_mask_for_all_steps) {
  Recurrent r = recurrent<ConvLSTM>(2, 3, {.layers = 2, .variational_dropout = 0.5});
  r.to(float64);
  Generator generator(1);
  Tape tape(generator);
  for (Truncation t : {Truncation{}, Truncation{1, 2}})
    BOOST_TEST(over_time(r, images(2), {.truncation = t}).outputs().shape() ==
               Shape({kSteps, kBatch, 3, kHeight, kWidth}));
}

// How large images are is not known before the first one.
BOOST_AUTO_TEST_CASE(a_learned_start_of_each_channel) {
  Recurrent r = recurrent<ConvLSTM>(2, 3, {.bidirectional = true, .learned_initial = true});
  r.to(float64);
  std::vector<Parameter> starts;
  for (const NamedParameter& p : r.named_parameters())
    if (p.name.find("_initial") != std::string::npos) starts.push_back(p.parameter);
  BOOST_TEST_REQUIRE(starts.size() == 4u);
  int seed = 10;
  for (Parameter& p : starts) {
    BOOST_TEST(p.shape() == Shape({3, 1, 1}));
    p.assign(random({3, 1, 1}, ++seed));
  }
  const Shape image{kBatch, 3, kHeight, kWidth};
  const auto start = [&](std::size_t k) { return broadcast_to(starts[k], image); };
  const Variable forward = over_time(with_weights_of(r, 0, 2, 3), images(2),
                                     {.initial = {start(0), start(1)}}).outputs(),
                 backward = over_time(with_weights_of(r, 5, 2, 3), images(2),
                                      {.initial = {start(2), start(3)}, .reverse = true}).outputs();
  BOOST_TEST(distance(over_time(r, images(2)).outputs(), concat({forward, backward}, 2)) < 1e-12);
  BOOST_TEST(gradcheck([&](const Variable& x) { return over_time(r, x).outputs(); },
                       {{2, 1, 2, 3, 3}}, {.order = 2, .parameters = r}));
}

BOOST_AUTO_TEST_CASE(a_learned_start_of_a_cell_that_has_none) {
  struct Restless : Cell {
    using Cell::Cell;
    struct State {
      Variable h;
    };
    State zero_state(const Variable& x) const { fail("restless", "x is ", x.shape(), "."); }
    State step(const Variable& x, const State&) const { return {x}; }
  };
  BOOST_TEST(error_of([] { recurrent<Restless>(2, 2, {.learned_initial = true}); }) ==
             "[recurrent] learned_initial: a cell has no state to start from: [restless] x is (1, 2).");
}

BOOST_AUTO_TEST_CASE(a_learned_start_of_a_value_without_a_batch) {
  struct Rotating : Cell {
    using Cell::Cell;
    struct State {
      Variable h, Q;
    };
    State zero_state(const Variable& x) const { return {zeros(x.shape()), eye(hidden)}; }
    State step(const Variable& x, const State& s) const { return {x + linear(s.h, s.Q), s.Q}; }
  };
  BOOST_TEST(error_of([] { recurrent<Rotating>(2, 2, {.learned_initial = true}); }) ==
             "[recurrent] learned_initial: value 1 of the State is (2, 2) for a batch of 1; "
             "expected the batch as its first axis.");
}

// What a step makes first has no start, and so none to learn.
BOOST_AUTO_TEST_CASE(a_learned_start_beside_a_value_without_one) {
  struct Remembering : Cell {
    using Cell::Cell;
    struct State {
      Variable h, before;
    };
    State zero_state(const Variable& x) const { return {zeros(x.shape(), x.type()), {}}; }
    State step(const Variable& x, const State& s) const { return {x + s.h, s.h}; }
  };
  const Recurrent r = recurrent<Remembering>(2, 2, {.learned_initial = true});
  BOOST_TEST_REQUIRE(r.parameters().size() == 1u);
  r.parameters()[0].assign(values({1, 2}));
  BOOST_TEST(identical(over_time(r, zeros({3, 1, 2})).outputs().value(),
                       values({1, 2, 1, 2, 1, 2}).reshaped({3, 1, 2})));
}

BOOST_AUTO_TEST_SUITE_END()
