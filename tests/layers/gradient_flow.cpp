// Gradients by time step, against watched states and against weights taken apart by hand.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

template <class C>
C in_float64(C cell) {
  cell.to(float64);
  return cell;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gradient_flow)

// h' = a h + x: dL/dh_t = a^(T - 1 - t) for L = h_T.
BOOST_AUTO_TEST_CASE(norms_shrink_or_grow_geometrically) {
  struct Decay : Cell {
    explicit Decay(double a) : Cell(1, 1), a(a) {}
    double a;
    struct State {
      Variable h;
    };
    State step(const Variable& x, const State& s) const { return {a * s.h + x}; }
  };
  for (double a : {0.5, 2.0}) {
    Decay cell(a);
    Tape tape;
    const auto states = over_time(cell, tape.watch(random({6, 1, 1})));
    const auto norms = gradient_norms(sum(states.last().h), states);
    BOOST_TEST(norms.h.shape() == Shape({6}));
    for (Size t = 0; t < 6; ++t)
      BOOST_TEST(norms.h.value().at({t}) == std::pow(a, double(5 - t)),
                 boost::test_tools::tolerance(1e-14));
  }
}

BOOST_AUTO_TEST_CASE(norms_are_those_of_the_states_gradients) {
  LSTM cell = in_float64(LSTM(3, 4));
  Tape tape;
  const auto states = over_time(cell, random({5, 2, 3}), {.lengths = {5, 3}});
  const Variable loss = sum(square(states.outputs())) + sum(states.last().c);
  const LSTM::State norms = gradient_norms(loss, states);
  for (Size t = 0; t < 5; ++t) {
    const Variables g = grad(loss, {states[t].h, states[t].c}, {.retain_graph = true});
    BOOST_TEST(norms.h.value().at({t}) == norm(g[0]).item(), boost::test_tools::tolerance(1e-14));
    BOOST_TEST(norms.c.value().at({t}) == norm(g[1]).item(), boost::test_tools::tolerance(1e-14));
  }
  tape.backward(loss);  // the graph is still there
}

