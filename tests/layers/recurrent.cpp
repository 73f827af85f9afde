// Recurrent: layers and directions against the same cells put together by hand.
#include <boost/test/unit_test.hpp>

#include <memory>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/cells/elman_of_order.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

std::vector<std::string> names(const Module& m) {
  std::vector<std::string> list;
  for (const NamedParameter& p : m.named_parameters()) list.push_back(p.name);
  return list;
}

// Whose output is not the first value of its state, and of another size than hidden.
struct Projected : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, 2}),
            P = parameter("P", {2, hidden});
  struct State {
    std::vector<Variable> memory;
    Variable shown;
  };
  Size output_size() const { return 2; }
  State zero_state(const Variable& x) const {
    return {{zeros({x.size(0), hidden})}, zeros({x.size(0), 2})};
  }
  State step(const Variable& x, const State& s) const {
    Variable h = tanh(affine(x, W, s.shown, U)) + s.memory[0];
    return {{h}, linear(h, P)};
  }
  Variable output(const State& s) const { return s.shown; }
};

// Tells whether it lives, and has an output of its own.
struct Mortal : Cell {
  using Cell::Cell;
  std::shared_ptr<double> factor = std::make_shared<double>(2);
  struct State {
    Variable h;
  };
  State step(const Variable& x, const State& s) const { return {s.h + sum(x)}; }
  Variable output(const State& s) const { return s.h * *factor; }
};

Recurrent cell_by_name(std::string_view name, Size in, Size hidden) {
  if (name == "lstm") return LSTM(in, hidden);
  if (name == "elman2") return ElmanOfOrder(in, hidden, 2);
  return GRU(in, hidden);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrent_)

BOOST_AUTO_TEST_CASE(two_bidirectional_layers) {
  std::vector<Size> lengths{4, 2};
  LSTM f0(3, 4), b0(3, 4), f1(8, 4), b1(8, 4);
  Recurrent r = recurrent<LSTM>(3, 4, {.bidirectional = true, .layers = 2});
  std::vector<std::string> expected{"layer0.W",         "layer0.U",         "layer0.b",
                                    "layer0_reverse.W", "layer0_reverse.U", "layer0_reverse.b",
                                    "layer1.W",         "layer1.U",         "layer1.b",
                                    "layer1_reverse.W", "layer1_reverse.U", "layer1_reverse.b"};
  BOOST_TEST(names(r) == expected, boost::test_tools::per_element());
  BOOST_TEST(r.is_bidirectional());
  BOOST_TEST(r.layers() == 2);
  BOOST_TEST(r.cells() == 4);
  std::size_t k = 0;
  std::vector<Parameter> p = r.parameters();
  for (LSTM* cell : {&f0, &b0, &f1, &b1})
    for (Parameter& q : cell->parameters()) q.assign(p[k++].value());
  for (Module* m : std::initializer_list<Module*>{&r, &f0, &b0, &f1, &b1}) m->to(float64);

  Variable x = random({4, 2, 3});
  auto run = [&](const LSTM& cell, const Variable& xs, bool reverse, int seed) {
    return over_time(cell, xs,
                     {.initial = {random({2, 4}, std::uint64_t(seed)), random({2, 4}, 9)},
                      .lengths = lengths,
                      .reverse = reverse});
  };
  auto sf0 = run(f0, x, false, 10), sb0 = run(b0, x, true, 11);
  Variable y0 = concat({sf0.outputs(), sb0.outputs()});
  auto sf1 = run(f1, y0, false, 12), sb1 = run(b1, y0, true, 13);
  Recurrent::State start;
  for (std::uint64_t s = 10; s < 14; ++s)
    start.cells.push_back(LSTM::State{random({2, 4}, s), random({2, 4}, 9)});
  auto states = over_time(r, x, {.initial = start, .lengths = lengths});
  BOOST_TEST(states.size() == 4);
  BOOST_TEST(distance(states.outputs(), concat({sf1.outputs(), sb1.outputs()})) < 1e-14);
  std::vector<LSTM::State> last{sf0.last(), sb0.last(), sf1.last(), sb1.last()};
  for (std::size_t c = 0; c < 4; ++c) {
    BOOST_TEST(distance(states.last().cells[c].values()[0], last[c].h) < 1e-14);
    BOOST_TEST(distance(states.last().cells[c].as<LSTM::State>()->c, last[c].c) < 1e-14);
  }
  BOOST_TEST(distance(states.all().cells[3].values()[1], sb1.all().c) < 1e-14);
  BOOST_TEST(distance(states[2].cells[1].values()[0], sb0[2].h) < 1e-14);
}

