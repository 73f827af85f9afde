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

// A sequence that has ended before the last window is that of its own last window.
BOOST_AUTO_TEST_CASE(sequences_that_end_early) {
  LSTM cell(3, 3);
  cell.to(float64);
  const std::vector<Size> lengths{9, 6, 5, 3, 1, 0};
  const Size batch = static_cast<Size>(lengths.size());
  const Array xs = random({kSteps, batch, 3}), start = random({batch, 3}, 7);
  using Options = OverTimeOptions<LSTM::State>;
  auto gradients = [&](Size begin, Size end, Size steps, Options o) {
    Tape tape;
    const Variable x = tape.watch(xs.sliced(1, begin, end).sliced(0, 0, steps)),
                   h = tape.watch(start.sliced(0, begin, end));
    o.initial = {h, h};
    o.lengths.assign(lengths.begin() + begin, lengths.begin() + end);
    const LSTM::State last = over_time(cell, x, o).last();
    std::vector<Array> list;
    for (const Variable& g : grad(sum(square(last.h)) + sum(square(last.c)), {x, h}))
      list.push_back(g.value());
    return list;
  };
  for (Options o : {Options{.truncation = {2}}, Options{.truncation = {4}},
                    Options{.truncation = {2, 3}}, Options{.truncation = {2, 6}},
                    Options{.truncation = {4, 6}}, Options{.truncation = {1, 4}},
                    Options{.recompute_every = 2, .truncation = {4}},
                    Options{.recompute_every = 3, .truncation = {2}}})
    for (bool reverse : {false, true}) {
      o.reverse = reverse;
      const auto all = gradients(0, batch, kSteps, o);
      for (Size b = 0; b < batch; ++b) {
        const Size length = lengths[static_cast<std::size_t>(b)];
        for (Size steps : {kSteps, length}) {
          // In reverse windows begin at the end of the longest sequence, and whether they reach all
          // of it says that one too.
          if (steps < kSteps && (reverse || length == 0 || o.truncation.k2 >= length)) continue;
          const auto alone = gradients(b, b + 1, steps, o);
          BOOST_TEST(distance(all[0].sliced(1, b, b + 1).sliced(0, 0, steps), alone[0]) < 1e-11);
          BOOST_TEST(distance(all[1].sliced(0, b, b + 1), alone[1]) < 1e-11);
        }
      }
    }
}

// A value that the first step makes for all sequences has no rows to be told apart.
BOOST_AUTO_TEST_CASE(values_that_are_of_no_sequence) {
  struct Common : Cell {
    using Cell::Cell;
    Parameter U = parameter("U", {hidden, hidden}), w = parameter("w", {hidden});
    bool scalar = false;
    struct State {
      Variable h, common;
    };
    State zero_state(const Variable& x) const {
      return {zeros(x.shape(), x.type()), zeros(scalar ? Shape() : Shape{hidden}, x.type())};
    }
    State step(const Variable& x, const State& s) const {
      const bool first = max(abs(s.common)).item() == 0;
      const Variable common = first ? (scalar ? sum(tanh(w)) : tanh(w)) : s.common;
      return {tanh(x + linear(s.h, U) * common), common};
    }
  } cell(3, 3);
  cell.to(float64);
  for (bool scalar : {false, true})
    for (Truncation t : {Truncation{2}, Truncation{2, 3}})
      for (Size every : {0, 2}) {
        if (t.k2 > 0 && every > 0) continue;
        cell.scalar = scalar;
        Tape tape;
        const auto states = over_time(
            cell, x, {.lengths = {4, kSteps}, .recompute_every = every, .truncation = t});
        BOOST_TEST(states.last().common.shape() == (scalar ? Shape() : Shape{3}));
      }
}

// What zoneout draws is no matter of which values a step has only moved.
BOOST_AUTO_TEST_CASE(noise_of_values_that_move) {
  struct Moving : Cell {
    using Cell::Cell;
    Parameter U = parameter("U", {hidden, hidden});
    struct State {
      Variable h, a, b;
      Size steps = 0;
    };
    State step(const Variable& x, const State& s) const {
      const Variable h = tanh(x + linear(s.h, U) + s.a);
      if (s.steps == 0) return {h, s.a, s.a, 1};
      if (s.steps % 3 == 2) return {h, s.b, s.b, s.steps + 1};
      return {h, s.steps > 3 ? tanh(h + s.a) : s.a, s.b, s.steps + 1};
    }
  } cell(3, 3);
  cell.to(float64);
  auto outputs = [&](Truncation truncation, Size every) {
    Generator generator(1);
    Tape tape(generator);
    return over_time(cell, x,
                     {.initial = {{}, tape.watch(random({2, 3}, 7)), {}},
                      .recompute_every = every,
                      .truncation = truncation,
                      .zoneout = {0, 0.5, 0}})
        .outputs()
        .value();
  };
  const Array plain = outputs({}, 0);
  for (Truncation t : {Truncation{1}, Truncation{2}, Truncation{3}, Truncation{2, 4}, Truncation{9}})
    BOOST_TEST(distance(outputs(t, 0), plain) == 0);
  for (Size every : {1, 2, 4}) BOOST_TEST(distance(outputs({2}, every), plain) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
