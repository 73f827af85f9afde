// gradcheck itself: right gradients pass, what cannot be checked is said, Parameters are restored.
// How wrong gradients are blamed is in gradcheck_blame.cpp.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/gradcheck.hpp>

#include "small_ops.hpp"
#include "wrong_ops.hpp"

using namespace unroll;

BOOST_AUTO_TEST_SUITE(gradcheck_of_functions)

BOOST_AUTO_TEST_CASE(right_gradients_pass) {
  BOOST_TEST(gradcheck([](auto& x) { return small::tanh(x); }, {{3, 4}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& x, auto& W) { return small::tanh(small::matmul(x, W)); },
                       {{3, 4}, {4, 2}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& x) { return small::sin_cos(x); }, {{3}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& x, auto& y) { return std::tuple(small::mul(x, y), small::exp(y)); },
                       {{2, 3}, {3}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& x) { return x; }, {{}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& x) { return small::log(x); }, {values({1e-3, 1, 1e4})}, {.order = 2}));
  BOOST_TEST(gradcheck([](const Variables& xs) { return add(xs[0], small::mul(xs[1], xs[2])); },
                       {{2}, {2}, {2}}, {.order = 2}));
  BOOST_TEST(gradcheck(small::tanh, {{2}}));
  BOOST_TEST(gradcheck(&small::tanh, {{2}}));
  BOOST_TEST(gradcheck([] { return Variable(1.0); }, {}));
  auto held = [](const Variable& x) { return small::square(x); };
  BOOST_TEST(gradcheck(held, {{2}}));
}

BOOST_AUTO_TEST_CASE(report_of_success) {
  CheckReport report = gradcheck([](auto& x) { return small::tanh(x); }, {{3, 4}}, {.order = 2});
  BOOST_TEST(report.passed);
  BOOST_TEST(report.comparisons == 12 + 24);  // order 2: by x and by the incoming gradient
  BOOST_TEST(report.largest_error < 1e-8);
  BOOST_TEST(report.text().rfind("gradcheck passed: order 2, 36 slopes, largest error ", 0) == 0u);
}

