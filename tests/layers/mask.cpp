// Padding anywhere in a sequence: a mask in place of lengths. That masked steps leave no trace in
// values and gradients is checked for every cell in cells.cpp, NaN among them in padding.cpp.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/cells/elman.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

/// What a run gives: outputs, last states, and gradients of the inputs and of all Parameters.
Variables run(const Recurrent& net, const Array& x, OverTimeOptions<Recurrent::State> options) {
  Tape tape;
  Variable xs = tape.watch(x);
  Variables leaves{xs};
  for (const Parameter& p : net.parameters()) leaves.push_back(p);
  auto states = over_time(net, xs, options);
  Variables result = values_of(states.last());
  Variable loss = sum(square(states.outputs()));
  for (const Variable& last : values_of(states.last())) loss = loss + sum(last);
  result.push_back(states.outputs());
  for (const Variable& g : grad(loss, leaves)) result.push_back(g);
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mask_)

BOOST_AUTO_TEST_CASE(prefixes_equal_lengths) {
  Recurrent net = recurrent<LSTM>(3, 4, {.bidirectional = true, .layers = 2});
  net.to(float64);
  const Array x = random({4, 3, 3});
  const Array real = values({{1, 0, 1}, {1, 0, 1}, {0, 0, 1}, {0, 0, 1}});
  for (bool reverse : {false, true}) {
    Variables expected = run(net, x, {.lengths = {2, 0, 4}, .reverse = reverse});
    for (Type type : {float32, float64, int64}) {
      Variables masked = run(net, x, {.mask = real.to(type), .reverse = reverse});
      for (std::size_t k = 0; k < masked.size(); ++k)
        BOOST_TEST(identical(masked[k].value(), expected[k].value()));
    }
  }
}

// Two layers in both directions: what lies above a masked step does not see it either.
BOOST_AUTO_TEST_CASE(holes_of_layers_and_directions_are_not_there) {
  Recurrent net = recurrent<LSTM>(3, 4, {.bidirectional = true, .layers = 2});
  net.to(float64);
  const Array x = random({6, 2, 3}),
              real = values({{0, 0}, {1, 1}, {0, 0}, {1, 1}, {1, 1}, {0, 0}});
  const Variable kept = concat({sliced(x, 0, 1, 2), sliced(x, 0, 3, 5)}, 0);
  for (bool reverse : {false, true}) {
    Variables masked = run(net, x, {.mask = real, .reverse = reverse});
    Variables expected = run(net, kept.value(), {.reverse = reverse});
    for (std::size_t k = 0; k < masked.size(); ++k) {
      Variable m = masked[k];
      if (m.size(0) == 6) {  // outputs, and the gradient of the inputs
        for (Size t : {0, 2, 5}) BOOST_TEST(max(abs(m[t])).item() == 0);
        m = concat({sliced(m, 0, 1, 2), sliced(m, 0, 3, 5)}, 0);
      }
      BOOST_TEST(distance(m, expected[k]) < 1e-13);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_masked_step_keeps_the_state) {
  Elman cell(3, 4);
  cell.to(float64);
  const Variable start = random({2, 4}, 5);
  auto states =
      over_time(cell, random({4, 2, 3}),
                {.initial = {start}, .mask = values({{0, 2}, {1, -1}, {0, 0.5}, {0, 1}})});
  BOOST_TEST(distance(states[0].h[0], start[0]) == 0);
  BOOST_TEST(distance(states[1].h[0], start[0]) > 0.1);
  for (Size t : {2, 3}) BOOST_TEST(distance(states[t].h[0], states[1].h[0]) == 0);
  BOOST_TEST(distance(states.last().h[0], states[1].h[0]) == 0);
  BOOST_TEST(distance(states.all().h[3], states.last().h) == 0);
  for (Size t : {0, 2, 3}) BOOST_TEST(max(abs(states.outputs()[t][0])).item() == 0);
  for (Size t = 0; t < 4; ++t) BOOST_TEST(distance(states.outputs()[t][1], states[t].h[1]) == 0);
}

BOOST_AUTO_TEST_CASE(masks_that_do_not_fit_are_refused) {
  Elman cell(3, 4);
  const Array x = zeros({5, 2, 3});
  BOOST_TEST(error_of([&] {
               over_time(cell, x, {.lengths = {5, 5}, .mask = ones({5, 2})});
             }) == "[Elman] lengths and mask are both given; expected one of them.");
  BOOST_TEST(error_of([&] {
               over_time(cell, x, {.mask = ones({2, 5})});
             }) ==
             "[Elman] the mask is (2, 5); expected one number for each step and sequence, (5, 2).");
}

BOOST_AUTO_TEST_SUITE_END()
