// Optimisers: first steps against closed forms, who is updated and who is not. Golden group `optim`
// has PyTorch's numbers over many steps.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <unroll/autograd/denormals.hpp>

#include "optimisers.hpp"

using namespace unroll;
namespace data = boost::unit_test::data;

namespace {

Parameter parameter(const Array& value, const char* name = "w") { return Parameter(name, value); }

std::vector<double> numbers(const Variable& x) { return x.value().to_vector<double>(); }

/// A gradient that differs from element to element and step to step.
Array gradient(const Shape& shape, int step, Type type) {
  Array a(shape, float64);
  for (Size i = 0; i < a.size(); ++i)
    a.mutable_data<double>()[i] = std::sin(1.3 * static_cast<double>(i) + 0.7 * step);
  return a.to(type);
}

void run(Optimiser& optimiser, int from, int to) {
  for (int step = from; step < to; ++step) {
    for (const Parameter& p : optimiser.parameters())
      p.set_grad(gradient(p.shape(), step, p.type()));
    optimiser.step();
  }
}

/// The change of w = 2 by the first step with gradient g.
double first_step(const std::string& name, double g) {
  const double size = std::abs(g), eps = 1e-8;
  if (name == "SGD") return 0.5 * g;
  if (name == "SGD momentum") return 0.1 * g;
  if (name == "SGD nesterov") return 0.1 * (g + 0.9 * g);
  if (name == "Adagrad") return 0.1 * g / (size + 1e-10);
  if (name == "RMSprop") return 0.01 * g / (std::sqrt(0.01) * size + eps);
  if (name == "RMSprop centered") return 0.005 * g / (std::sqrt(0.01 - 0.0001) * size + eps);
  if (name == "AdamW") return 0.02 * g / (size + eps) + 2 * 0.02 * 1e-4;
  if (name == "Adadelta") return g * std::sqrt(1e-6) / std::sqrt(0.1 * g * g + 1e-6);
  if (name == "RAdam") return 0.02 * g;
  if (name == "NAdam") {
    const double now = 0.9 * (1 - 0.5 * std::pow(0.96, 0.004));
    const double next = 0.9 * (1 - 0.5 * std::pow(0.96, 0.008));
    return 0.02 * (g + 0.1 * g * next / (1 - now * now * next)) / (size + eps);
  }
  return 0.02 * g / (size + eps);  // Adam, Adam amsgrad, Adamax
}

struct Layer : Module {
  Parameter W = parameter("W", {2, 2}), b = parameter("b", {2}, init::zeros);
};

}  // namespace

// Two copies would apply one gradient twice, and a moved one would hold Parameters that are
// elsewhere.
static_assert(!std::is_copy_constructible_v<Adam> && !std::is_move_constructible_v<Adam>);

BOOST_AUTO_TEST_SUITE(optimiser)

// ---- the updates ----

BOOST_DATA_TEST_CASE(first_step_in_closed_form, data::make(all_optimisers()), o) {
  for (Type type : {float32, float64}) {
    const double tolerance = type == float32 ? 1e-6 : 1e-13;
    for (double g : {3., -0.25, 1e-3}) {
      Parameter w = parameter(full({37}, 2, type));  // not a multiple of any number of lanes
      auto optimiser = o.make(w);
      w.set_grad(full({37}, g, type));
      optimiser->step();
      const double expected = 2 - first_step(o.name, g);
      BOOST_TEST(w.value().at({0}) == expected, boost::test_tools::tolerance(tolerance));
      for (double x : numbers(w)) BOOST_TEST(x == w.value().at({0}));  // wherever it lies
    }
  }
}

BOOST_DATA_TEST_CASE(float32_follows_float64, data::make(all_optimisers()), o) {
  Parameter a = parameter(gradient({5, 7}, 99, float64)), b = parameter(a.value().to(float32));
  auto first = o.make(a), second = o.make(b);
  run(*first, 0, 30);
  run(*second, 0, 30);
  std::vector<double> x = numbers(a), y = numbers(b);
  for (std::size_t k = 0; k < x.size(); ++k) BOOST_TEST(std::abs(x[k] - y[k]) < 2e-5);
}