BOOST_AUTO_TEST_CASE(values_alone_are_a_state) {
  Recurrent r = recurrent<LSTM>(3, 4, {.layers = 2});
  r.to(float64);
  Variable x = random({4, 2, 3}), h = random({2, 4}, 5), c = random({2, 4}, 6);
  Recurrent::State typed{{LSTM::State{h, c}, {}}}, values{{{h, c}, {}}};
  BOOST_TEST(distance(over_time(r, x, {.initial = typed}).outputs(),
                      over_time(r, x, {.initial = values}).outputs()) == 0);
  BOOST_TEST(error_of([&] {
               over_time(r, x, {.initial = {{{h, c, c}, {}}}});
             }) == "[layer0] the state given for it has 3 values; expected 2.");
  BOOST_TEST(error_of([&] {
               over_time(r, x, {.initial = {{{h, c}}}});
             }) ==
             "[recurrent] the state given for it holds 1 cells; expected 2, or none for zeros.");
}

BOOST_AUTO_TEST_CASE(stepping_equals_over_time) {
  Recurrent r = stacked(Projected(3, 5), cell_by_name("elman2", 2, 4), cell_by_name("lstm", 4, 6));
  BOOST_TEST(r.layers() == 3);
  r.to(float64);
  Variable x = random({4, 2, 3});
  auto states = over_time(r, x);
  Recurrent::State by_hand = initial_state(r, x[0]), empty;
  for (Size t = 0; t < 4; ++t) {
    by_hand = r.step(x[t], by_hand);
    empty = r.step(x[t], empty);
    BOOST_TEST(distance(r.output(by_hand), states.outputs()[t]) < 1e-14);
    BOOST_TEST(distance(r.output(empty), states.outputs()[t]) < 1e-14);
  }
  const Recurrent::State gaps{{Projected::State{}, ElmanOfOrder::State{}, LSTM::State{}}};
  BOOST_TEST(distance(r.output(r.step(x[0], gaps)), states.outputs()[0]) < 1e-14);
  BOOST_TEST(states.outputs().shape().text() == "(4, 2, 6)");
  Recurrent two = recurrent<Projected>(3, 5, {.bidirectional = true, .layers = 2});
  BOOST_TEST(over_time(two, x.value().to(float32)).outputs().shape().text() == "(4, 2, 4)");
  BOOST_TEST(
      error_of([&] { two.step(x[0], {}); }).starts_with("[recurrent] step() cannot run backward"));
}

BOOST_AUTO_TEST_CASE(states_carry_over_windows) {
  Recurrent r = recurrent<GRU>(3, 4, {.layers = 2});
  r.to(float64);
  Variable x = random({6, 2, 3});
  Variable whole = over_time(r, x).outputs();
  Recurrent::State state;
  for (Size k = 0; k < 2; ++k) {
    Tape tape;
    auto states =
        over_time(r, sliced(x, 0, 3 * k, 3 * k + 3), {.initial = state, .keep_states = k == 0});
    state = states.last();
    if (k == 0)
      BOOST_TEST(distance(states.outputs(), sliced(whole, 0, 0, 3)) < 1e-14);
    else
      BOOST_TEST(
          error_of([&] { states.outputs(); }).starts_with("[Recurrent] its states were not kept"));
  }
  BOOST_TEST(distance(r.output(state), whole[5]) < 1e-14);
}

BOOST_AUTO_TEST_CASE(reverse_runs_every_cell_the_other_way) {
  Recurrent r = recurrent<GRU>(3, 4, {.bidirectional = true, .layers = 2});
  r.to(float64);
  Variable x = random({5, 2, 3});
  Variable a = over_time(r, x, {.reverse = true}).outputs();
  Variable b = flip(over_time(r, flip(x, {0})).outputs(), {0});
  BOOST_TEST(distance(a, b) < 1e-14);
}