BOOST_AUTO_TEST_CASE(norms_of_layers) {
  Recurrent r = in_float64(recurrent<GRU>(3, 4, {.bidirectional = true, .layers = 2}));
  Tape tape;
  const auto states = over_time(r, random({4, 2, 3}));
  const Variable loss = sum(square(states.outputs()));
  const Recurrent::State norms = gradient_norms(loss, states);
  BOOST_TEST(norms.cells.size() == 4u);
  const Variable h = states[1].cells[2].values()[0];
  BOOST_TEST(norms.cells[2].values()[0].value().at({1}) ==
                 norm(grad(loss, h, {.retain_graph = true})).item(),
             boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(norms_can_be_differentiated) {
  Elman cell = in_float64(Elman(3, 4));
  BOOST_TEST(gradcheck(
      [&](auto& x) {
        const auto states = over_time(cell, x);
        return gradient_norms(sum(square(states.last().h)), states, {.create_graph = true}).h;
      },
      {{4, 2, 3}}, {.parameters = cell}));
}

BOOST_AUTO_TEST_CASE(norms_where_nothing_depends) {
  Elman cell = in_float64(Elman(3, 4));
  Tape tape;
  const auto states = over_time(cell, random({3, 1, 3}), {.mask = values({0, 1, 1}).expanded(1)});
  const Variable norms = gradient_norms(sum(square(states[1].h)), states).h;
  BOOST_TEST(norms.value().at({0}) == 0);  // still the start, a constant
  BOOST_TEST(norms.value().at({1}) > 0);
  BOOST_TEST(norms.value().at({2}) == 0);
  const auto none = over_time(cell, zeros({0, 1, 3}, float64));
  BOOST_TEST(gradient_norms(sum(square(states[1].h)), none).h.shape() == Shape({0}));
  const auto last = over_time(cell, random({3, 1, 3}), {.keep_states = false});
  BOOST_TEST(error_of([&] {
               gradient_norms(sum(last.last().h), last);
             }).starts_with("[Elman] its states were not kept"));
}

// Gradients of later windows go through states that nobody sees.
BOOST_AUTO_TEST_CASE(no_norms_of_steps_that_a_truncation_runs_again) {
  const Elman cell = in_float64(Elman(3, 4));
  const Recurrent r = in_float64(recurrent<Elman>(3, 4, {.layers = 2}));
  Tape tape;
  auto message = [&](const auto& net, Truncation t) {
    const auto states = over_time(net, random({3, 1, 3}), {.truncation = t});
    return error_of([&] { gradient_norms(sum(states.outputs()), states); });
  };
  const std::string expected =
      "[gradient_norms] truncation with k2 > k1 has run steps again, so that gradients pass by the "
      "states kept; expected k2 = k1.";
  BOOST_TEST(message(cell, {1, 2}) == expected);
  BOOST_TEST(message(r, {1, 2}) == expected);
  for (Truncation t : {Truncation{1}, Truncation{3, 5}}) {
    BOOST_TEST(message(cell, t) == "");
    BOOST_TEST(message(r, t) == "");
  }
}

// Against a cell whose weights are rows of watched sequences.
BOOST_AUTO_TEST_CASE(steps_sum_up_to_the_gradient) {
  GRU cell = in_float64(GRU(3, 4));
  const Array x = random({5, 2, 3});
  for (bool reverse : {false, true}) {
    Tape tape;
    GradientByStep by_step({cell.W, cell.U, cell.b});
    const Variable y = over_time(cell, x, {.reverse = reverse}).outputs();
    const Variable loss = sum(square(y));
    const auto g = by_step.gradients(loss);
    const Variables whole = grad(loss, {cell.W, cell.U, cell.b}, {.retain_graph = true});
    for (std::size_t k = 0; k < 3; ++k) {
      BOOST_TEST(g[k].size(0) == 5);
      BOOST_TEST(distance(sum(g[k], {.axes = {0}}), whole[k]) < 1e-13);
      BOOST_TEST(distance(5 * mean(g[k], {.axes = {0}}), whole[k]) < 1e-13);
    }
    GRU::State s = initial_state(cell, x[0]);
    Variables weights, outputs;
    for (Size k = 0; k < 5; ++k) {
      const Size t = reverse ? 4 - k : k;
      weights.push_back(tape.watch(cell.U.value()));
      Substitution one(cell.U, weights.back());
      s = cell.step(x[t], s);
      outputs.push_back(s.h);
    }
    const Variables apart = grad(sum(square(stack_along(outputs))), weights);
    for (Size k = 0; k < 5; ++k)
      BOOST_TEST(distance(g[1][reverse ? 4 - k : k], apart[std::size_t(k)]) < 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(steps_of_layers_and_of_padding) {
  Recurrent r = in_float64(recurrent<LSTM>(3, 4, {.bidirectional = true, .layers = 2}));
  Tape tape;
  GradientByStep by_step(r);
  const auto states = over_time(r, random({4, 2, 3}), {.lengths = {3, 2}});
  const Variable loss = sum(square(states.outputs()));
  const auto g = by_step.gradients(loss);
  BOOST_TEST(g[0].size(0) == 3);  // no sequence reaches step 3
  const Variables whole = grad(loss, r);
  for (std::size_t k = 0; k < g.size(); ++k)
    BOOST_TEST(distance(sum(g[k], {.axes = {0}}), whole[k]) < 1e-13);
}

BOOST_AUTO_TEST_CASE(steps_can_be_differentiated) {
  Elman cell = in_float64(Elman(3, 4));
  BOOST_TEST(gradcheck(
      [&](auto& x) {
        GradientByStep by_step(cell.U);
        const Variable y = over_time(cell, x).outputs();
        return by_step.gradients(sum(square(y)), {.create_graph = true})[0];
      },
      {{4, 2, 3}}, {.parameters = cell}));
}

BOOST_AUTO_TEST_CASE(outside_of_its_tape_and_steps) {
  Elman cell = in_float64(Elman(3, 4));
  BOOST_TEST(error_of([&] { GradientByStep by_step(cell.U); }) ==
             "[gradient_by_step] no tape is recording; make one (`Tape tape;`) before it.");
  Tape tape;
  GradientByStep by_step(cell.U);
  const Variable y = linear(random({2, 4}), cell.U);
  const Variable loss = sum(square(y)) + sum(square(over_time(cell, random({2, 2, 3})).outputs()));
  const auto g = by_step.gradients(loss);
  const Variable outside = grad(sum(square(y)), cell.U, {.retain_graph = true});
  BOOST_TEST(distance(sum(g[0], {.axes = {0}}) + outside, grad(loss, cell.U)) < 1e-13);
}

BOOST_AUTO_TEST_SUITE_END()
