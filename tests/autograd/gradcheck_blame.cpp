// Wrong gradients: every way in which one can be wrong is caught and put down to the right op, input
// and element.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/gradcheck.hpp>

#include "small_ops.hpp"
#include "wrong_ops.hpp"

using namespace unroll;

namespace {

// ---- ops with planted mistakes ----

Variable wrong_sign(const Variable& x) {
  Op op("wrong_sign", x);
  return op.record(small::map(op[0], [](double v) { return std::cos(v); }), [](Backward& g) {
    g.give(0, small::mul(g.dy(), small::sin_cos(g.x())[0]));
  });
}
Variable wrong_transposed(const Variable& a, const Variable& b) {
  Op op("wrong_transposed", a, b);
  Variable y = no_grad([&] { return small::matmul(op.input(0), op.input(1)); });
  return op.record(y.value(), [](Backward& g) {
    g.give(0, small::matmul(g.dy(), g.x(1)));  // b should be transposed
    g.give(1, small::matmul(small::transpose(g.x(0)), g.dy()));
  });
}
Variable forgets_input(const Variable& a, const Variable& b) {
  Op op("forgets_input", a, b);
  Variable y = no_grad([&] { return small::mul(op.input(0), op.input(1)); });
  return op.record(y.value(), [](Backward& g) { g.give(0, small::mul(g.dy(), g.x(1))); });
}
Variable one_element_wrong(const Variable& x) {
  Op op("one_element_wrong", x);
  return op.record(small::map(op[0], [](double v) { return 2 * v; }), [](Backward& g) {
    Array two = full(g.x_shape(), 2, g.x_type());
    Array at = two.select(0, 1).select(0, two.size(1) > 2 ? 2 : 0);
    at.fill(2.001);
    g.give(0, small::mul(g.dy(), Variable(two)));
  });
}
// Right first-order gradients whose own gradients are wrong.
Variable detached_inside(const Variable& x) {
  Op op("detached_inside", x);
  return op.record(small::map(op[0], [](double v) { return v * v; }), [](Backward& g) {
    g.give(0, small::mul(g.dy(), small::scale(detach(g.x()), 2)));
  });
}
Variable constant_gradient(const Variable& x) {
  Op op("constant_gradient", x);
  return op.record(small::map(op[0], [](double v) { return v * v; }), [](Backward& g) {
    Variable gradient = small::mul(g.dy(), small::scale(g.x(), 2));
    g.give(0, detach(gradient));
  });
}
Variable forgets_dy(const Variable& x) {
  Op op("forgets_dy", x);
  return op.record(small::map(op[0], [](double v) { return 3 * v; }), [](Backward& g) {
    g.give(0, small::scale(detach(g.dy()), 3));
  });
}
Variable kernels_differ(const Variable& x) {
  Op op("kernels_differ", x);
  return op.record(small::map(op[0], [](double v) { return v * v; }), [](Backward& g) {
    g.give(0, small::mul(g.dy(), small::scale(g.x(), g.create_graph() ? 2.01 : 2)));
  });
}

/// The op between innocent ones, in a scope with time steps.
template <class F>
auto among_others(F f) {
  return [f](const Variable& x, const Variable& W) {
    Scope scope("encoder");
    Variable h = x;
    for (Size t = 0; t < 4; ++t) {
      scope.step(t);
      h = small::tanh(small::matmul(h, W));
      if (t == 2) h = f(h);
      h = add(h, x);
    }
    return small::mean(small::exp(h));
  };
}

void expect_blame(const CheckReport& report, int order, const std::string& suspect, Size step = 2) {
  BOOST_TEST(!report.passed);
  BOOST_TEST(report.order == order);
  BOOST_TEST(report.suspect == suspect);
  BOOST_TEST(report.step == step);
  BOOST_TEST(mentions(report, suspect));
  if (step >= 0) BOOST_TEST(mentions(report, " t=" + std::to_string(step)));
  BOOST_TEST_MESSAGE(report.text());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gradcheck_blame)

BOOST_AUTO_TEST_CASE(first_order_mistakes) {
  std::vector<CheckInput> inputs{{2, 3}, {3, 3}};
  expect_blame(gradcheck(among_others(wrong_factor), inputs), 1, "wrong_factor");
  expect_blame(gradcheck(among_others(wrong_sign), inputs), 1, "wrong_sign");
  expect_blame(gradcheck(among_others([](const Variable& h) { return forgets_input(h, small::exp(h)); }),
                         inputs), 1, "forgets_input");
  expect_blame(gradcheck(among_others([](const Variable& h) {
                 return wrong_transposed(h, small::matmul(small::transpose(h), small::exp(h)));
               }), inputs), 1, "wrong_transposed");
  expect_blame(gradcheck(among_others(wrong_factor), inputs, {.order = 2}), 1, "wrong_factor");
}

BOOST_AUTO_TEST_CASE(names_the_element) {
  CheckReport report = gradcheck([](auto& x) { return small::mean(one_element_wrong(x)); }, {{3, 4}},
                                 {.names = {"letters"}});
  BOOST_TEST(!report);
  BOOST_TEST(report.where == "letters");
  BOOST_TEST(report.index == Shape({1, 2}));
  BOOST_TEST(report.gradient == 2.001 / 12, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(report.difference == 2.0 / 12, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(report.suspect == "one_element_wrong");
  BOOST_TEST(mentions(report, "the gradient of order 1 by letters (3, 4) at index (1, 2) is 0.16675, "));
  BOOST_TEST(mentions(report, "give 0.16666667; allowed error 1.66"));
  BOOST_TEST(mentions(report, "Suspect: one_element_wrong((3, 4) in ["));
  // The same from random directions: halved until one element is left.
  CheckReport random = gradcheck([](auto& x) { return small::mean(one_element_wrong(x)); }, {{30, 40}});
  BOOST_TEST(!random);
  BOOST_TEST(random.index == Shape({1, 2}));
  BOOST_TEST(random.suspect == "one_element_wrong");
  // And which element of the result.
  CheckReport entry = gradcheck([](auto& x) { return one_element_wrong(small::scale(x, 3)); }, {{3, 4}});
  BOOST_TEST(mentions(entry, "of result at index (1, 2) by input 0 (3, 4) at index (1, 2) is 6.003,"));
}

BOOST_AUTO_TEST_CASE(second_order_mistakes) {
  std::vector<CheckInput> inputs{{2, 3}, {3, 3}};
  BOOST_TEST(gradcheck(among_others(detached_inside), inputs));
  expect_blame(gradcheck(among_others(detached_inside), inputs, {.order = 2}), 2, "detached_inside");
  BOOST_TEST(gradcheck(among_others(constant_gradient), inputs));
  expect_blame(gradcheck(among_others(constant_gradient), inputs, {.order = 2}), 2, "constant_gradient");
  BOOST_TEST(gradcheck(among_others(forgets_dy), inputs));
  expect_blame(gradcheck(among_others(forgets_dy), inputs, {.order = 2}), 2, "forgets_dy");
  expect_blame(gradcheck(among_others(kernels_differ), inputs, {.order = 2}), 2, "kernels_differ");
  auto second = [](const Variable& x) {
    Op op("wrong_second", x);
    return op.record(small::map(op[0], [](double v) { return v * v * v * v / 4; }), [](Backward& g) {
      g.give(0, small::mul(g.dy(), wrong_factor(g.x())));
    });
  };
  BOOST_TEST(gradcheck(among_others(second), inputs));
  expect_blame(gradcheck(among_others(second), inputs, {.order = 2}), 2, "wrong_second");
  // Alone, in a function that is linear in x.
  expect_blame(gradcheck(forgets_dy, {{2}}, {.order = 2}), 2, "forgets_dy", -1);
}

BOOST_AUTO_TEST_CASE(value_taken_out_of_the_graph) {
  CheckReport report = gradcheck([](auto& x) {
    return small::mul(small::tanh(x), small::exp(detach(x)));
  }, {{3}});
  BOOST_TEST(!report);
  BOOST_TEST(report.suspect == "mul");
  BOOST_TEST(mentions(report, "is a constant on the tape"));
  CheckReport all = gradcheck([](auto& x) { return Variable(small::map(x.value(), [](double v) { return v * v; })); }, {{3}});
  BOOST_TEST(!all);
  BOOST_TEST(mentions(all, "the result does not depend on input 0 (3,) by any recorded op, though its value"));
}

BOOST_AUTO_TEST_CASE(wrong_gradient_of_a_parameter) {
  Parameter W("Wf", values({{.1, .2}, {.3, .4}})), b("bf", values({0.5, -0.5}));
  CheckReport report = gradcheck([&](auto& x) {
    return small::mean(small::tanh(add(small::matmul(x, one_element_wrong(W)), b)));
  }, {{5, 2}});
  BOOST_TEST(!report);
  BOOST_TEST(report.where == "Wf");
  BOOST_TEST(report.index == Shape({1, 0}));
  BOOST_TEST(report.suspect == "one_element_wrong");
  BOOST_TEST(mentions(report, "by Wf (2, 2) at index (1, 0) is "));
}

BOOST_AUTO_TEST_SUITE_END()