BOOST_AUTO_TEST_CASE(dropout_between_layers) {
  Recurrent r = recurrent<Elman>(3, 40, {.dropout = 0.5, .layers = 2});
  Array x = random({6, 2, 3}).to(float32);
  Variable without = over_time(r, x).outputs();
  auto with = [&](std::uint64_t seed) {
    Generator generator(seed);
    Tape tape(generator);
    return over_time(r, x).outputs().value();
  };
  BOOST_TEST(identical(with(1), with(1)));
  BOOST_TEST(!identical(with(1), with(2)));
  BOOST_TEST(!identical(with(1), without.value()));
  BOOST_TEST(identical(over_time(r, x).outputs().value(), without.value()));
  // Not on the input nor on the last output: one layer draws nothing.
  Recurrent one = recurrent<Elman>(3, 40, {.dropout = 0.5});
  Tape tape;
  over_time(one, x);
  BOOST_TEST(error_of([&] { over_time(r, x); }).starts_with("[dropout]"));
}

// The second layer is linear in its input, so zero columns of its input show the mask.
BOOST_AUTO_TEST_CASE(variational_dropout_has_one_mask_for_all_steps) {
  struct Same : Cell {
    using Cell::Cell;
    struct State {
      Variable h;
    };
    State step(const Variable& x, const State&) const { return {x}; }
  };
  Recurrent r = recurrent<Same>(50, 50, {.layers = 2, .variational_dropout = 0.4});
  Generator generator(1);
  Tape tape(generator);
  Variable y = over_time(r, ones({5, 3, 50})).outputs();
  for (Size t = 1; t < 5; ++t) BOOST_TEST(distance(y[t], y[0]) == 0);
  BOOST_TEST(distance(y[0][0], y[0][1]) > 1);  // but another one for each sequence
  double kept = mean(y).item();
  BOOST_TEST(kept > 0.7);
  BOOST_TEST(kept < 1.3);
  BOOST_TEST(error_of([&] {
               r.step(ones({3, 50}), {});
             }).starts_with("[recurrent] variational dropout has one mask"));
}

BOOST_AUTO_TEST_CASE(moved_and_assigned) {
  struct Net : Module {
    Recurrent rnn = submodule("rnn", recurrent<Elman>(3, 4));
  } net;
  BOOST_TEST(names(net)[0] == "rnn.layer0.W");
  Net other = std::move(net);
  other.rnn = cell_by_name("lstm", 3, 4);
  BOOST_TEST(names(other).size() == 3u);
  BOOST_TEST(other.parameters()[0].shape().text() == "(16, 3)");
  Recurrent none;
  BOOST_TEST(error_of([&] {
               over_time(none, zeros({2, 2, 3}));
             }) == "[recurrent] has no layers; assign one, or use recurrent<LSTM>(in, hidden).");
  none = recurrent<Elman>(3, 4);
  BOOST_TEST(over_time(none, zeros({2, 2, 3})).outputs().shape().text() == "(2, 2, 4)");
}

BOOST_AUTO_TEST_CASE(directions_may_differ_in_their_cells) {
  Recurrent r = bidirectional(LSTM(3, 4), GRU(3, 5));
  BOOST_TEST(over_time(r, zeros({2, 2, 3})).outputs().shape().text() == "(2, 2, 9)");
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused) {
  BOOST_TEST(error_of([] { recurrent<Elman>(3, 4, {.layers = 0}); }) ==
             "[recurrent] layers is 0; expected 1 or more.");
  BOOST_TEST(error_of([] { recurrent<Elman>(3, 4, {.dropout = 1}); }) ==
             "[recurrent] dropout is 1; expected 0 <= p < 1.");
}

// outputs() asks the cell, though the Recurrent that held it may be gone.
BOOST_AUTO_TEST_CASE(an_error_of_a_step_says_whose_it_was) {
  const Recurrent r = stacked(Elman(3, 4), Elman(5, 4));
  const std::string said =
      "[affine] inner sizes differ: x is (2, 4), W is (4, 5); expected (..., n) and (out, n). At layer1";
  BOOST_TEST(error_of([&] { over_time(r, ones({6, 2, 3})); }) == said + " t=0.");
  BOOST_TEST(error_of([&] { r.step(ones({2, 3}), {}); }) == said + ".");
}

