// What goes on around the cells of a Recurrent: merged directions, residual and highway layers and
// learned starts, each against the same put together by hand. Noise has a file of its own.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/autograd/node.hpp>
#include <unroll/layers/layers.hpp>
#include <unroll/ops/loss.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

/// A Parameter of a Recurrent by its path.
Parameter named(const Module& m, const std::string& name) {
  for (const NamedParameter& p : m.named_parameters())
    if (p.name == name) return p.parameter;
  BOOST_FAIL("no parameter " << name);
  return {};
}

/// A cell with the numbers of one in a Recurrent.
template <class C>
C copy_of(const Module& m, const std::string& path, C cell) {
  cell.to(float64);
  for (const NamedParameter& p : cell.named_parameters()) {
    Parameter to = p.parameter;
    to.assign(named(m, path + "." + p.name).value());
  }
  return cell;
}

Recurrent in_float64(Recurrent r) {
  r.to(float64);
  return r;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrent_options)

BOOST_AUTO_TEST_CASE(directions_are_merged) {
  const Variable x = random({4, 2, 3});
  for (Merge merge : {Merge::average, Merge::concat, Merge::mul, Merge::sum}) {
    Recurrent r =
        in_float64(recurrent<GRU>(3, 4, {.bidirectional = true, .layers = 2, .merge = merge}));
    auto joined = [&](const Variable& f, const Variable& b) -> Variable {
      if (merge == Merge::average) return (f + b) / 2;
      if (merge == Merge::mul) return f * b;
      return merge == Merge::sum ? f + b : concat({f, b});
    };
    Variable y = x;
    for (std::string layer : {"layer0", "layer1"}) {
      const Size in = y.size(-1);
      GRU f = copy_of(r, layer, GRU(in, 4)), b = copy_of(r, layer + "_reverse", GRU(in, 4));
      y = joined(over_time(f, y).outputs(), over_time(b, y, {.reverse = true}).outputs());
    }
    BOOST_TEST(distance(over_time(r, x).outputs(), y) < 1e-14);
    BOOST_TEST(gradcheck(r, random({3, 2, 3}), {.order = 2}));
  }
  Recurrent two = bidirectional(GRU(3, 4), LSTM(3, 4), Merge::sum);
  BOOST_TEST(over_time(two, zeros({2, 2, 3})).outputs().shape() == Shape({2, 2, 4}));
  Recurrent other = bidirectional(GRU(3, 4), LSTM(3, 5), Merge::sum);
  BOOST_TEST(
      error_of([&] {
        over_time(other, zeros({2, 2, 3})).outputs();
      }) ==
      "[recurrent] the outputs of the two directions are (2, 2, 4) and (2, 2, 5); expected the "
      "same shape, or Merge::concat.");
}

BOOST_AUTO_TEST_CASE(layers_with_a_way_around_them) {
  const Variable x = random({4, 2, 3});
  for (Skip skip : {Skip::residual, Skip::highway}) {
    Recurrent r = in_float64(recurrent<LSTM>(3, 4, {.layers = 3, .skip = skip}));
    Variable y = over_time(copy_of(r, "layer0", LSTM(3, 4)), x).outputs();
    for (std::string layer : {"layer1", "layer2"}) {
      const Variable f = over_time(copy_of(r, layer, LSTM(4, 4)), y).outputs();
      if (skip == Skip::residual) {
        y = y + f;
      } else {
        const Parameter W = named(r, layer + "_highway.W"), b = named(r, layer + "_highway.b");
        BOOST_TEST(identical(b.value(), full({4}, -1, float64)));
        const Variable t = sigmoid(linear(y, W, b));
        y = t * f + (1 - t) * y;
      }
    }
    const auto states = over_time(r, x);
    BOOST_TEST(distance(states.outputs(), y) < 1e-14);
    BOOST_TEST(gradcheck(r, random({3, 2, 3}), {.order = 2}));
    Recurrent::State state;
    for (Size t = 0; t < 4; ++t) {
      state = r.step(x[t], state);
      BOOST_TEST(distance(r.output(state), states.outputs()[t]) < 1e-14);
    }
    BOOST_TEST(distance(over_time(r, x, {.lengths = {4, 2}}).outputs()[3][1], zeros({4})) == 0);
  }
}

