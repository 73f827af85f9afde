// Truncated backpropagation through time of several layers and directions, against windows put
// together by hand. One cell is truncation.cpp's.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"
#include "common/windows.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

constexpr Size kSteps = 9;
using Options = OverTimeOptions<Recurrent::State>;

Recurrent doubled(Recurrent r) {
  r.to(float64);
  return r;
}

/// Outputs, and gradients of both orders of their squares with respect to inputs and weights.
template <class F>
std::vector<Array> run(const Variables& weights, F&& outputs) {
  Generator generator(2);
  Tape tape(generator);
  const Variable xs = tape.watch(random({kSteps, 2, 3}));
  Variables leaves{xs};
  for (const Variable& w : weights) leaves.push_back(w);
  const Variable y = outputs(xs);
  const Variables first =
      grad(sum(random(y.shape(), 8) * square(y)), leaves, {.create_graph = true});
  Variable penalty = full({}, 0, float64);
  for (const Variable& g : first) penalty = penalty + sum(square(g));
  std::vector<Array> result{y.value()};
  for (const Variable& g : first) result.push_back(g.value());
  for (const Variable& g : grad(penalty, leaves)) result.push_back(g.value());
  return result;
}

std::vector<Array> truncated(const Recurrent& r, const Options& options) {
  return run(r, [&](const Variable& xs) { return over_time(r, xs, options).outputs(); });
}

/// Each window from the state k2 - k1 steps before it, a constant unless that is the start.
std::vector<Array> by_hand(const Recurrent& r, Truncation t, const std::vector<Size>& lengths,
                           const Recurrent::State& initial = {}) {
  return run(r, [&](const Variable& xs) {
    return by_windows(r, xs, t, Options{.initial = initial, .lengths = lengths});
  });
}

void check_equal(const std::vector<Array>& a, const std::vector<Array>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k) BOOST_TEST(distance(a[k], b[k]) < 1e-11);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(truncation_of_layers)

BOOST_AUTO_TEST_CASE(is_windows_of_constants) {
  std::vector<Recurrent> some;
  some.push_back(doubled(recurrent<GRU>(3, 4, {.layers = 2})));
  some.push_back(doubled(recurrent<LSTM>(3, 3, {.layers = 3, .skip = Skip::residual})));
  some.push_back(doubled(stacked({.learned_initial = true, .skip = Skip::highway}, LSTM(3, 4),
                                 Elman(4, 4), LSTM(4, 4))));
  some.push_back(doubled(stacked(LSTM(3, 5, {.projection = 2}), GRU(2, 4))));
  for (const Recurrent& r : some)
    for (Truncation t : {Truncation{4}, Truncation{2, 4}, Truncation{1, 3}, Truncation{3, 4},
                         Truncation{4, 7}, Truncation{2, kSteps}})
      for (const std::vector<Size>& lengths : {std::vector<Size>{}, {9, 4}}) {
        BOOST_TEST_CONTEXT("k1 = " << t.k1 << ", k2 = " << t.k2 << ", " << lengths.size())
        check_equal(truncated(r, {.lengths = lengths, .truncation = t}), by_hand(r, t, lengths));
      }
}

// States may be given, hold lists, and belong to modules that have no zeros of their own.
BOOST_AUTO_TEST_CASE(of_any_state) {
  struct Sum : Module {
    Parameter W = parameter("W", {4, 4});
    struct State {
      Variable s;
    };
    State step(const Variable& x, const State& s) const { return {tanh(linear(s.s + x, W))}; }
  };
  const Truncation t{2, 5};
  const Recurrent order = doubled(
      recurrent([](Size in, Size hidden) { return ElmanOfOrder(in, hidden, 3); }, 3, 4, {.layers = 2}));
  const auto zero = initial_state(order, random({2, 3}));
  Size seed = 20;
  const auto some = map_values(
      zero, [&](const Variable& v) { return Variable(random(v.shape(), static_cast<int>(++seed))); });
  check_equal(truncated(order, {.initial = some, .truncation = t}), by_hand(order, t, {}, some));
  Recurrent sums = doubled(stacked(LSTM(3, 4), Sum(), GRU(4, 4)));
  const Recurrent::State given{{CellState(), {random({2, 4}, 5)}, CellState()}};
  check_equal(truncated(sums, {.initial = given, .truncation = t}), by_hand(sums, t, {}, given));
}