BOOST_DATA_TEST_CASE(nan_is_not_swallowed, data::make(all_optimisers()), o) {
  Parameter w = parameter(values({1, 1, 1}, float64));
  auto optimiser = o.make(w);
  run(*optimiser, 0, 2);
  w.set_grad(values({0.5, std::nan(""), 0.5}, float64));
  optimiser->step();
  BOOST_TEST(std::isfinite(w.value().at({0})));
  BOOST_TEST(std::isnan(w.value().at({1})));
  BOOST_TEST(std::isfinite(w.value().at({2})));
}

BOOST_AUTO_TEST_CASE(defaults_are_pytorchs) {
  Parameter w = parameter(zeros({1}));
  BOOST_TEST(SGD(w).learning_rate() == 1e-3);
  BOOST_TEST(Adagrad(w).learning_rate() == 1e-2);
  BOOST_TEST(RMSprop(w).learning_rate() == 1e-2);
  BOOST_TEST(Adam(w).learning_rate() == 1e-3);
  BOOST_TEST(AdamW(w).learning_rate() == 1e-3);
  BOOST_TEST(Adamax(w).learning_rate() == 2e-3);
  BOOST_TEST(Adadelta(w).learning_rate() == 1);
  BOOST_TEST(NAdam(w).learning_rate() == 2e-3);
  BOOST_TEST(RAdam(w).learning_rate() == 1e-3);
  BOOST_TEST(AdamWOptions().weight_decay == 1e-2);
}

// The variance of a constant gradient is 0, and rounding takes it below.
BOOST_AUTO_TEST_CASE(centered_rmsprop_of_a_constant_gradient) {
  Parameter w = parameter(zeros({9}));
  RMSprop optimiser(w, {.alpha = 0.5, .centered = true, .learning_rate = 1e-12});
  for (int k = 0; k < 200; ++k) {
    Array g(Shape{9}, float32);
    for (Size i = 0; i < 9; ++i) g.mutable_data<float>()[i] = 0.1f + 0.37f * static_cast<float>(i);
    w.set_grad(g);
    optimiser.step();
  }
  for (double x : numbers(w)) BOOST_TEST(std::isfinite(x));
}

BOOST_AUTO_TEST_CASE(empty_and_scalar_parameters) {
  Parameter none = parameter(zeros({0, 3}), "none"), one = parameter(full({}, 2, float64), "one");
  SGD optimiser({none, one}, {.learning_rate = 0.5, .momentum = 0.9});
  none.set_grad(zeros({0, 3}));
  one.set_grad(full({}, 1, float64));
  optimiser.step();
  BOOST_TEST(one.item() == 1.5);
}

BOOST_AUTO_TEST_CASE(strided_gradient) {
  Parameter w = parameter(zeros({2, 2}));
  SGD optimiser(w, {.learning_rate = 1});
  w.data().gradient = Record::make(values({{1, 2}, {3, 4}}).transposed());
  optimiser.step();
  BOOST_TEST(numbers(w) == (std::vector<double>{-1, -3, -2, -4}));
  w.data().gradient = Record::make(values({10, 20}).broadcast_to({2, 2}));
  optimiser.step();
  BOOST_TEST(numbers(w) == (std::vector<double>{-11, -23, -12, -24}));
}

// ---- who is updated ----

BOOST_AUTO_TEST_CASE(step_applies_and_clears) {
  Parameter w = parameter(values({1, 2}, float64));
  SGD optimiser(w, {.learning_rate = 0.5});
  w.set_grad(values({1, -1}, float64));
  optimiser.step();
  BOOST_TEST(numbers(w) == (std::vector<double>{0.5, 2.5}));
  BOOST_TEST(w.grad().empty());
  optimiser.step();  // nothing to apply
  BOOST_TEST(numbers(w) == (std::vector<double>{0.5, 2.5}));
  w.set_grad(values({1, -1}, float64));
  optimiser.zero_grad();
  BOOST_TEST(w.grad().empty());
}

BOOST_AUTO_TEST_CASE(without_gradient_nothing_moves_and_no_time_passes) {
  Parameter a = parameter(values({2}, float64), "a"), b = parameter(values({2}, float64), "b");
  Adam optimiser({a, b}, {.learning_rate = 0.02});
  for (int k = 0; k < 5; ++k) {
    a.set_grad(values({1}, float64));
    optimiser.step();
  }
  BOOST_TEST(b.item() == 2);
  b.set_grad(values({-0.25}, float64));
  optimiser.step();  // the first update of b, so the bias correction is that of t = 1
  BOOST_TEST(b.item() == 2 + 0.02, boost::test_tools::tolerance(1e-9));
}

