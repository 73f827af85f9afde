// Truncated backpropagation through time together with recomputation, zoneout and padding: what of
// a State is cut is the same in parts, and for each sequence by itself. States alone are
// truncation_of_states.cpp's.
#include <boost/test/unit_test.hpp>

#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/ops.hpp>

using namespace unroll;

namespace {

constexpr Size kSteps = 9;
const Array x = random({kSteps, 2, 3});

/// Outputs and gradients by the start, however many steps are computed again.
template <class C>
void check_computed_again(const C& cell, bool zones_out) {
  auto run = [&](Size every) {
    Generator generator(1);
    Tape tape(generator);
    typename C::State start;
    start.a = tape.watch(random({2, 3}, 7));
    const Variable given = start.a;
    OverTimeOptions<typename C::State> o{
        .initial = start, .recompute_every = every, .truncation = {3}};
    if (zones_out) o.zoneout = {0.5, 0, 0};
    const Variable y = over_time(cell, x, o).outputs();
    std::vector<Array> result{y.value()};
    ParameterList list(cell);
    Variables wanted(std::vector<Variable>(list.begin(), list.end()));
    wanted.push_back(given);
    for (const Variable& g : grad(sum(square(y)), wanted)) result.push_back(g.value());
    return result;
  };
  const auto plain = run(0);
  for (Size every : {1, 2, 3, 4}) {
    const auto again = run(every);
    for (std::size_t k = 0; k < plain.size(); ++k)
      BOOST_TEST(distance(again[k], plain[k]) < 1e-11, "every " << every << ", number " << k);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(truncation_in_parts)

// A value that stands in two fields where a part begins is one value there too.
BOOST_AUTO_TEST_CASE(one_value_in_two_places_of_parts) {
  struct There : Cell {
    using Cell::Cell;
    Parameter U = parameter("U", {hidden, hidden});
    struct State {
      Variable h, a, b;
      Size steps = 0;
    };
    State step(const Variable& x, const State& s) const {
      const Variable h = tanh(x + linear(s.h, U) + s.a);
      if (s.steps == 0) return {h, s.a, s.a, 1};
      return {h, s.b, s.b, s.steps + 1};
    }
  } there(3, 3);
  there.to(float64);
  check_computed_again(there, false);
  struct Holding : Cell {
    using Cell::Cell;
    Parameter U = parameter("U", {hidden, hidden});
    struct State {
      Variable a, b, c;
      Size steps = 0;
    };
    State step(const Variable& x, const State& s) const {
      if (s.steps % 3 == 1) return {s.a, s.a, s.c, s.steps + 1};
      if (s.steps % 3 == 2) return {s.b, tanh(x + linear(s.a, U)), s.c, s.steps + 1};
      return {tanh(x + linear(s.b, U)), s.b, s.a, s.steps + 1};
    }
  } holding(3, 3);
  holding.to(float64);
  for (bool zones_out : {false, true}) check_computed_again(holding, zones_out);
}

// What a step hands on may be the start by another way than the State: a member of the cell.
BOOST_AUTO_TEST_CASE(a_start_that_the_cell_holds_itself) {
  struct Held : Cell {
    using Cell::Cell;
    Parameter U = parameter("U", {hidden, hidden}), memory = parameter("memory", {2, hidden});
    struct State {
      Variable a, m, n;
    };
    State zero_state(const Variable& x) const {
      return {zeros(x.shape(), x.type()), memory, memory};
    }
    State step(const Variable& x, const State& s) const {
      return {tanh(x + linear(s.a, U) + s.m), memory, s.n};
    }
  } cell(3, 3);
  cell.to(float64);
  for (bool zones_out : {false, true}) check_computed_again(cell, zones_out);
}

// Whether a sequence is cut off from its start says its own steps, not those of the others.
BOOST_AUTO_TEST_CASE(sequences_that_begin_late) {
  LSTM cell(3, 3);
  cell.to(float64);
  constexpr Size kBatch = 4;
  const Array xs = random({kSteps, kBatch, 3}), start = random({kBatch, 3}, 7);
  Array mask = ones({kSteps, kBatch}, float64);
  for (Size t = 0; t < 3; ++t) mask[t][1].fill(0);
  for (Size t = 0; t < 7; ++t) mask[t][2].fill(0);
  mask[4][2].fill(0);
  for (Size t = 0; t < kSteps; ++t) mask[t][3].fill(0);
  using Options = OverTimeOptions<LSTM::State>;
  auto gradients = [&](Size begin, Size end, Options o) {
    Tape tape;
    const Variable x = tape.watch(xs.sliced(1, begin, end)),
                   h = tape.watch(start.sliced(0, begin, end));
    o.initial = {h, h};
    o.mask = mask.sliced(1, begin, end);
    const auto states = over_time(cell, x, o);
    const Variable loss = sum(square(states.outputs())) + sum(square(states.last().c));
    std::vector<Array> list;
    for (const Variable& g : grad(loss, {x, h})) list.push_back(g.value());
    return list;
  };
  for (bool reverse : {false, true})
    for (Options o : {Options{.truncation = {2}}, Options{.truncation = {2, 3}},
                      Options{.recompute_every = 2, .truncation = {2}},
                      Options{.recompute_every = 3, .truncation = {2}}}) {
      o.reverse = reverse;
      const auto all = gradients(0, kBatch, o);
      for (Size b = 0; b < kBatch; ++b) {
        const auto alone = gradients(b, b + 1, o);
        BOOST_TEST(distance(all[0].sliced(1, b, b + 1), alone[0]) < 1e-11);
        BOOST_TEST(distance(all[1].sliced(0, b, b + 1), alone[1]) < 1e-11);
      }
    }
}

BOOST_AUTO_TEST_SUITE_END()