BOOST_AUTO_TEST_CASE(different_cells_with_options) {
  Recurrent r = in_float64(stacked({.learned_initial = true, .skip = Skip::residual}, LSTM(3, 4),
                                   ElmanOfOrder(4, 4, 2), GRU(4, 4)));
  Variable y = random({4, 2, 3});
  const Variable shown = over_time(r, y).outputs();
  y = over_time(copy_of(r, "layer0", LSTM(3, 4)), y).outputs();
  y = y + over_time(copy_of(r, "layer1", ElmanOfOrder(4, 4, 2)), y).outputs();
  y = y + over_time(copy_of(r, "layer2", GRU(4, 4)), y).outputs();
  BOOST_TEST(distance(shown, y) < 1e-14);
  BOOST_TEST(r.parameters().size() == 3 + 4 + 4 + 2 + 2 + 1u);
  Recurrent dropped = stacked({.dropout = 0.5}, LSTM(3, 4), GRU(4, 4));
  Tape tape;
  BOOST_TEST(error_of([&] {
               over_time(dropped, zeros({4, 2, 3}));
             }).starts_with("[dropout] the tape has no generator"));
  BOOST_TEST(
      error_of([] { stacked({.layers = 2}, LSTM(3, 4)); }).starts_with("[recurrent] stacked()"));
  Recurrent wide = stacked({.skip = Skip::residual}, LSTM(3, 4), GRU(4, 5));
  BOOST_TEST(error_of([&] {
               over_time(wide, zeros({4, 2, 3})).outputs();
             }) ==
             "[recurrent] a layer's input is (4, 2, 4), its output (4, 2, 5); to go around it they "
             "must have the same shape.");
}

// Where layers are put on others, what their options say of layers that read others holds too.
BOOST_AUTO_TEST_CASE(options_of_a_recurrent_on_top_of_another) {
  const Variable x = random({4, 2, 3});
  for (Skip skip : {Skip::residual, Skip::highway}) {
    Recurrent r = in_float64(
        stacked(LSTM(3, 4), recurrent<GRU>(4, 4, {.layers = 2, .skip = skip}), Elman(4, 4)));
    Variable y = over_time(copy_of(r, "layer0", LSTM(3, 4)), x).outputs();
    for (std::string layer : {"layer1", "layer2"}) {
      const Variable f = over_time(copy_of(r, layer, GRU(4, 4)), y).outputs();
      Variable t = full({}, 0.5, float64);
      if (skip == Skip::highway)
        t = sigmoid(linear(y, named(r, layer + "_highway.W"), named(r, layer + "_highway.b")));
      y = skip == Skip::highway ? t * f + (1 - t) * y : f + y;
    }
    y = over_time(copy_of(r, "layer3", Elman(4, 4)), y).outputs();
    BOOST_TEST(distance(over_time(r, x).outputs(), y) < 1e-14);
  }
  for (RecurrentOptions o : {RecurrentOptions{.dropout = 0.5}, {.variational_dropout = 0.5}}) {
    Recurrent r = stacked(LSTM(3, 4), recurrent<GRU>(4, 4, o));
    Tape tape;
    BOOST_TEST(error_of([&] {
                 over_time(r, x.value().to(float32));
               }).starts_with("[dropout] the tape has no generator"));
  }
  struct Unsized : Module {
    struct State {
      Variable h;
    };
    State zero_state(const Variable& x) const { return {zeros(x.shape(), x.type())}; }
    State step(const Variable& x, const State& s) const { return {x + s.h}; }
  };
  auto make = [](Size, Size) { return Unsized(); };
  BOOST_TEST(error_of([&] {
               stacked({.skip = Skip::highway}, LSTM(3, 4), Unsized());
             }) ==
             "[recurrent] Skip::highway needs the size of a cell's input; give the cell a member "
             "`Size in`, as a Cell has.");
  BOOST_TEST(stacked(LSTM(3, 4), recurrent(make, 4, 4, {.skip = Skip::highway})).layers() == 2);
}

