// gradcheck of cells and modules: what it accepts, and that it catches planted mistakes.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/autograd/differentiable.hpp>
#include <unroll/layers/cells/elman.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/layer_norm.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>

using namespace unroll;

namespace {

// tanh with a gradient that is wrong where y > 0.3.
Variable wrong_tanh(const Variable& x) {
  return differentiable(
      "wrong_tanh", [](const Variable& x) { return tanh(x); },
      [](const Variable& dy, const Variable& y, const Variable&) {
        return where(y > 0.3, dy, dy * (1 - y * y));
      },
      x);
}
// tanh with the right gradient, made in a way whose own gradient is wrong.
Variable wrong_second_tanh(const Variable& x) {
  return differentiable(
      "wrong_second_tanh", [](const Variable& x) { return tanh(x); },
      [](const Variable& dy, const Variable& y, const Variable&) {
        return dy * (1 - y * stop_gradient(y));
      },
      x);
}

struct Hiding : Cell {
  using Cell::Cell;
  Elman inner = Elman(in, hidden);  // submodule(...) forgotten
  using State = Elman::State;
  State step(const Variable& x, const State& s) const { return inner.step(x, s); }
};

// Ignores what the caller passes and draws by itself.
struct Noisy : Cell {
  using Cell::Cell;
  mutable Generator generator{1};
  Parameter W = parameter("W", {hidden, in});
  struct State {
    Variable h;
  };
  State step(const Variable& x, const State&) const {
    return {tanh(linear(x, W)) + normal({x.size(0), hidden}, generator)};
  }
};

struct TwoInputs : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), table = parameter("table", {5, hidden});
  struct Input {
    Variable x, word;
  };
  struct State {
    Variable h, count;
    int t = 0;
  };
  State zero_state(const Input& in) const {
    return {zeros({in.x.size(0), hidden}), Array(Shape{in.x.size(0)}, int64)};
  }
  State step(const Input& in, const State& s) const {
    return {tanh(linear(in.x, W) + embedding(table, in.word) + s.h), s.count, s.t + 1};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gradcheck_)

BOOST_AUTO_TEST_CASE(parameters_are_as_before) {
  Elman cell(3, 4);
  Array before = cell.W.value().copy();
  BOOST_TEST(gradcheck(cell));
  BOOST_TEST(identical(cell.W.value(), before));
  BOOST_TEST(cell.W.grad().empty());
}

BOOST_AUTO_TEST_CASE(modules_recurrents_and_structs) {
  BOOST_TEST(gradcheck(Linear(3, 4), {{2, 3}}, {.order = 2}));
  BOOST_TEST(gradcheck(LayerNorm(5), {{3, 5}}, {.order = 2}));
  BOOST_TEST(gradcheck(recurrent<LSTM>(2, 3, {.bidirectional = true, .layers = 2}),
                       zeros({3, 2, 2}), {.lengths = {3, 2}, .order = 2}));
  BOOST_TEST(gradcheck(TwoInputs(3, 4),
                       {ones({3, 2, 3}), values(std::vector<Size>{0, 1, 2, 3, 4, 0}, {3, 2})},
                       {.order = 2}));
}

// The check is in float64, the cell is not.
BOOST_AUTO_TEST_CASE(a_start_made_of_parameters) {
  struct Starting : Cell {
    using Cell::Cell;
    Parameter U = parameter("U", {hidden, hidden}), S = parameter("S", {hidden, in});
    struct State {
      Variable h;
    };
    State zero_state(const Variable& x) const { return {linear(x, S)}; }
    State step(const Variable& x, const State& s) const {
      return {tanh(linear(s.h, U) + sum(x, {.axes = {1}, .keepdims = true}))};
    }
  };
  BOOST_TEST(gradcheck(Starting(3, 4), {.order = 2}));
  BOOST_TEST(gradcheck(recurrent<GRU>(3, 3, {.layers = 2, .skip = Skip::highway}),
                       ones({3, 2, 3}, float64)));
}

// Where random numbers would not do: a value that is a logarithm's, a memory that somebody gives.
BOOST_AUTO_TEST_CASE(a_start_of_given_values) {
  struct Reading : Cell {
    using Cell::Cell;
    struct State {
      Variable h, memory;
    };
    State step(const Variable& x, const State& s) const {
      return {x * log(s.h) + sum(s.memory, {.axes = {1}}), s.memory};
    }
  };
  const Reading cell(3, 3);
  CellCheckOptions options{.order = 2, .steps = 1};
  options.initial = {full({2, 3}, 2, float64), random({2, 5, 3})};
  BOOST_TEST(gradcheck(cell, options));
  options.initial = {options.initial[0], {}};
  BOOST_TEST(error_of([&] { gradcheck(cell, options); }).starts_with("[add]"));
  options.initial = {options.initial[0]};
  BOOST_TEST(error_of([&] { gradcheck(cell, options); }) ==
             "[Reading] gradcheck has 1 values for its initial state, which has 2; expected one "
             "each, empty where it is to be random.");
}