// A word that does not come up leaves moments that fade; denormal ones would be slow for ever.
BOOST_AUTO_TEST_CASE(moments_fade_to_zero) {
  Layer layer;
  auto optimiser = SGD(layer, {.learning_rate = 0.1, .momentum = 0.9});
  for (int step = 0; step < 100; ++step) {
    for (const Parameter& p : optimiser.parameters())
      p.set_grad(full(p.shape(), step == 0 ? 1e-37 : 0.0, p.type()));
    optimiser.step();
  }
  int moments = 0;
  for (const auto& [name, array] : optimiser.state())
    if (array.type() == float32 && ++moments)
      for (float moment : array.to_vector<float>())
        BOOST_TEST((FlushDenormals::kWorks ? moment == 0 : moment > 0));
  BOOST_TEST(moments == 2);
}

BOOST_AUTO_TEST_CASE(frozen_parameters_do_not_move) {
  Parameter a = parameter(values({2}), "a"), b = parameter(values({2}), "b");
  SGD optimiser({a, b}, {.learning_rate = 1});
  a.set_grad(values({1}));
  b.set_grad(values({1}));
  freeze(b);
  optimiser.step();
  BOOST_TEST(a.item() == 1);
  BOOST_TEST(b.item() == 2);
  unfreeze(b);
  optimiser.step();  // the gradient from before is not applied late
  BOOST_TEST(b.item() == 2);
}

BOOST_AUTO_TEST_CASE(takes_modules_and_lists) {
  Layer net, other;
  Parameter lone = parameter(zeros({3}), "lone");
  BOOST_TEST(Adam(net).parameters().size() == 2);
  BOOST_TEST(Adam({net, other}, {.learning_rate = 1e-3}).parameters().size() == 4);
  Adam without_options({net, other});
  BOOST_TEST(without_options.parameters().size() == 4);
  BOOST_TEST(Adam({net, lone}).parameters().size() == 3);
  BOOST_TEST(Adam(lone).parameters().size() == 1);
  BOOST_TEST(Adam({net}).parameters().size() == 2);
  BOOST_TEST(SGD({lone}, {.learning_rate = 1}).parameters().size() == 1);
  BOOST_TEST(Adam(net.parameters(), {}).parameters().size() == 2);
}

BOOST_AUTO_TEST_CASE(a_parameter_given_twice_is_updated_once) {
  Parameter w = parameter(values({1}));
  SGD optimiser({w, w, w}, {.learning_rate = 0.25});
  w.set_grad(values({1}));
  optimiser.step();
  BOOST_TEST(w.item() == 0.75);
}

BOOST_AUTO_TEST_CASE(a_module_may_move_while_it_is_optimised) {
  Layer net;
  SGD optimiser(net, {.learning_rate = 1});
  Layer moved = std::move(net);
  moved.b.set_grad(values({1, 2}));
  optimiser.step();
  BOOST_TEST(numbers(moved.b) == (std::vector<double>{-1, -2}));
}

BOOST_AUTO_TEST_CASE(an_own_optimiser) {
  struct SignDescent : Optimiser {
    explicit SignDescent(const ParameterList& p) : Optimiser("sign_descent", p, 0.5, {{"steps"}}) {}
    void update(const Update& u) override {
      for (Size i = 0; i < u.value.size(); ++i) {
        float g = u.gradient.data<float>()[i];
        u.value.mutable_data<float>()[i] -=
            static_cast<float>(learning_rate()) * (g > 0 ? 1.f : -1.f);
        u.buffers[0].mutable_data<float>()[i] += 1;
      }
    }
  };
  Parameter w = parameter(values({1, 1}));
  SignDescent optimiser(w);
  for (int k = 0; k < 2; ++k) {
    w.set_grad(values({7, -7}));
    optimiser.step();
  }
  BOOST_TEST(numbers(w) == (std::vector<double>{0, 2}));
  BOOST_TEST(optimiser.state().at("0.w.steps").at({1}) == 2);
}

BOOST_AUTO_TEST_SUITE_END()