BOOST_AUTO_TEST_CASE(layers_of_different_cells_in_both_directions_with_options) {
  const RecurrentOptions options{.learned_initial = true, .skip = Skip::highway};
  Recurrent r = in_float64(stacked(options, bidirectional(LSTM(3, 4), GRU(3, 4)),
                                   bidirectional(GRU(8, 8), Elman(8, 8), Merge::sum), GRU(8, 8)));
  const Variable x = random({4, 2, 3});
  auto both = [&](const auto& f, const auto& b, const Variable& y) {
    return std::pair(over_time(f, y).outputs(), over_time(b, y, {.reverse = true}).outputs());
  };
  auto around = [&](const std::string& layer, const Variable& f, const Variable& y) {
    const Variable t =
        sigmoid(linear(y, named(r, layer + "_highway.W"), named(r, layer + "_highway.b")));
    return t * f + (1 - t) * y;
  };
  const auto [f0, b0] = both(copy_of(r, "layer0", LSTM(3, 4)),
                             copy_of(r, "layer0_reverse", GRU(3, 4)), x);
  Variable y = concat({f0, b0});
  const auto [f1, b1] =
      both(copy_of(r, "layer1", GRU(8, 8)), copy_of(r, "layer1_reverse", Elman(8, 8)), y);
  y = around("layer1", f1 + b1, y);
  y = around("layer2", over_time(copy_of(r, "layer2", GRU(8, 8)), y).outputs(), y);
  BOOST_TEST(distance(over_time(r, x).outputs(), y) < 1e-14);
  BOOST_TEST(gradcheck([&](auto& x) { return over_time(r, x).outputs(); }, {{3, 2, 3}},
                       {.parameters = r}));
  BOOST_TEST(error_of([] {
               stacked({.dropout = 0.3}, recurrent<LSTM>(3, 4, {.zoneout = {0.1}}));
             }) ==
             "[recurrent] stacked() with options was given a Recurrent that has some of its own; "
             "expected all of them in one place.");
  BOOST_TEST(stacked({.dropout = 0.3}, recurrent<LSTM>(3, 4, {.bidirectional = true, .layers = 2}),
                     GRU(8, 4)).cells() == 5);
}

// What goes around a layer is not dropped.
BOOST_AUTO_TEST_CASE(dropout_is_within_a_residual_layer) {
  Recurrent r = recurrent<Elman>(3, 4, {.dropout = 0.999, .layers = 2, .skip = Skip::residual});
  named(r, "layer1.U").mutable_value().fill(0);
  Array x = random({3, 2, 3}).to(float32);
  Generator generator(1);
  Tape tape(generator);
  const Variable below = over_time(copy_of(r, "layer0", Elman(3, 4)), x.to(float64)).outputs();
  const Array f = (over_time(r, x).outputs() - below.value().to(float32)).value();
  Size zero = 0;
  for (double v : f.to_vector<double>()) zero += std::abs(v) < 1e-6;
  BOOST_TEST(zero > 20);  // of 24: tanh(0), or a very large input
}

BOOST_AUTO_TEST_CASE(learned_starts) {
  Recurrent r = in_float64(
      recurrent<LSTM>(3, 4, {.bidirectional = true, .layers = 2, .learned_initial = true}));
  BOOST_TEST(r.parameters().size() == 20u);
  const Variable x = random({3, 2, 3});
  Recurrent::State given;
  std::uint64_t seed = 5;
  for (std::string cell : {"layer0", "layer0_reverse", "layer1", "layer1_reverse"}) {
    std::vector<Variable> values;
    for (std::string value : {"value0", "value1"}) {
      Parameter p = named(r, cell + "_initial." + value);
      BOOST_TEST(identical(p.value(), zeros({4}, float64)));
      p.assign(random({4}, seed++));
      values.push_back(p.value());
    }
    given.cells.push_back(CellState(values));
  }
  const Variable learned = over_time(r, x).outputs();
  BOOST_TEST(distance(learned, over_time(r, x, {.initial = given}).outputs()) == 0);
  BOOST_TEST(distance(initial_state(r, x[0]).cells[1].values()[1][1],
                      named(r, "layer0_reverse_initial.value1")) == 0);
  BOOST_TEST(gradcheck([&](auto& x) { return over_time(r, x).outputs(); }, {{3, 2, 3}},
                       {.order = 2, .parameters = r}));
}