// A layer may show what it reads in a memory that comes with the start.
BOOST_AUTO_TEST_CASE(of_a_decoder_with_a_memory) {
  struct Decoder : Cell {
    using Cell::Cell;
    DotAttention attention = submodule("attention", DotAttention(hidden, 5, 3));
    Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden});
    struct State {
      Variable h;
      AttentionMemory memory;
    };
    State step(const Variable& x, const State& s) const {
      return {tanh(affine(x, W, s.h, U)), s.memory};
    }
    Variable output(const State& s) const { return attention(s.h, s.memory).output; }
  };
  Decoder decoder(4, 4);
  decoder.to(float64);
  const Decoder::State start{zeros({2, 4}, float64),
                             decoder.attention.remember(random({6, 2, 5}, 7))};
  const Recurrent r = doubled(stacked(LSTM(3, 4), std::move(decoder), GRU(5, 4)));
  const Recurrent::State given{{CellState(), start, CellState()}};
  for (Truncation t : {Truncation{2, 4}, Truncation{1, 3}}) {
    const auto windows = run(r, [&](const Variable& xs) {
      return by_windows(r, xs, t, Options{.initial = given}, [&](const Recurrent::State& state) {
        Recurrent::State at = detach(state);
        Decoder::State s = *at.cells[1].as<Decoder::State>();
        s.memory = start.memory;
        at.cells[1] = s;
        return at;
      });
    });
    check_equal(truncated(r, {.initial = given, .truncation = t}), windows);
  }
  LayerOutputs outputs;
  over_time(r, random({1, 2, 3}), {.initial = given, .truncation = {2, 4}});
  std::vector<std::string> names;
  for (const NamedOutput& o : outputs.list()) names.push_back(o.name);
  // What is asked at the start for its shape is nobody's output.
  BOOST_TEST(names[0] == "layer0");
  BOOST_TEST(std::count(names.begin(), names.end(), "layer0") == 1);
}

BOOST_AUTO_TEST_CASE(masks_and_reverse_with_lengths) {
  const Recurrent r = doubled(recurrent<GRU>(3, 4, {.layers = 2}));
  const Truncation t{2, 3};
  const std::vector<Size> lengths{9, 4};
  Array mask = zeros({kSteps, 2});
  mask.sliced(1, 0, 1).fill(1);
  mask.sliced(0, 0, 4).fill(1);
  check_equal(truncated(r, {.mask = Variable(mask), .truncation = t}), by_hand(r, t, lengths));
  check_equal(truncated(r, {.lengths = lengths, .reverse = true, .truncation = t}),
              run(r, [&](const Variable& xs) {
                return flip(over_time(r, flip(xs, {0}),
                                      {.mask = flip(Variable(mask), {0}), .truncation = t})
                                .outputs(),
                            {0});
              }));
}

BOOST_AUTO_TEST_CASE(at_the_end_is_the_full_gradient) {
  const Recurrent r = doubled(recurrent<LSTM>(3, 4, {.layers = 2}));
  const auto full = truncated(r, {});
  check_equal(truncated(r, {.truncation = {3, kSteps}}), full);
  check_equal(truncated(r, {.truncation = {100, 200}}), full);
  BOOST_TEST(distance(truncated(r, {.truncation = {2, 4}})[1], full[1]) > 1e-4);
}

BOOST_AUTO_TEST_CASE(in_reverse_windows_begin_at_the_end) {
  const Recurrent r = doubled(recurrent<GRU>(3, 4, {.layers = 2}));
  const Truncation t{2, 3};
  check_equal(truncated(r, {.reverse = true, .truncation = t}), run(r, [&](const Variable& xs) {
                return flip(over_time(r, flip(xs, {0}), {.truncation = t}).outputs(), {0});
              }));
}

/// What it shows has weights of its own.
struct Reader : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden}),
            V = parameter("V", {hidden, hidden});
  struct State {
    Variable h;
  };
  State step(const Variable& x, const State& s) const { return {tanh(affine(x, W, s.h, U))}; }
  Variable output(const State& s) const { return linear(s.h, V); }
};

