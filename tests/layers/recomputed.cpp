// Sequences whose steps the backward pass computes again: gradients of any order as without,
// padding, directions, dropout and states kept or not, and its mistakes. How much memory it takes
// is memory_budget.cpp's.
#include <boost/test/unit_test.hpp>

#include <deque>

#include <unroll/layers/cells/elman_of_order.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/gradient_flow.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/ops.hpp>

#include "../common/error_of.hpp"
#include "../common/numbers.hpp"

using namespace unroll;

namespace {

// Drops, counts its steps in a number of its State, and reads a value made before the loop.
struct Unusual : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden});
  Variable outside;
  struct State {
    Variable h, c;
    double count = 0;
  };
  State step(const Variable& x, const State& s) const {
    Variable h = tanh(affine(x, W, s.h, U) * (1 + 0.1 * s.count));
    return {dropout(h, 0.3) * outside, 0.5 * s.c + square(h), s.count + 1};
  }
};

/// Shows the mean of its states so far, and counts them in a float32 constant.
struct Averaging : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden});
  struct State {
    Variable h, sum, steps;
  };
  State zero_state(const Variable& x) const {
    const Array zero = zeros({x.size(0), hidden}, float64);
    return {zero, zero, zeros({})};
  }
  State step(const Variable& x, const State& s) const {
    const Variable h = tanh(affine(x, W, s.h, U));
    return {h, s.sum + h, s.steps + 1};
  }
  Variable output(const State& s) const { return s.sum / s.steps; }
};

/// Shows its first state to others behind the back of the State.
struct Leaking : Elman {
  using Elman::Elman;
  mutable Variable first;
  State step(const Variable& x, const State& s) const {
    const State next = Elman::step(x, s);
    if (first.empty()) first = next.h;
    return next;
  }
};

/// Goes over a sequence of its own in each step, with a cell that sees the step's input.
struct Within : Cell {
  Within(Size in, Size hidden, Size every) : Cell(in, hidden), every(every) {}
  Size every;
  Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden}),
            V = parameter("V", {hidden, in});
  Array memory = random({4, 2, 2}, 17);
  struct State {
    Variable h;
  };
  struct Reader {
    struct State {
      Variable h;
    };
    State step(const Variable& m, const State& s) const {
      return {tanh(affine(m, outer.W, s.h, outer.U, x, outer.V))};
    }
    State zero_state(const Variable& m) const {
      return {zeros({m.size(0), outer.hidden}, float64)};
    }
    const Within& outer;
    Variable x;
  };
  mutable std::deque<Reader> readers = {};  // which live until the backward pass
  State step(const Variable& x, const State& s) const {
    const Reader& reader = readers.emplace_back(Reader{*this, x});
    const auto read = over_time(reader, memory, {.recompute_every = every});
    return {tanh(affine(x, W, s.h, U)) * read.last().h};
  }
};

/// Takes a step down a slope that it asks grad() for.
struct Descending : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in});
  struct State {
    Variable h;
  };
  State step(const Variable& x, const State& s) const {
    const Variable h = s.h + linear(x, W);
    return {h - 0.1 * grad(sum(square(h)), h, {.create_graph = true})};
  }
};

Variable loss_of(const Variables& values) {
  Variable loss = 0.0;
  double weight = 1;
  for (const Variable& v : values) loss = loss + (weight += 0.5) * mean(square(v));
  return loss;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recomputed_steps)