BOOST_AUTO_TEST_CASE(empty_arrays_pass) {
  BOOST_TEST(gradcheck([](auto& x) { return small::tanh(x); }, {{0, 4}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& x) { return small::sum(x); }, {{0}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& x) { return small::slice(x, 0, 2, 2); }, {{3}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(slices_and_int64) {
  auto f = [](auto& x, auto& which) {
    BOOST_TEST(which.type() == int64);
    return add(x[static_cast<Size>(which.value().at({1}))], small::slice(x, 0, 2, 0, -1));
  };
  BOOST_TEST(gradcheck(f, {{3, 2}, indices({0, 2})}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(tiny_and_huge_gradients) {
  BOOST_TEST(gradcheck([](auto& x) { return small::scale(small::tanh(x), 1e-9); }, {{3}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& x) { return small::scale(small::tanh(x), 1e9); }, {{3}}, {.order = 2}));
  BOOST_TEST(!gradcheck([](auto& x) { return small::scale(wrong_factor(x), 1e-9); }, {{3}}));
  BOOST_TEST(gradcheck([](auto& x) { return small::exp(small::scale(x, 20)); }, {{3}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(kinks) {
  BOOST_TEST(gradcheck([](auto& x) { return small::relu(x); }, {zeros({3, 2})}));
  BOOST_TEST(gradcheck(small::relu, {values({-1, 0, 1})}));
  auto wrong_at_kink = [](const Variable& x) {
    Op op("wrong_relu", x);
    return op.record(small::map(op[0], [](double v) { return v > 0 ? v : 0; }), [](Backward& g) {
      g.give(0, small::scale(g.dy(), -0.5));
    });
  };
  BOOST_TEST(!gradcheck(wrong_at_kink, {zeros({2})}));
}

BOOST_AUTO_TEST_CASE(constant_result) {  // the last case of API.md (j)
  CheckReport report = gradcheck([](auto&) { return Variable(1.0); }, {{3, 4}});
  BOOST_TEST(!report);
  BOOST_TEST(report.text() == "gradcheck failed: the result does not depend on input 0 (3, 4); use it, or "
                              "pass {.may_be_constant = true}.");
  BOOST_TEST(gradcheck([](auto&) { return Variable(1.0); }, {{3, 4}}, {.may_be_constant = true}));
  CheckReport second = gradcheck([](auto& x, auto&) { return small::tanh(x); }, {{2}, {5}});
  BOOST_TEST(mentions(second, "does not depend on input 1 (5,)"));
}

BOOST_AUTO_TEST_CASE(functions_that_do_not_repeat) {
  Generator own(3);
  CheckReport drawn = gradcheck([&](auto& x) { return small::scale(x, own.uniform()); }, {{3}});
  BOOST_TEST(!drawn);
  BOOST_TEST(mentions(drawn, "the function does not repeat: two evaluations at the same point differ ("));
  CheckReport fresh = gradcheck([](auto& x) {
    Parameter W("W", ones({3, 3}));
    return small::matmul(x, W);
  }, {{2, 3}});
  BOOST_TEST(!fresh);
  BOOST_TEST(mentions(fresh, "the function does not repeat: it used a new Parameter W (3, 3)"));
  CheckReport fresh64 = gradcheck([](auto& x) {
    Parameter W("W", ones({3, 3}, float64));
    return small::matmul(x, W);
  }, {{2, 3}});
  BOOST_TEST(!fresh64);
  BOOST_TEST(mentions(fresh64, "the function does not repeat: it made a new Parameter W (3, 3)"));
  int calls = 0;
  CheckReport counted = gradcheck([&](auto& x) {
    return std::vector<Variable>(static_cast<std::size_t>(++calls), x);
  }, {{3}});
  BOOST_TEST(mentions(counted, "the number of its results changes"));
}

BOOST_AUTO_TEST_CASE(draws_from_the_tape_repeat) {
  auto noisy = [](auto& x) { return small::scale(x, Tape::generator()->uniform()); };
  BOOST_TEST(gradcheck(noisy, {{3}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(parameters_are_found_checked_and_restored) {
  Parameter W("W", values({{1, 2}, {3, 4}})), b("b", values({0.5, -0.5}));
  W.set_grad(ones({2, 2}));
  Array before = W.value();
  auto f = [&](auto& x) { return small::tanh(add(small::matmul(x, W), b)); };
  CheckReport report = gradcheck(f, {{3, 2}}, {.order = 2});
  BOOST_TEST(report);
  BOOST_TEST(report.comparisons == (6 + 4 + 2) * 2 + 6);
  BOOST_TEST(gradcheck(f, {{3, 2}}, {.parameters = {W, b}}));
  BOOST_TEST(gradcheck(f, {{3, 2}}, {.parameters = W}).unlisted.size() == 1u);
  struct Net {
    std::vector<Parameter> list;
    std::vector<Parameter> parameters() const { return list; }
  } net{{W, b}};
  BOOST_TEST(gradcheck(f, {{3, 2}}, {.parameters = net}).unlisted.empty());

  BOOST_TEST(W.type() == float32);
  BOOST_TEST(W.value().raw() == before.raw());
  BOOST_TEST(W.value().version() == before.version());
  BOOST_TEST(identical(W.grad().value(), ones({2, 2})));
  BOOST_TEST(b.grad().empty());

  int calls = 0;
  auto throws_later = [&](auto& x) {
    if (++calls > 5) fail("mine", "enough");
    return small::matmul(x, W);
  };
  BOOST_CHECK_THROW(gradcheck(throws_later, {{3, 2}}), Error);
  BOOST_TEST(W.type() == float32);
  BOOST_TEST(W.value().raw() == before.raw());
  BOOST_TEST(identical(W.value(), values({{1, 2}, {3, 4}})));
}

BOOST_AUTO_TEST_CASE(frozen_parameters_are_constants) {
  Parameter W("W", ones({2, 2}));
  W.freeze();
  CheckReport report = gradcheck([&](auto& x) { return small::matmul(x, W); }, {{3, 2}}, {.parameters = W});
  BOOST_TEST(report);
  BOOST_TEST(report.comparisons == 6);
}

BOOST_AUTO_TEST_CASE(inside_a_tape_and_with_gradients_inside) {
  Parameter W("W", ones({2, 2}));
  Tape outer;
  Variable y = small::sum(small::square(W));
  BOOST_TEST(gradcheck([&](auto& x) { return small::matmul(x, W); }, {{3, 2}}, {.order = 2}));
  outer.backward(y);
  BOOST_TEST(identical(W.grad().value(), full({2, 2}, 2)));
  auto penalty = [](auto& x) {
    Variable slope = grad(small::sum(small::tanh(x)), x, {.create_graph = true});
    return small::mean(small::square(slope));
  };
  BOOST_TEST(gradcheck(penalty, {{3}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(random_directions) {
  auto f = [](auto& x, auto& W) { return small::tanh(small::matmul(x, W)); };
  CheckReport report = gradcheck(f, {{10, 30}, {30, 20}}, {.order = 2});
  BOOST_TEST(report);
  BOOST_TEST(report.comparisons == 2 * 4 + 3 * 4);
  BOOST_TEST(gradcheck(f, {{10, 3}, {3, 2}}, {.directions = 2}).comparisons == 4);
  BOOST_TEST(gradcheck(f, {{100, 3}, {3, 100}}, {.directions = 0}).comparisons == 600);
}

BOOST_AUTO_TEST_CASE(values_that_are_not_numbers) {
  CheckReport report = gradcheck([](auto& x) { return small::log(x); }, {values({1, -1})});
  BOOST_TEST(!report);
  BOOST_TEST(report.text() == "gradcheck failed: the result holds nan or infinity at this input; give one "
                              "where it is finite.");
  auto root = [](const Variable& x) {
    Op op("root", x);
    return op.record(small::map(op[0], [](double v) { return std::sqrt(std::fabs(v)); }), [](Backward& g) {
      g.give(0, small::mul(g.dy(), small::scale(small::reciprocal(g.y()), 0.5)));
    });
  };
  CheckReport infinite = gradcheck(root, {values({1, 0})});
  BOOST_TEST(!infinite);
  BOOST_TEST(infinite.index == Shape({1}));
  BOOST_TEST(mentions(infinite, "is inf, differences"));
}

BOOST_AUTO_TEST_CASE(wrong_calls) {
  BOOST_CHECK_EXCEPTION(gradcheck([](auto& x, auto& y) { return add(x, y); }, {{3}}), Error,
                        [](const Error& e) {
                          return std::string(e.what()) ==
                                 "[gradcheck] the function cannot be called with 1 Variables; give one "
                                 "shape or Array per argument, {{3, 4}, {5, 4}} for two.";
                        });
  BOOST_CHECK_THROW(gradcheck([](auto& x) { return x; }, {{3}}, {.order = 3}), Error);
  BOOST_CHECK_THROW(gradcheck([](auto& x) { return small::matmul(x, x); }, {{3, 4}}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