// What is drawn for a whole sequence is drawn once; steps that run again draw what they drew before.
BOOST_AUTO_TEST_CASE(noise_is_that_of_the_whole_run) {
  const Truncation steps{1, kSteps - 1};  // in the order of steps, as for the others
  for (const RecurrentOptions& options :
       {RecurrentOptions{.drop_connect = {"U"}, .layers = 2, .variational_dropout = 0.5},
        RecurrentOptions{.dropout = 0.4, .layers = 2, .zoneout = {0.3}}}) {
    const Recurrent r = doubled(recurrent<GRU>(3, 4, options));
    const Array whole = truncated(r, {.truncation = steps})[0];
    for (Truncation t : {Truncation{2, 5}, Truncation{1, 2}})
      BOOST_TEST(identical(truncated(r, {.truncation = t})[0], whole));
    BOOST_TEST(distance(whole, truncated(doubled(recurrent<GRU>(3, 4, {.layers = 2})),
                                         {.truncation = steps})[0]) > 1e-3);
    if (options.dropout == 0) BOOST_TEST(distance(whole, truncated(r, {})[0]) < 1e-11);
  }
  const Recurrent r =
      doubled(recurrent<Reader>(3, 4, {.drop_connect = {"W", "V"}, .layers = 2}));
  BOOST_TEST(distance(truncated(r, {.truncation = steps})[0], truncated(r, {})[0]) < 1e-11);
}

BOOST_AUTO_TEST_CASE(masks_are_exact_where_states_start_in_float32) {
  struct Narrow : Cell {
    using Cell::Cell;
    Parameter W = parameter("W", {hidden, in});
    struct State {
      Variable h;
    };
    State zero_state(const Variable& x) const { return {zeros({x.size(0), hidden})}; }
    State step(const Variable& x, const State& s) const { return {tanh(linear(x, W) + s.h)}; }
  };
  const Recurrent r =
      doubled(recurrent<Narrow>(3, 4, {.layers = 2, .variational_dropout = 0.3}));
  BOOST_TEST(distance(truncated(r, {.truncation = {1, kSteps - 1}})[0], truncated(r, {})[0]) <
             1e-14);
}

BOOST_AUTO_TEST_CASE(zoneout_of_the_call_stands_for_that_of_the_layers) {
  const Recurrent r = doubled(recurrent<GRU>(3, 4, {.layers = 2, .zoneout = {0.3}})),
                  plain = doubled(recurrent<GRU>(3, 4, {.layers = 2}));
  for (std::size_t k = 0; k < r.parameters().size(); ++k)
    plain.parameters()[k].assign(r.parameters()[k].value());
  const Truncation t{2, 4};
  BOOST_TEST(identical(truncated(r, {.truncation = t, .zoneout = {0.6}})[0],
                       truncated(plain, {.truncation = t, .zoneout = {0.6}})[0]));
  BOOST_TEST(distance(truncated(r, {.truncation = t, .zoneout = {0.6}})[0],
                      truncated(r, {.truncation = t})[0]) > 1e-3);
}

BOOST_AUTO_TEST_CASE(states_are_those_of_the_layers) {
  const Recurrent r = doubled(stacked(LSTM(3, 4), GRU(4, 2)));
  const Variable xs = random({kSteps, 2, 3});
  Tape tape;
  LayerOutputs expected;
  const Options one{.lengths = {9, 4}}, both{.lengths = {9, 4}, .truncation = {2, 4}};
  const auto by_layer = over_time(r, xs, one);
  const std::vector<NamedOutput> by_layer_outputs = expected.list();
  LayerOutputs again;
  const auto together = over_time(r, xs, both);
  auto same = [](const Variables& a, const Variables& b) {
    BOOST_REQUIRE(a.size() == b.size());
    for (std::size_t k = 0; k < a.size(); ++k)
      BOOST_TEST(distance(a[k].value(), b[k].value()) < 1e-12);
  };
  same(values_of(together.all()), values_of(by_layer.all()));
  same(values_of(together.last()), values_of(by_layer.last()));
  for (Size t : {0, 3, 8}) same(values_of(together[t]), values_of(by_layer[t]));
  BOOST_REQUIRE(again.list().size() == 3u);
  for (std::size_t k = 0; k < 3; ++k) {
    BOOST_TEST(again.list()[k].name == by_layer_outputs[k].name);
    same({again.list()[k].value}, {by_layer_outputs[k].value});
  }
  const auto unkept = over_time(r, xs, {.keep_states = false, .lengths = {9, 4}, .truncation = {2, 4}});
  same(values_of(unkept.last()), values_of(by_layer.last()));
  BOOST_TEST(error_of([&] { unkept.outputs(); }) != "");
  LayerOutputs none;
  BOOST_TEST(over_time(r, random({0, 2, 3}), {.truncation = {2, 4}}).outputs().shape() ==
             Shape({0, 2, 2}));
  for (const NamedOutput& o : none.list()) BOOST_TEST(o.value.size(0) == 0);
}

