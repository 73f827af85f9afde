// Zoneout and DropConnect of any cell, against the same put together by hand from the same random
// numbers: values and gradients of both orders.
#include <boost/test/unit_test.hpp>

#include <thread>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

/// A user's cell: its text knows nothing of what is done to its state and weights.
struct MyCell : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden});
  struct State {
    Variable h, slow;
  };
  State step(const Variable& x, const State& s) const { return step_with(U, x, s); }
  Variable output(const State& s) const { return output_with(U, s); }
  /// The same with any weight.
  State step_with(const Variable& u, const Variable& x, const State& s) const {
    Variable h = tanh(affine(x, W, s.h, u));
    return {h, 0.5 * s.slow + 0.5 * linear(h, u)};
  }
  Variable output_with(const Variable& u, const State& s) const { return s.h + linear(s.slow, u); }
};

Recurrent in_float64(Recurrent r) {
  r.to(float64);
  return r;
}

/// Outputs of a run that f records with that seed, its gradients, and gradients of their squares.
template <class F>
std::vector<Array> run(const Module& net, const Array& x, std::uint64_t seed, F&& f) {
  Generator generator(seed);
  Tape tape(generator);
  Variable xs = tape.watch(x);
  Variables leaves{xs};
  for (const Parameter& p : net.parameters()) leaves.push_back(p);
  const Variable y = f(xs);
  const Variables first = grad(sum(square(y)), leaves, {.create_graph = true});
  Variable penalty = full({}, 0, float64);
  for (const Variable& g : first) penalty = penalty + sum(square(g));
  std::vector<Array> result{y.value()};
  for (const Variable& g : first) result.push_back(g.value());
  for (const Variable& g : grad(penalty, leaves)) result.push_back(g.value());
  return result;
}