BOOST_AUTO_TEST_CASE(a_wrong_gradient_is_caught_and_named) {
  Elman cell(3, 4, {.activation = wrong_tanh});
  CheckReport report = gradcheck(cell, {.steps = 6});
  BOOST_TEST(!report);
  BOOST_TEST(report.order == 1);
  BOOST_TEST(report.suspect == "wrong_tanh", report.text());
  BOOST_TEST(report.step >= 0);
  BOOST_TEST(report.step < 6);
}

BOOST_AUTO_TEST_CASE(a_wrong_second_gradient_is_caught_and_named) {
  Elman cell(3, 4, {.activation = wrong_second_tanh});
  BOOST_TEST(gradcheck(cell, {.steps = 3}));
  CheckReport report = gradcheck(cell, {.order = 2, .steps = 3});
  BOOST_TEST(!report);
  BOOST_TEST(report.order == 2);
  BOOST_TEST(report.text().find("wrong_second_tanh") != std::string::npos, report.text());
}

BOOST_AUTO_TEST_CASE(forgotten_submodules_are_named) {
  Hiding cell(3, 4);
  CheckReport report = gradcheck(cell);
  BOOST_TEST(!report);
  BOOST_TEST(
      report.text() ==
      "gradcheck failed: Parameters are used that the module has not registered: W (4, 3), U (4, "
      "4), b (4,); they would be neither trained nor saved. Wrap the module they belong to in "
      "submodule(\"name\", ...), declare them with parameter(...), or freeze them.");
  BOOST_TEST(!gradcheck([&](auto& x) { return over_time(cell, x).outputs(); }, {{3, 2, 3}},
                        {.parameters = cell}));
  freeze(cell.inner);
  BOOST_TEST(gradcheck(cell));
}

BOOST_AUTO_TEST_CASE(a_cell_that_does_not_repeat_is_reported) {
  CheckReport report = gradcheck(Noisy(3, 4));
  BOOST_TEST(!report);
  BOOST_TEST(report.text().find("does not repeat") != std::string::npos, report.text());
}

BOOST_AUTO_TEST_CASE(parameters_are_named_by_their_path) {
  struct Net : Cell {
    using Cell::Cell;
    Elman inner = submodule("inner", Elman(in, hidden));
    struct State {
      Elman::State s;
    };
    State step(const Variable& x, const State& s) const {
      return {{inner.step(x, s.s).h + 0 * inner.U[0]}};
    }
    // Wrong by one Parameter only.
    Variable output(const State& s) const {
      return differentiable(
          "lossy", [](const Variable& h, const Variable& b) { return h * b; },
          [](const Variable& dy, const Variable&, const Variable& h, const Variable& b) {
            return std::tuple(dy * b, 2 * dy * h);
          },
          s.s.h, static_cast<const Variable&>(inner.b));
    }
  } net(3, 4);
  net.inner.b.mutable_value().fill(0.5);
  CheckReport report = gradcheck(net);
  BOOST_TEST(!report);
  BOOST_TEST(report.where == "inner.b", report.text());
  BOOST_TEST(report.suspect == "lossy");
}

// The culprit is found by moving a Parameter that other ops on the path use as well.
BOOST_AUTO_TEST_CASE(a_wrong_second_gradient_by_a_parameter_is_caught_and_named) {
  struct Scaled : Cell {
    using Cell::Cell;
    Parameter W = parameter("W", {hidden, in}), scale = parameter("scale", {hidden});
    struct State {
      Variable h;
    };
    State step(const Variable& x, const State& s) const {
      Variable y = differentiable(
          "cubed", [](const Variable& h, const Variable& a) { return h * a * a * a; },
          [](const Variable& dy, const Variable&, const Variable& h, const Variable& a) {
            return std::tuple(dy * a * a * a, 3 * dy * h * a * stop_gradient(a));
          },
          linear(x, W) * scale, static_cast<const Variable&>(scale));
      return {tanh(y + s.h)};
    }
  } cell(3, 4);
  BOOST_TEST(gradcheck(cell));
  CheckReport report = gradcheck(cell, {.order = 2});
  BOOST_TEST(!report);
  BOOST_TEST(report.where == "scale", report.text());
  BOOST_TEST(report.suspect == "cubed", report.text());
}

BOOST_AUTO_TEST_SUITE_END()
