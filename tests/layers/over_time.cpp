// over_time: against loops by hand, padded against one by one, and its messages.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"

#include <unroll/autograd/op.hpp>
#include <unroll/layers/cells/elman_of_order.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

// Two values of different rank, a number, an index: everything a state may hold.
struct Counting : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden});
  struct State {
    Variable h, sums, newest;
    int steps = 0;
  };
  State zero_state(const Variable& x) const {
    return {zeros({x.size(0), hidden}), zeros({x.size(0)}), Array(Shape{x.size(0)}, int64), 100};
  }
  State step(const Variable& x, const State& s) const {
    Variable h = tanh(affine(x, W, s.h, U));
    return {h, s.sums + sum(h, {.axes = {-1}}), argmax(h), s.steps + 1};
  }
};

// Needs a memory from outside: neither a Cell nor a zero_state.
struct Reader : Module {
  Parameter W = parameter("W", {2, 3});
  struct State {
    Variable h, memory;
  };
  struct Input {
    Variable x, gate;
    double scale = 1;
  };
  State step(const Input& in, const State& s) const {
    return {tanh(linear(in.x * in.scale, W) + in.gate * s.h + s.memory), s.memory};
  }
  Variable output(const State& s) const { return s.h * 2; }
};

Array random(const Shape& shape, std::uint64_t seed = 3) {
  Generator generator(seed);
  return normal(shape, generator, {.type = float64});
}
double distance(const Variable& a, const Variable& b) {
  BOOST_REQUIRE(a.shape() == b.shape());
  return a.size() ? max(abs(a - b)).item() : 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(over_time_)

BOOST_AUTO_TEST_CASE(equals_a_loop_by_hand) {
  Counting cell(3, 4);
  cell.to(float64);
  Array x = random({5, 2, 3});
  for (bool reverse : {false, true}) {
    auto states = over_time(cell, x, {.reverse = reverse});
    auto s = initial_state(cell, Variable(x)[0]);
    BOOST_TEST(s.steps == 100);
    for (Size k = 0; k < 5; ++k) {
      Size t = reverse ? 4 - k : k;
      s = cell.step(x[t], s);
      BOOST_TEST(distance(states[t].h, s.h) < 1e-14);
      BOOST_TEST(distance(states.outputs()[t], s.h) < 1e-14);
      BOOST_TEST(distance(states.all().sums[t], s.sums) < 1e-14);
      BOOST_TEST(states[t].steps == 101 + k);
      BOOST_TEST(identical(states.all().newest.value()[t].copy(), s.newest.value()));
    }
    BOOST_TEST(distance(states.last().h, s.h) < 1e-14);
    BOOST_TEST(states.size() == 5);
    int steps = 0;
    for (const auto& state : states) steps += state.steps;
    BOOST_TEST(steps == 5 * 103);
  }
}

BOOST_AUTO_TEST_CASE(reverse_is_the_flipped_sequence) {
  Elman cell(3, 4);
  Variable x = random({5, 2, 3});
  cell.to(float64);
  auto a = over_time(cell, x, {.reverse = true});
  auto b = over_time(cell, flip(x, {0}));
  BOOST_TEST(distance(a.outputs(), flip(b.outputs(), {0})) == 0);
  BOOST_TEST(distance(a.last().h, b.last().h) == 0);
}

// Values and gradients of a padded batch are those of its sequences one by one.
BOOST_AUTO_TEST_CASE(padded_equals_one_by_one) {
  Counting cell(3, 4);
  cell.to(float64);
  std::vector<Size> lengths{3, 5, 0, 1};
  Array x = random({5, 4, 3}), start = random({4, 4}, 5), weights = random({5, 4, 4}, 6);
  for (bool reverse : {false, true}) {
    Tape tape;
    Variable xs = tape.watch(x), h0 = tape.watch(start);
    auto loss = [&](const auto& states, const Variable& w) {
      return sum(states.outputs() * w) + sum(states.last().h * 3) + sum(states.last().sums);
    };
    auto padded =
        over_time(cell, xs, {.initial = {h0, {}, {}}, .lengths = lengths, .reverse = reverse});
    std::vector<Variable> g =
        grad(loss(padded, weights), {xs, h0, cell.W, cell.U}, {.retain_graph = true});
    Variable total = 0.0;
    for (Size b = 0; b < 4; ++b) {
      Size n = lengths[std::size_t(b)];
      Variable row = sliced(sliced(xs, 1, b, b + 1), 0, 0, n);
      auto alone =
          over_time(cell, row, {.initial = {sliced(h0, 0, b, b + 1), {}, {}}, .reverse = reverse});
      total = total + loss(alone, weights.sliced(1, b, b + 1).sliced(0, 0, n));
      BOOST_TEST(distance(sliced(padded.last().h, 0, b, b + 1), alone.last().h) < 1e-14);
      BOOST_TEST(padded.last().newest.value().at({b}) == alone.last().newest.item());
      Variable outputs = sliced(padded.outputs(), 1, b, b + 1),
               all = sliced(padded.all().h, 1, b, b + 1);
      BOOST_TEST(distance(sliced(outputs, 0, 0, n), alone.outputs()) < 1e-14);
      for (Size t = n; t < 5; ++t) {
        BOOST_TEST(distance(outputs[t], zeros({1, 4}, float64)) == 0);
        Variable kept = reverse ? Variable(start.sliced(0, b, b + 1)) : alone.last().h;
        BOOST_TEST(distance(all[t], kept) < 1e-14);
      }
    }
    std::vector<Variable> expected = grad(total, {xs, h0, cell.W, cell.U});
    for (std::size_t k = 0; k < 4; ++k) BOOST_TEST(distance(g[k], expected[k]) < 1e-13);
    for (Size t = 3; t < 5; ++t)
      BOOST_TEST(distance(select(g[0], 1, 0)[t], zeros({3}, float64)) == 0);
  }
}

// What padding is replaced by must do for any cell: the logarithm of 0 would not.
BOOST_AUTO_TEST_CASE(padding_of_a_cell_that_is_not_finite_at_0) {
  struct Logarithmic : Cell {
    Logarithmic() : Cell(2, 3) { to(float64); }
    Parameter A = parameter("A", {3, 2});
    struct State {
      Variable h;
    };
    State step(const Variable& x, const State& s) const {
      return {tanh(linear(log(x), A) + s.h * 0.5)};
    }
  };
  const Logarithmic cell;
  Generator g(3);
  const Array xs = uniform({6, 3, 2}, g, {.high = 2, .low = 1, .type = float64});
  auto gradient = [&](const Array& x, const std::vector<Size>& lengths, bool reverse, Size every) {
    Tape tape;
    const auto states =
        over_time(cell, x, {.lengths = lengths, .recompute_every = every, .reverse = reverse});
    return grad(sum(square(states.outputs())), cell.A).value();
  };
  for (bool reverse : {false, true})
    for (Size every : {0, 2}) {
      const Array first = gradient(xs.sliced(1, 0, 1).copy(), {}, reverse, 0),
                  third = gradient(xs.sliced(1, 2, 3).sliced(0, 0, 2).copy(), {}, reverse, 0);
      const Array got = gradient(xs, {6, 0, 2}, reverse, every);
      BOOST_TEST(distance(got, Variable(first) + third) < 1e-14);
    }
}

BOOST_AUTO_TEST_CASE(equal_lengths_cost_nothing) {
  Elman cell(3, 4);
  Array x = zeros({5, 2, 3});
  Tape tape;
  over_time(cell, x).outputs();
  Size plain = tape.nodes();
  over_time(cell, x, {.lengths = {5, 5}}).outputs();
  BOOST_TEST(tape.nodes() == 2 * plain);
}

BOOST_AUTO_TEST_CASE(a_start_without_batch_is_learned_by_all_sequences) {
  Elman cell(3, 4);
  cell.to(float64);
  Parameter start("start", random({4}));
  Tape tape;
  Variable x = random({2, 5, 3});
  auto a = over_time(cell, x, {.initial = {start}});
  auto b = over_time(cell, x, {.initial = {broadcast_to(start, {5, 4})}});
  // Rounded in another way: a weight is prepared at its second use on a tape.
  BOOST_TEST(distance(a.last().h, b.last().h) < 1e-14);
  Variable ga = grad(sum(a.outputs()), start, {.retain_graph = true});
  BOOST_TEST(distance(ga, grad(sum(b.outputs()), start)) < 1e-14);
  BOOST_TEST(max(abs(ga)).item() > 0.1);
}

BOOST_AUTO_TEST_CASE(an_input_of_several_sequences) {
  Reader cell;
  cell.to(float64);
  Variable x = random({4, 2, 3}), gate = random({4, 2, 2}, 4), memory = random({2, 2}, 5);
  auto states = over_time(cell, Reader::Input{x, gate, 0.5}, {.initial = {zeros({2, 2}), memory}});
  Reader::State s{zeros({2, 2}), memory};
  for (Size t = 0; t < 4; ++t) s = cell.step({x[t], gate[t], 0.5}, s);
  BOOST_TEST(distance(states.outputs()[3], s.h * 2) < 1e-14);
  BOOST_TEST((states.last().memory.record() == memory.record()));
}

BOOST_AUTO_TEST_CASE(a_field_that_a_step_forgets) {
  struct Forgetful : Cell {
    using Cell::Cell;
    struct State {
      Variable h, c;
    };
    State step(const Variable& x, const State& s) const { return {x + s.h, {}}; }
  } cell(4, 4);
  const Array x = zeros({5, 2, 4});
  BOOST_TEST(error_of([&] { over_time(cell, x).all(); }) ==
             "[Forgetful] value 1 of its State is empty after step 0; all() needs every field that "
             "step() returns.");
  // Also where every step of every sequence is real at first.
  for (bool reverse : {false, true})
    BOOST_TEST(error_of([&] { over_time(cell, x, {.lengths = {5, 4}, .reverse = reverse}); })
                   .starts_with("[Forgetful] value 1 of the State is empty after step "));
}

BOOST_AUTO_TEST_CASE(last_alone_if_states_are_not_kept) {
  Elman cell(3, 4);
  Array x = random({5, 2, 3}).to(float32);
  auto kept = over_time(cell, x), last = over_time(cell, x, {.keep_states = false});
  BOOST_TEST(identical(kept.last().h.value(), last.last().h.value()));
  std::string expected = "[Elman] its states were not kept (keep_states = false): only last() is "
                         "there; a loss over all "
                         "steps belongs into the State.";
  BOOST_TEST(error_of([&] { last.outputs(); }) == expected);
  BOOST_TEST(error_of([&] { last.all(); }) == expected);
  BOOST_TEST(error_of([&] { last[2]; }) == expected);
  BOOST_TEST(error_of([&] { last.begin(); }) == expected);
  BOOST_TEST(error_of([&] { kept[5]; }) == "[Elman] has no state 5; expected 0 to 4.");
}

// A stack made without a tape must not be taken for a recorded one, nor that of a tape before.
BOOST_AUTO_TEST_CASE(stacks_belong_to_the_tape_in_force) {
  Elman cell(3, 4);
  Tape tape;
  auto states = over_time(cell, ones({5, 2, 3}));
  Variable without = no_grad([&] { return states.outputs(); });
  BOOST_TEST(!without.is_recorded());
  BOOST_TEST(states.outputs().is_recorded());
  BOOST_TEST((states.outputs().record() == states.outputs().record()));
  tape.backward(sum(states.outputs()));
  BOOST_TEST(!cell.W.grad().empty());
}

BOOST_AUTO_TEST_CASE(empty_sequences) {
  Elman cell(3, 4);
  auto states = over_time(cell, zeros({0, 2, 3}), {.initial = {ones({2, 4})}});
  BOOST_TEST(states.size() == 0);
  BOOST_TEST(identical(states.last().h.value(), ones({2, 4})));
  BOOST_TEST(states.outputs().shape().text() == "(0, 2, 4)");
  BOOST_TEST(states.all().h.shape().text() == "(0, 2, 4)");
  auto no_batch = over_time(cell, zeros({3, 0, 3}));
  BOOST_TEST(no_batch.outputs().shape().text() == "(3, 0, 4)");
  auto padding = over_time(cell, ones({3, 2, 3}), {.lengths = {0, 0}});
  BOOST_TEST(identical(padding.outputs().value(), zeros({3, 2, 4})));
}

BOOST_AUTO_TEST_CASE(carried_states_are_constants_of_the_next_tape) {
  Elman cell(3, 4);
  cell.to(float64);
  Elman::State state;
  Variable first;
  for (int window = 0; window < 2; ++window) {
    Tape tape;
    auto states = over_time(cell, ones({3, 2, 3}, float64), {.initial = state});
    state = states.last();
    if (window == 0) first = state.h;
    tape.backward(sum(states.outputs()));
  }
  auto whole = over_time(cell, ones({6, 2, 3}, float64));
  BOOST_TEST(distance(whole[2].h, first) < 1e-14);
  BOOST_TEST(distance(whole.last().h, state.h) < 1e-14);
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  Elman cell(3, 4);
  struct Net : Module {
    Elman cell = submodule("reader", Elman(3, 4));
  } net;
  Array x = zeros({5, 2, 3});
  auto run = [&](const Array& xs, const OverTimeOptions<Elman::State>& o) {
    return error_of([&] { over_time(cell, xs, o); });
  };
  BOOST_TEST(run(zeros({5}), {}) ==
             "[Elman] the input is (5,); expected a sequence (T, B, ...), time first.");
  BOOST_TEST(run(x, {.lengths = {3}}) ==
             "[Elman] 1 lengths for a batch of 2; expected one a sequence, of an input (T, B, "
             "...).");
  BOOST_TEST(run(x, {.lengths = {3, 6}}) ==
             "[Elman] a length is 6, the input has 5 steps; expected 0 to 5.");
  BOOST_TEST(run(x, {.initial = {zeros({1, 4})}}) ==
             "[Elman] a value of the initial state is (1, 4), the input has a batch of 2; expected "
             "(2, 4), or (4,) for the same start everywhere.");
  BOOST_TEST(error_of([&] { over_time(net.cell, zeros({5})); }).starts_with("[reader] "));
  BOOST_TEST(error_of([&] { over_time(cell, Variable()); }) ==
             "[Elman] input 0 is empty; expected a sequence (T, B, ...).");
  Reader reader;
  Reader::Input in{x, zeros({5, 2, 2})};
  BOOST_TEST(
      error_of([&] { over_time(reader, in); }) ==
      "[Reader] value 0 of its State has no start; pass it as .initial, or give the cell `State "
      "zero_state(const Variable& x) const`.");
  in.gate = zeros({4, 2, 2});
  BOOST_TEST(error_of([&] { over_time(reader, in); }) ==
             "[Reader] input 1 is (4, 2, 2), the first one (5, 2, 3); expected the same T and B.");
  ElmanOfOrder memory(3, 4, 2);
  BOOST_TEST(
      error_of([&] {
        over_time(memory, x, {.initial = {{zeros({2, 4})}}});
      }) ==
      "[ElmanOfOrder] a list in the initial state has 1 values; expected 2 as in zero_state, or "
      "none.");
}

BOOST_AUTO_TEST_CASE(anomalies_name_cell_and_step) {
  struct Net : Module {
    Elman cell = submodule("encoder", Elman(3, 4, {.activation = log}));
  } net;
  Array x = ones({6, 2, 3});
  net.cell.W.mutable_value().fill(0.3);
  net.cell.U.mutable_value().fill(1);
  std::string message = error_of([&] {
    Tape tape({.anomaly = true});
    over_time(net.cell, x);
  });
  BOOST_TEST(message.find(" at encoder t=2 is not finite") != message.npos, message);
}

BOOST_AUTO_TEST_SUITE_END()
