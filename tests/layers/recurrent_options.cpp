// What goes on around the cells of a Recurrent: merged directions, residual and highway layers and
// learned starts, each against the same put together by hand. Noise has a file of its own.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

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