// Steps of one part lead to each other, and the backward pass is told so when it asks for a state.
BOOST_AUTO_TEST_CASE(gradients_by_states_are_the_plain_ones) {
  LSTM cell(3, 4);
  cell.to(float64);
  const Array xs = random({300, 2, 3});
  auto gradients = [&](OverTimeOptions<LSTM::State> options, const Variables& more, bool graph) {
    Tape tape;
    const auto states = over_time(cell, xs, options);
    Variables wrt = more, norms = values_of(gradient_norms(sum(square(states[280].h)), states));
    for (Size t : {0, 1, 7, 150, 279, 280, 299}) wrt.insert(wrt.end(), {states[t].c, states[t].h});
    const Variable loss = sum(square(states[280].h)) + 1e-3 * sum(states.outputs());
    Variables all = grad(loss, wrt, {.create_graph = graph, .retain_graph = true});
    all.insert(all.end(), norms.begin(), norms.end());
    if (!graph) {
      all.push_back(grad(loss, states[3].h));
      return all;
    }
    Variable second = 0.0;
    for (std::size_t k = 0; k < wrt.size(); ++k) second = second + sum(square(all[k]));
    if (options.recompute_every > 0)
      BOOST_TEST(error_of([&] { grad(second, states[2].h, {.retain_graph = true}); }) ==
                 "[grad] asks for the gradient by a result of recomputed, which a gradient with "
                 "create_graph has recorded again since; ask before that, or use over_time without "
                 "recompute_every and memory_budget.");
    const Variables of_it = grad(second, {cell.U, cell.W});
    all.insert(all.end(), of_it.begin(), of_it.end());
    return all;
  };
  for (bool lengths : {false, true})
    for (bool graph : {false, true})
      for (const Variables& more : {Variables{}, Variables{cell.U, cell.b}}) {
        OverTimeOptions<LSTM::State> options;
        if (lengths) options.lengths = {300, 100};
        const Variables expected = gradients(options, more, graph);
        auto check = [&] {
          const Variables got = gradients(options, more, graph);
          for (std::size_t k = 0; k < expected.size(); ++k)
            BOOST_TEST(distance(got[k], expected[k]) < 1e-11);
        };
        options.recompute_every = 7;
        check();
        options.recompute_every = 0;
        options.memory_budget = 400'000;  // parts within parts
        check();
      }
}