BOOST_AUTO_TEST_CASE(states_keep_their_cells) {
  std::weak_ptr<double> life;
  {
    auto states = [&] {
      Mortal cell(3, 4);
      life = cell.factor;
      Recurrent r = std::move(cell);
      return over_time(r, ones({2, 1, 3}));
    }();
    BOOST_TEST(!life.expired());
    if (!life.expired()) BOOST_TEST(states.outputs().value().at({1, 0, 0}) == 12);
  }
  BOOST_TEST(life.expired());
}

// A value that a step leaves empty is not the start once more.
BOOST_AUTO_TEST_CASE(values_that_a_step_gives_up) {
  struct Once : Cell {
    using Cell::Cell;
    struct State {
      Variable h, once;
    };
    State zero_state(const Variable& x) const { return {zeros(x.shape()), ones(x.shape())}; }
    State step(const Variable& x, const State& s) const {
      return {tanh(x + s.h + (s.once.empty() ? Variable(0) : s.once)), {}};
    }
  };
  const Array x = random({4, 2, 3}).to(float32);
  for (const Recurrent& r : {Recurrent(Once(3, 3)), stacked(Once(3, 3), Once(3, 3)),
                             recurrent<Once>(3, 3, {.layers = 2, .learned_initial = true})}) {
    Recurrent::State s = initial_state(r, x[0]);
    for (Size t = 0; t < 4; ++t) s = r.step(x[t], s);
    BOOST_TEST(distance(r.output(s), over_time(r, x).outputs()[3]) == 0);
    s = r.step(x[3], over_time(r, x.sliced(0, 0, 3)).last());
    BOOST_TEST(distance(r.output(s), over_time(r, x).outputs()[3]) == 0);
    auto outputs = [&](Truncation truncation) {
      Tape tape;
      return over_time(r, tape.watch(x), {.truncation = truncation}).outputs().value();
    };
    BOOST_TEST(distance(outputs({2, 3}), outputs({2})) == 0);
  }
}

// Also of a state that a step has returned, and where the start is learned.
BOOST_AUTO_TEST_CASE(values_that_are_left_to_the_start) {
  const Variable x = random({2, 3}).to(float32);
  for (bool learned : {false, true}) {
    const Recurrent r = recurrent<LSTM>(3, 4, {.learned_initial = learned});
    for (Parameter p : r.parameters()) p.assign(random(p.shape(), 4).to(float32));
    const Variable c = random({2, 4}, 7).to(float32);
    Recurrent::State changed = r.step(x, {});
    int k = 0;
    for_each_value(changed, [&](Variable& v) { v = k++ == 0 ? Variable() : c; });
    const Recurrent::State list{{{Variable(), c}}}, whole{{LSTM::State{{}, c}}};
    const Variable expected =
        over_time(r, reshape(x, {1, 2, 3}), {.initial = whole}).outputs()[0];
    for (const Recurrent::State& s : {changed, list, whole})
      BOOST_TEST(distance(r.output(r.step(x, s)), expected) == 0);
  }
}

// Values without their struct, of which some are left to the cell, in a State of one's own.
BOOST_AUTO_TEST_CASE(a_list_with_a_gap_in_a_state) {
  struct Deep : Cell {
    Deep() : Cell(3, 4) {}
    Recurrent inner = submodule("inner", Recurrent(LSTM(3, 4)));
    struct State {
      Recurrent::State inner;
    };
    State zero_state(const Variable& x) const { return {initial_state(inner, x)}; }
    State step(const Variable& x, const State& s) const { return {inner.step(x, s.inner)}; }
    Variable output(const State& s) const { return inner.output(s.inner); }
  } cell;
  const Variable x = random({5, 2, 3}).to(float32), c = random({2, 4}, 7).to(float32);
  auto outputs = [&](const CellState& start) {
    return over_time(cell, x, {.initial = {{{start}}}, .lengths = {5, 3}}).outputs();
  };
  BOOST_TEST(distance(outputs({Variable(), c}), outputs(LSTM::State{zeros({2, 4}), c})) == 0);
}

BOOST_AUTO_TEST_CASE(a_loop_over_states) {
  const Recurrent r = stacked(LSTM(3, 4), GRU(4, 2));
  const auto states = over_time(r, random({4, 2, 3}).to(float32));
  Size t = 0;
  for (const Recurrent::State& s : states)
    BOOST_TEST(distance(r.output(s), states.outputs()[t++]) == 0);
  BOOST_TEST(t == 4);
}

BOOST_AUTO_TEST_SUITE_END()