BOOST_AUTO_TEST_CASE(of_a_temporary) {
  const Variable xs = random({kSteps, 2, 3});
  auto states = over_time(doubled(recurrent<LSTM>(3, 4, {.layers = 2})), xs);
  BOOST_TEST(states.outputs().shape() == Shape({kSteps, 2, 4}));
  BOOST_TEST(error_of([&] {
               over_time(recurrent<LSTM>(3, 4), xs, {.recompute_every = 2});
             }) == "[Recurrent] is a temporary, but its steps are computed again by the backward "
                   "pass; give it a name.");
}

// The states keep their cells.
BOOST_AUTO_TEST_CASE(outputs_outlive_the_layers) {
  auto states = [] {
    const Recurrent r = doubled(recurrent<LSTM>(3, 4, {.layers = 2}));
    Tape tape;
    return over_time(r, random({kSteps, 2, 3}), {.truncation = {2, 4}});
  }();
  BOOST_TEST(states.outputs().shape() == Shape({kSteps, 2, 4}));
}

BOOST_AUTO_TEST_CASE(of_both_directions_and_dropped_weights) {
  const RecurrentOptions options{.bidirectional = true, .drop_connect = {"U"}};
  Recurrent r = recurrent<GRU>(3, 4, options);
  r.to(float64);
  const std::vector<NamedParameter> p = r.named_parameters();
  GRU forward(3, 4), backward(3, 4);
  for (GRU* cell : {&forward, &backward}) cell->to(float64);
  for (std::size_t k = 0; k < 4; ++k) {
    forward.parameters()[k].assign(p[k].parameter.value());
    backward.parameters()[k].assign(p[k + 4].parameter.value());
  }
  for (Truncation t : {Truncation{2, 5}, Truncation{4}}) {
    auto one = [&](const GRU& cell, const Variable& xs, bool reverse) {
      Substitution in_place({{cell.U, dropout(cell.U, 0.5)}});
      return over_time(cell, xs, {.reverse = reverse, .truncation = t}).outputs();
    };
    Variables weights = forward;
    for (const Parameter& w : backward.parameters()) weights.push_back(w);
    check_equal(run(r,
                          [&](const Variable& xs) {
                            return over_time(r, xs, {.truncation = t}).outputs();
                          }),
                run(weights, [&](const Variable& xs) {
                  const Variable f = one(forward, xs, false);
                  return concat({f, one(backward, xs, true)});
                }));
  }
}

BOOST_AUTO_TEST_CASE(mistakes) {
  Tape tape;
  const Variable xs = random({kSteps, 2, 3});
  const Recurrent both = doubled(recurrent<GRU>(3, 4, {.bidirectional = true, .layers = 2}));
  BOOST_TEST(error_of([&] { over_time(both, xs, {.truncation = {2, 4}}); }) ==
             "[Recurrent] truncation with k2 > k1 runs steps of all layers again, but a "
             "bidirectional layer needs all steps of the one below it; expected k2 = k1.");
  const Recurrent r = doubled(recurrent<GRU>(3, 4, {.layers = 2}));
  BOOST_TEST(error_of([&] {
               over_time(r, xs, {.recompute_every = 2, .truncation = {2, 4}});
             }).starts_with("[Recurrent] truncation has k2 > k1, which runs steps again"));
}

BOOST_AUTO_TEST_SUITE_END()