BOOST_AUTO_TEST_CASE(gradients_are_the_plain_ones) {
  Unusual cell(3, 4);
  cell.to(float64);
  Generator weights(5);
  cell.initialise(weights);
  const Array xs = random({11, 2, 3}), start = random({2, 4}), scale = random({4});
  using Options = OverTimeOptions<Unusual::State>;
  auto gradients = [&](Options options) {
    Generator draws(9);
    Tape tape(draws);
    Variable x = tape.watch(xs), h = tape.watch(start), s = tape.watch(scale);
    cell.outside = 2 * s;
    options.initial = {h, {}};
    auto states = over_time(cell, x, options);
    Variables seen{states.last().h, states.last().c};
    if (options.keep_states) seen.push_back(states.outputs());
    Variable loss = loss_of(seen);
    std::vector<Variable> g = grad(loss, {x, h, s, cell.W, cell.U});
    g.push_back(loss);
    g.push_back(states.last().count);
    cell.outside = {};
    return g;
  };
  for (bool keep : {true, false})
    for (bool reverse : {false, true}) {
      Options plain{.keep_states = keep, .reverse = reverse};
      Options padded = plain;
      padded.mask = values(
          {{1, 0}, {1, 1}, {0, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, {1, 1}, {0, 0}, {0, 1}});
      for (const Options& o : {plain, padded}) {
        const std::vector<Variable> expected = gradients(o);
        for (Size every : {1, 3, 4, 11, 50}) {
          Options again = o;
          again.recompute_every = every;
          const std::vector<Variable> got = gradients(again);
          for (std::size_t k = 0; k < got.size(); ++k)
            BOOST_TEST(distance(got[k], expected[k]) <=
                       1e-14 * std::max(1.0, max(abs(expected[k])).item()));
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(states_in_between_are_kept_as_told) {
  LSTM cell(3, 4);
  cell.to(float64);
  const Array xs = random({7, 2, 3});
  Tape tape;
  auto plain = over_time(cell, xs);
  auto again = over_time(cell, xs, {.recompute_every = 3});
  for (Size t = 0; t < 7; ++t) BOOST_TEST(distance(again[t].c, plain[t].c) < 1e-14);
  auto last = over_time(cell, xs, {.keep_states = false, .recompute_every = 3});
  BOOST_TEST(distance(last.last().c, plain.last().c) < 1e-14);
  BOOST_TEST(error_of([&] { last.outputs(); }).find("keep_states = false") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(any_order) {
  LSTM cell(2, 3);
  auto f = [&](const Variable& xs) {
    return over_time(cell, xs, {.recompute_every = 2}).outputs();
  };
  BOOST_TEST(gradcheck(f, {{5, 2, 2}}, {.order = 2, .parameters = cell}));
}

// The first gradient of some leaves, the second of others: a gradient penalty.
BOOST_AUTO_TEST_CASE(a_penalty_on_gradients_of_the_input) {
  LSTM cell(2, 3);
  cell.to(float64);
  const Array xs = random({5, 2, 2});
  auto gradients = [&](Size every) {
    Tape tape;
    const Variable x = tape.watch(xs);
    const Variable loss = sum(square(over_time(cell, x, {.recompute_every = every}).outputs()));
    const Variable dx = grad(loss, x, {.create_graph = true});
    return grad(loss + sum(square(dx)), cell);
  };
  const std::vector<Variable> expected = gradients(0);
  for (Size every : {1, 2, 3}) {
    const std::vector<Variable> got = gradients(every);
    for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(distance(got[k], expected[k]) < 1e-12);
  }
}

// Zeros of a zero_state are float32, and some are still there after a part.
BOOST_AUTO_TEST_CASE(constants_in_the_state_of_a_cell_of_doubles) {
  ElmanOfOrder cell(2, 3, 3);
  cell.to(float64);
  const Array xs = random({9, 2, 2});
  auto gradients = [&](const OverTimeOptions<ElmanOfOrder::State>& options) {
    Tape tape;
    return grad(sum(square(over_time(cell, xs, options).outputs())), cell);
  };
  const std::vector<Variable> expected = gradients({});
  for (const OverTimeOptions<ElmanOfOrder::State>& o :
       {OverTimeOptions<ElmanOfOrder::State>{.recompute_every = 1}, {.recompute_every = 2},
        {.memory_budget = 1'000'000}}) {
    const std::vector<Variable> got = gradients(o);
    for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(distance(got[k], expected[k]) < 1e-12);
  }
}

// What a State holds that depends on nothing recorded stays a constant of its own type.
BOOST_AUTO_TEST_CASE(constants_that_a_cell_changes) {
  Averaging cell(2, 3);
  cell.to(float64);
  const Array xs = random({7, 2, 2});
  Variables expected;
  for (Size every : {0, 1, 3}) {
    Tape tape;
    const auto states = over_time(cell, xs, {.recompute_every = every});
    const auto& last = states.last();
    BOOST_TEST((last.steps.type() == float32));
    BOOST_TEST(!last.steps.is_recorded());
    BOOST_TEST(last.steps.item() == 7);
    BOOST_TEST(last.sum.is_recorded());
    const Variables got = grad(sum(square(states.outputs())), cell);
    if (every == 0) expected = got;
    for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(distance(got[k], expected[k]) < 1e-13);
  }
}

// A row of a sequence that is none of the part's own.
BOOST_AUTO_TEST_CASE(a_loop_within_a_step) {
  const Array xs = random({5, 2, 2});
  std::vector<Variable> expected;
  for (Size every : {0, 1, 3}) {
    Within cell(2, 3, every);
    cell.to(float64);
    int seed = 0;
    for (Parameter& p : cell.parameters()) p.assign(random(p.shape(), ++seed));
    Tape tape;
    const Variable x = tape.watch(xs);
    const Variable loss = sum(square(over_time(cell, x).outputs()));
    const std::vector<Variable> got = grad(loss, {x, cell.W, cell.U, cell.V});
    if (every == 0) expected = got;
    for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(distance(got[k], expected[k]) < 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(in_layers_and_directions) {
  Recurrent net = recurrent<LSTM>(
      3, 4,
      {.bidirectional = true, .drop_connect = {"U"}, .drop_connect_probability = 0.4, .layers = 2});
  const Array xs = random({9, 2, 3}).to(float32);
  auto gradients = [&](const OverTimeOptions<Recurrent::State>& options) {
    Generator draws(5);
    Tape tape(draws);
    Variable loss = mean(square(over_time(net, xs, options).outputs()));
    return grad(loss, net);
  };
  const std::vector<Variable> expected = gradients({.lengths = {9, 4}}),
                              got = gradients({.lengths = {9, 4}, .recompute_every = 2});
  for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(distance(got[k], expected[k]) < 1e-6);
}

BOOST_AUTO_TEST_CASE(without_a_tape_and_without_steps) {
  LSTM cell(3, 4);
  cell.to(float64);
  const Array xs = random({300, 2, 3});
  const Variable plain = over_time(cell, xs).outputs();
  for (const OverTimeOptions<LSTM::State>& o :
       {OverTimeOptions<LSTM::State>{.memory_budget = 1'000'000}, {.recompute_every = 7}})
    BOOST_TEST(distance(over_time(cell, xs, o).outputs(), plain) < 1e-14);
  Tape tape;
  BOOST_TEST(over_time(cell, zeros({0, 2, 3}), {.recompute_every = 7}).outputs().shape() ==
             (Shape{0, 2, 4}));
}

BOOST_AUTO_TEST_CASE(mistakes) {
  LSTM cell(3, 4);
  const Array xs = zeros({5, 2, 3});
  auto told = [&](const OverTimeOptions<LSTM::State>& options) {
    Tape tape;
    return error_of([&] { over_time(cell, xs, options); });
  };
  BOOST_TEST(
      told({.memory_budget = 10}).find("[LSTM] memory_budget is 10 bytes; expected at least ") ==
      0u);
  BOOST_TEST(told({.memory_budget = 1000, .recompute_every = 2}) ==
             "[LSTM] memory_budget is 1000, recompute_every 2; expected one of them, above 0.");
  BOOST_TEST(told({.recompute_every = -1}) ==
             "[LSTM] memory_budget is 0, recompute_every -1; expected one of them, above 0.");
  Tape tape;
  BOOST_TEST(error_of([&] { over_time(LSTM(3, 4), xs, {.recompute_every = 2}); }) ==
             "[LSTM] is a temporary, but its steps are computed again by the backward pass; give it a "
             "name.");
  BOOST_TEST(over_time(LSTM(3, 4), xs).size() == 5);
  const Recurrent deep = recurrent<LSTM>(3, 4, {.layers = 2});
  BOOST_TEST(error_of([&] {
               Tape scope;
               over_time(deep, xs, {.memory_budget = 1});
             }).find("memory_budget is 1 bytes; expected at least ") != std::string::npos);
  Descending descending(3, 4);
  BOOST_TEST(over_time(descending, xs).size() == 5);
  BOOST_TEST(error_of([&] { over_time(descending, xs, {.recompute_every = 2}); }) ==
             "[grad] a value () belongs to what the backward pass computes again, which is recorded "
             "only then; let it be a result, or part of the State, pass detach(x), or use over_time "
             "without recompute_every and memory_budget. At Descending t=0.");
  Leaking leaking(3, 4);
  over_time(leaking, xs);
  BOOST_TEST(sum(leaking.first).is_recorded());
  leaking.first = Variable();
  over_time(leaking, xs, {.recompute_every = 2});
  BOOST_TEST(error_of([&] { sum(leaking.first); })
                 .starts_with("[sum] a value (2, 4) belongs to what the backward pass computes again"));
  BOOST_TEST(!sum(detach(leaking.first)).is_recorded());
  GradientByStep by_step(cell.U);
  BOOST_TEST(
      error_of([&] { over_time(cell, xs, {.recompute_every = 2}); }) ==
      "[gradient_by_step] the steps are recomputed by the backward pass, so that they cannot "
      "be told apart; use over_time without recompute_every and memory_budget.");
}

BOOST_AUTO_TEST_SUITE_END()
