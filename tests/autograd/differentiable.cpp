// Functions with gradients of one's own: one or several inputs and results, any order, broadcasting.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/gradcheck.hpp>

#include "errors.hpp"
#include "small_ops.hpp"

using namespace unroll;

namespace {

Variable cube(const Variable& x) {
  return differentiable("cube",
    [](const Variable& x) { return small::mul(small::square(x), x); },
    [](const Variable& dy, const Variable&, const Variable& x) {
      return small::scale(small::mul(dy, small::square(x)), 3);
    }, x);
}
Variable quotient(const Variable& a, const Variable& b) {
  return differentiable("quotient",
    [](const Variable& a, const Variable& b) { return small::mul(a, small::reciprocal(b)); },
    [](const Variable& dy, const Variable& y, const Variable&, const Variable& b) {
      Variable share = small::mul(dy, small::reciprocal(b));
      return std::tuple(share, small::scale(small::mul(share, y), -1));
    }, a, b);
}
std::tuple<Variable, Variable> polar(const Variable& r, const Variable& angle) {
  return differentiable("polar",
    [](const Variable& r, const Variable& angle) {
      std::vector<Variable> sc = small::sin_cos(angle);
      return std::tuple(small::mul(r, sc[1]), small::mul(r, sc[0]));
    },
    [](const auto& dy, const auto& y, const Variable&, const Variable& angle) {
      std::vector<Variable> sc = small::sin_cos(angle);
      return std::tuple(add(small::mul(dy[0], sc[1]), small::mul(dy[1], sc[0])),
                        small::sub(small::mul(dy[1], y[0]), small::mul(dy[0], y[1])));
    }, r, angle);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(own_gradients)

BOOST_AUTO_TEST_CASE(checked_to_second_order) {
  BOOST_TEST(gradcheck(cube, {{3, 2}}, {.order = 2}));
  BOOST_TEST(gradcheck(quotient, {{3, 2}, values({{1, 2}, {-1, .5}, {3, 4}})}, {.order = 2}));
  BOOST_TEST(gradcheck(polar, {{3}, {3}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& a, auto& b) { return std::get<1>(polar(a, b)); }, {{3}, {3}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(third_order) {
  Tape tape;
  Variable x = tape.watch(full({}, 2, float64)), y = cube(x);
  BOOST_TEST(y.item() == 8);
  BOOST_TEST(tape.nodes() == 1);  // what the value function calls leaves nothing
  for (double expected : {12, 12, 6}) {
    y = grad(y, x, {.create_graph = true});
    BOOST_TEST(y.item() == expected);
  }
}

BOOST_AUTO_TEST_CASE(broadcast_inputs_and_constants) {
  Tape tape;
  Variable a = tape.watch(values({{1, 2}, {3, 4}}));
  Variable b = tape.watch(full({}, 2));
  tape.backward(small::sum(quotient(a, b)));
  BOOST_TEST(identical(a.grad().value(), full({2, 2}, 0.5)));
  BOOST_TEST(b.grad().value().item() == -2.5);
  BOOST_TEST(!quotient(ones({2}), ones({2})).is_recorded());
  Variable with_number = differentiable("scaled",
    [](const Variable& x, const Variable& k) { return small::mul(x, k); },
    [](const Variable& dy, const Variable&, const Variable&, const Variable& k) {
      return std::tuple(small::mul(dy, k), Variable());  // no gradient for the second
    }, a, 3.0);
  BOOST_TEST(identical(grad(small::sum(with_number), a).value(), full({2, 2}, 3)));
}

BOOST_AUTO_TEST_CASE(a_value_that_is_its_input) {
  Parameter w("w", ones({2}));
  Tape tape;
  Variable y = differentiable("reversed_gradient", [](const Variable& x) { return x; },
    [](const Variable& dy, const Variable&, const Variable&) { return small::scale(dy, -1); }, w);
  BOOST_TEST(!y.is_parameter());
  tape.backward(small::sum(y));
  BOOST_TEST(identical(w.grad().value(), full({2}, -1)));
}

BOOST_AUTO_TEST_CASE(captures_outlive_the_scope) {
  Parameter w("w", ones({2}));
  Tape tape;
  Variable y;
  {
    std::vector<double> factors(1, 5);
    y = differentiable("captured", [&](const Variable& x) { return small::scale(x, factors[0]); },
      [factors](const Variable& dy, const Variable&, const Variable&) { return small::scale(dy, factors[0]); }, w);
  }
  tape.backward(small::sum(y));
  BOOST_TEST(identical(w.grad().value(), full({2}, 5)));
}

BOOST_AUTO_TEST_CASE(mistakes) {
  Parameter w("w", ones({2}));
  Tape tape;
  Variable y = differentiable("odd", [](const Variable& x) { return small::scale(x, 2); },
    [](const Variable& dy, const Variable&, const Variable&) { return std::vector<Variable>{dy, dy}; }, w);
  EXPECT_ERROR(tape.backward(small::sum(y)),
               "[odd] its gradient function returned 2 Variables; expected 1, one per input.");
  EXPECT_ERROR(quotient(w, Variable()), "[quotient] input 1 is empty; give it a value first.");
}

BOOST_AUTO_TEST_SUITE_END()