void check_equal(const std::vector<Array>& a, const std::vector<Array>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k)
    BOOST_TEST(distance(a[k], b[k]) < 1e-13 * (1 + max(abs(Variable(b[k]))).item()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(zoneout)

BOOST_AUTO_TEST_CASE(each_number_stays_or_moves) {
  MyCell cell(3, 4);
  cell.to(float64);
  const Array x = random({5, 2, 3});
  for (std::vector<double> p : std::vector<std::vector<double>>{{0.3}, {0.2, 0.6}, {0, 0.5}}) {
    auto by_hand = [&](const Variable& xs) {
      MyCell::State s = initial_state(cell, xs[0]);
      Variables y;
      for (Size t = 0; t < 5; ++t) {
        const MyCell::State next = cell.step(xs[t], s);
        auto zoned = [&](double q, const Variable& before, const Variable& after) {
          if (q == 0) return after;
          return where(bernoulli({2, 4}, q, *Tape::generator(), float64), before, after);
        };
        const Variable h = zoned(p.front(), s.h, next.h);
        s = {h, zoned(p.back(), s.slow, next.slow)};
        y.push_back(cell.output(s));
      }
      return stack_along(y);
    };
    auto with_option = [&](const Variable& xs) {
      return over_time(cell, xs, {.zoneout = p}).outputs();
    };
    check_equal(run(cell, x, 1, with_option), run(cell, x, 1, by_hand));
    BOOST_TEST(!identical(run(cell, x, 1, with_option)[0], run(cell, x, 2, with_option)[0]));
  }
}

BOOST_AUTO_TEST_CASE(without_a_tape_it_is_the_expectation) {
  LSTM cell(3, 4);
  cell.to(float64);
  const Variable x = random({5, 2, 3});
  LSTM::State s = initial_state(cell, x[0]);
  for (Size t = 0; t < 5; ++t) {
    LSTM::State next = cell.step(x[t], s);
    s = {0.2 * s.h + 0.8 * next.h, 0.6 * s.c + 0.4 * next.c};
  }
  const auto states = over_time(cell, x, {.zoneout = {0.2, 0.6}});
  BOOST_TEST(distance(states.last().h, s.h) < 1e-14);
  BOOST_TEST(distance(states.last().c, s.c) < 1e-14);
  Tape tape;
  BOOST_TEST(distance(no_grad([&] {
                        return over_time(cell, x, {.zoneout = {0.2, 0.6}}).last().h;
                      }),
                      s.h) < 1e-14);
}

BOOST_AUTO_TEST_CASE(as_often_as_its_probability_says) {
  struct Counter : Cell {
    using Cell::Cell;
    struct State {
      Variable h;
    };
    State step(const Variable&, const State& s) const { return {s.h + 1}; }
  };
  Generator generator(1);
  Tape tape(generator);
  const double moved =
      mean(over_time(Counter(1, 100), zeros({100, 10, 1}), {.zoneout = {0.3}}).last().h).item();
  BOOST_TEST(moved > 69);
  BOOST_TEST(moved < 71);
}

BOOST_AUTO_TEST_CASE(of_layers_in_both_ways_of_running_them) {
  Recurrent r = in_float64(recurrent<LSTM>(3, 4, {.layers = 2, .zoneout = {0.2, 0.6}}));
  const Variable x = random({5, 2, 3});
  const auto states = over_time(r, x);
  Recurrent::State s;
  for (Size t = 0; t < 5; ++t) {
    s = r.step(x[t], s);
    BOOST_TEST(distance(r.output(s), states.outputs()[t]) < 1e-14);
  }
  Recurrent one = in_float64(recurrent<LSTM>(3, 4, {.zoneout = {0.2, 0.6}}));
  auto by_step = [&](const Variable& xs) {
    Recurrent::State s;
    Variables y;
    for (Size t = 0; t < 5; ++t) y.push_back(one.output(s = one.step(xs[t], s)));
    return stack_along(y);
  };
  check_equal(run(one, x.value(), 3, by_step), run(one, x.value(), 3, [&](const Variable& xs) {
                return over_time(one, xs).outputs();
              }));
}

// Two values of the state that are one at the start are drawn for as two, in parts of a sequence
// too.
BOOST_AUTO_TEST_CASE(of_steps_that_are_computed_again) {
  ElmanOfOrder cell(3, 4, 3);
  cell.to(float64);
  auto recomputed = [&](Size every) {
    return run(cell, random({6, 2, 3}), 1, [&](const Variable& xs) {
      return over_time(cell, xs, {.recompute_every = every, .zoneout = {0.3}}).outputs();
    });
  };
  for (Size every : {1, 2, 4}) check_equal(recomputed(every), recomputed(0));
}

BOOST_AUTO_TEST_CASE(of_a_value_that_a_step_makes_first) {
  struct Late : Module {
    struct State {
      Variable h, late;
    };
    State zero_state(const Variable& x) const { return {zeros(x.shape()), {}}; }
    State step(const Variable& x, const State& s) const {
      return {x + s.h, s.late.empty() ? x : x + s.late};
    }
  } cell;
  const Array x = ones({3, 2, 50});
  Generator generator(1);
  Tape tape(generator);
  const auto states = over_time(cell, x, {.zoneout = {0.5}});
  BOOST_TEST(distance(states[0].late, x[0]) == 0);
  BOOST_TEST(distance(states[1].late, 2 * Variable(x[1])) > 0);
  BOOST_TEST(error_of([&] {
               over_time(cell, x, {.lengths = {3, 0}});
             }) ==
             "[Late] value 1 of the State is empty before step 0 and not after it; with padding it "
             "must be there from the start, in the zero_state or the initial state, and after each "
             "step.");
}

// What zero_state makes of the weights once a sequence it makes of those that are left.
BOOST_AUTO_TEST_CASE(drop_connect_before_the_start) {
  struct Rotating : Cell {
    using Cell::Cell;
    Parameter A = parameter("A", {hidden, hidden});
    struct State {
      Variable h, Q;
    };
    State zero_state(const Variable& x) const {
      return {zeros({x.size(0), hidden}, x.type()), A - transpose(A)};
    }
    State step(const Variable& x, const State& s) const { return {x + linear(s.h, s.Q), s.Q}; }
  };
  for (Size layers : {1, 2})
    for (Truncation t : {Truncation{}, Truncation{2}, Truncation{2, 4}}) {
      const Recurrent r = recurrent<Rotating>(3, 3, {.drop_connect = {"A"},
                                                     .drop_connect_probability = 1 - 1e-12,
                                                     .layers = layers});
      Generator generator(1);
      Tape tape(generator);
      const auto states = over_time(r, ones({7, 2, 3}), {.truncation = t});
      for (const CellState& cell : states.last().cells)
        BOOST_TEST(identical(cell.values()[1].value(), zeros({3, 3})));
    }
}

// A padded step keeps the state, whatever is drawn for it.
BOOST_AUTO_TEST_CASE(of_padded_batches) {
  LSTM cell(3, 4);
  cell.to(float64);
  const Array x = random({4, 2, 3});
  Generator generator(1);
  Tape tape(generator);
  const auto states = over_time(cell, x, {.lengths = {4, 2}, .zoneout = {0.5}});
  for (Size t : {2, 3}) BOOST_TEST(distance(states[t].c[1], states[1].c[1]) == 0);
  BOOST_TEST(distance(states[3].c[0], states[1].c[0]) > 0);
}

BOOST_AUTO_TEST_CASE(mistakes) {
  LSTM cell(3, 4);
  const Array x = zeros({2, 1, 3});
  auto message = [&](std::vector<double> p) {
    return error_of([&] { over_time(cell, x, {.zoneout = p}); });
  };
  BOOST_TEST(message({0.1, 0.1, 0.1}) ==
             "[LSTM] zoneout has 3 probabilities, the State 2 values; expected one for all, or one "
             "each.");
  BOOST_TEST(message({1}) == "[LSTM] zoneout is 1; expected 0 <= p < 1.");
  BOOST_TEST(error_of([] {
               recurrent<LSTM>(3, 4, {.zoneout = {0.1, -1}});
             }) == "[recurrent] zoneout is -1; expected 0 <= p < 1.");
  Tape tape;
  BOOST_TEST(message({0.1}) ==
             "[LSTM] zoneout: the tape has no generator; make it with Tape tape(generator), "
             "or give parallel_backward {.generator = &generator}.");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(drop_connect)

BOOST_AUTO_TEST_CASE(one_mask_for_all_steps_and_outputs) {
  MyCell cell(3, 4);
  cell.to(float64);
  Recurrent r = recurrent<MyCell>(3, 4, {.drop_connect = {"U"}, .drop_connect_probability = 0.4});
  r.to(float64);
  for (std::size_t k = 0; k < 2; ++k) r.parameters()[k].assign(cell.parameters()[k].value());
  const Array x = random({5, 2, 3});
  auto by_hand = [&](const Variable& xs) {
    const Variable u = dropout(cell.U, 0.4);
    MyCell::State s = initial_state(cell, xs[0]);
    Variables y;
    for (Size t = 0; t < 5; ++t) {
      s = cell.step_with(u, xs[t], s);
      y.push_back(cell.output_with(u, s));
    }
    return stack_along(y);
  };
  auto with_option = [&](const Variable& xs) { return over_time(r, xs).outputs(); };
  for (std::uint64_t seed : {1, 2, 3})
    check_equal(run(r, x, seed, with_option), run(cell, x, seed, by_hand));
  BOOST_TEST(!identical(run(r, x, 1, with_option)[0], run(r, x, 2, with_option)[0]));
  BOOST_TEST(distance(over_time(r, x).outputs(), over_time(cell, x).outputs()) == 0);
}

// The products of inputs, shared by all steps, and the fused gates read the same weights.
BOOST_AUTO_TEST_CASE(of_built_in_cells_in_both_directions) {
  Recurrent r = recurrent<GRU>(3, 4, {.bidirectional = true, .drop_connect = {"W", "U", "b"}});
  r.to(float64);
  for (Parameter p : r.parameters()) p.assign(random(p.shape(), 7));
  GRU f(3, 4), b(3, 4);
  f.to(float64);
  b.to(float64);
  const Array x = random({5, 2, 3});
  Array expected;
  Generator generator(4);
  for (GRU* cell : {&f, &b}) {
    std::size_t k = cell == &f ? 0 : 4;
    for (const NamedParameter& p : cell->named_parameters()) {
      Parameter to = p.parameter;
      to.assign(r.parameters()[k++].value());
    }
    for (Parameter p : {cell->W, cell->U, cell->b}) p.assign(dropout(p, 0.5, generator).value());
  }
  Generator again(4);
  Tape tape(again);
  BOOST_TEST(distance(over_time(r, x).outputs(),
                      concat({over_time(f, x).outputs(),
                              over_time(b, x, {.reverse = true}).outputs()})) < 1e-14);
}

BOOST_AUTO_TEST_CASE(two_threads_draw_for_themselves) {
  Recurrent r = in_float64(recurrent<LSTM>(3, 4, {.drop_connect = {"U"}, .layers = 2}));
  const Array x = random({20, 2, 3});
  auto outputs = [&](const Variable& xs) { return over_time(r, xs).outputs(); };
  const auto first = run(r, x, 1, outputs), second = run(r, x, 2, outputs);
  std::vector<Array> here, there;
  std::thread other([&] { there = run(r, x, 2, outputs); });
  here = run(r, x, 1, outputs);
  other.join();
  check_equal(here, first);
  check_equal(there, second);
}

BOOST_AUTO_TEST_CASE(weights_are_back_after_an_error) {
  Recurrent r = in_float64(recurrent<Elman>(3, 4, {.drop_connect = {"U"}}));
  const Array x = random({3, 2, 3});
  const Array before = over_time(r, x).outputs().value();
  Generator generator(1);
  Tape tape(generator);
  BOOST_TEST(error_of([&] { over_time(r, random({3, 2, 5})); }).starts_with("[affine]"));
  BOOST_TEST(identical(no_grad([&] { return over_time(r, x).outputs(); }).value(), before));
}

BOOST_AUTO_TEST_CASE(mistakes) {
  BOOST_TEST(error_of([] { recurrent<LSTM>(3, 4, {.drop_connect = {"V"}}); }) ==
             "[recurrent] drop_connect: a cell has no Parameter V; it has W, U, b.");
  BOOST_TEST(error_of([] {
               recurrent<LSTM>(3, 4, {.drop_connect = {"U"}, .drop_connect_probability = 1});
             }) == "[recurrent] drop_connect_probability is 1; expected 0 <= p < 1.");
  Recurrent r = recurrent<LSTM>(3, 4, {.drop_connect = {"U"}});
  const Array x = zeros({2, 1, 3});
  {
    Generator generator(1);
    Tape tape(generator);
    BOOST_TEST(error_of([&] { r.step(x[0], {}); }).starts_with("[recurrent] DropConnect draws"));
  }
  r.step(x[0], {});
  Tape tape;
  BOOST_TEST(error_of([&] { over_time(r, x); }).starts_with("[dropout] the tape has no generator"));
}

BOOST_AUTO_TEST_SUITE_END()