BOOST_AUTO_TEST_CASE(a_learned_start_begins_as_the_zero_state) {
  struct Counted : Cell {
    using Cell::Cell;
    Parameter W = parameter("W", {hidden, in});
    struct State {
      Variable h;
      std::vector<Variable> more;
      Variable tags;  // no floating numbers: these are not learned
    };
    State zero_state(const Variable& x) const {
      const Size batch = x.size(0);
      return {full({batch, hidden}, 2), {values({{1, 2, 3, 4}}) + zeros({batch, 1})},
              Array({batch}, int64)};
    }
    State step(const Variable& x, const State& s) const {
      return {tanh(linear(x, W) + s.h * s.more[0]), {s.h}, s.tags};
    }
  };
  Recurrent r = recurrent<Counted>(3, 4, {.learned_initial = true});
  Recurrent plain = recurrent<Counted>(3, 4);
  const Variable x = random({4, 2, 3}).to(float32);
  auto check = [&] {
    plain.parameters()[0].assign(r.parameters()[0].value());
    BOOST_TEST(distance(over_time(r, x).outputs(), over_time(plain, x).outputs()) < 1e-6);
  };
  check();
  Generator generator(1);
  r.initialise(generator);
  check();
}

BOOST_AUTO_TEST_CASE(gaps_of_a_given_state_are_learned) {
  Recurrent r = in_float64(recurrent<LSTM>(3, 4, {.learned_initial = true}));
  const Variable x = random({4, 2, 3}), h = random({2, 4}, 5);
  Parameter c = named(r, "layer0_initial.value1");
  c.assign(random({4}, 6));
  const Variable expected =
      over_time(r, x, {.initial = {{{h, broadcast_to(c, {2, 4})}}}}).outputs();
  for (const CellState& given : {CellState(LSTM::State{h, {}}), CellState{h, {}}}) {
    BOOST_TEST(distance(over_time(r, x, {.initial = {{given}}}).outputs(), expected) < 1e-14);
    BOOST_TEST(distance(r.output(r.step(x[0], {{given}})), expected[0]) < 1e-14);
    BOOST_TEST(distance(initial_state(r, x[0], {{given}}).cells[0].values()[1][1], c) == 0);
  }
}

// Its tape holds parts, and no row of every step.
BOOST_AUTO_TEST_CASE(a_learned_start_takes_no_memory_for_the_steps) {
  auto slots = [](bool learned) {
    Recurrent r = recurrent<LSTM>(3, 4, {.learned_initial = learned});
    Tape tape;
    over_time(r, tape.watch(zeros({1000, 2, 3})), {.keep_states = false, .recompute_every = 100});
    return tape.impl().slots.size();  // of values that have gradients
  };
  BOOST_TEST(slots(true) < slots(false) + 20);
}

BOOST_AUTO_TEST_CASE(a_learned_start_is_trained_and_may_be_replaced) {
  Recurrent r = in_float64(recurrent<GRU>(3, 4, {.learned_initial = true}));
  const Variable x = random({3, 2, 3});
  Parameter start = named(r, "layer0_initial.value0");
  {
    Tape tape;
    tape.backward(sum(square(over_time(r, x).outputs())));
    BOOST_TEST(max(abs(start.grad())).item() > 0);
    start.assign(random({4}));
  }
  BOOST_TEST(distance(r.output(r.step(x[0], {})), over_time(r, x).outputs()[0]) < 1e-14);
  const Variable zero = zeros({2, 4}, float64);
  Recurrent plain = copy_of(r, "layer0", GRU(3, 4));
  BOOST_TEST(distance(over_time(r, x, {.initial = {{{zero}}}}).outputs(),
                      over_time(plain, x).outputs()) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
