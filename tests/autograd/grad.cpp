// grad(): targets of every kind, several outputs, any order; and hooks on leaves, values in the middle
// and views.
#include <boost/test/unit_test.hpp>

#include "errors.hpp"
#include "small_ops.hpp"

using namespace unroll;

namespace {

bool same(const Variable& a, const Array& b) { return !a.empty() && identical(a.value(), b); }
Array filled(const Shape& shape, double value) { return full(shape, value); }

}  // namespace

BOOST_AUTO_TEST_SUITE(grad_of_any_order)

BOOST_AUTO_TEST_CASE(grad_touches_no_gradients) {
  Parameter w("w", filled({2}, 3)), u("u", filled({3}, 1));
  Tape tape;
  Variable y = small::sum(small::square(w));
  BOOST_TEST(same(grad(y, w, {.retain_graph = true}), filled({2}, 6)));
  std::vector<Variable> both = grad(y, {w, u}, {.retain_graph = true});
  BOOST_TEST(same(both[0], filled({2}, 6)));
  BOOST_TEST(same(both[1], filled({3}, 0)));  // never used: zeros
  BOOST_TEST(w.grad().empty());
  Variable other = small::square(u);
  BOOST_TEST(same(grad(y, u, {.retain_graph = true}), filled({3}, 0)));  // used, but not by y
  BOOST_TEST(same(grad(y, other, {.retain_graph = true}), filled({3}, 0)));
  BOOST_TEST(same(grad(y, y, {.retain_graph = true}), full({}, 1)));
  BOOST_TEST(same(grad(w, w, {.grad_outputs = {filled({2}, 4)}}), filled({2}, 4)));
  tape.backward(y);
  BOOST_TEST(same(w.grad(), filled({2}, 6)));
}

BOOST_AUTO_TEST_CASE(grad_of_several_outputs_and_middle_values) {
  Tape tape;
  Variable x = tape.watch(values({1, 2}));
  Variable a = small::square(x), b = small::scale(a, 3), c = small::sum(b);
  BOOST_TEST(same(grad({c, small::sum(a)}, x, {.retain_graph = true}), values({8, 16})));
  std::vector<Variable> g = grad({c}, {a, b, x}, {.retain_graph = true});
  BOOST_TEST(same(g[0], values({3, 3})));
  BOOST_TEST(same(g[1], values({1, 1})));
  BOOST_TEST(same(g[2], values({6, 12})));
  BOOST_TEST(same(grad({c, c}, x), values({12, 24})));
}

BOOST_AUTO_TEST_CASE(gradients_of_any_order) {
  Tape tape;
  Variable x = tape.watch(full({}, 2, float64)), y = small::mul(small::square(small::square(x)), x);
  for (double expected : {80, 160, 240, 240, 120}) {  // of x^5 at 2
    y = grad(y, x, {.create_graph = true});
    BOOST_TEST(y.item() == expected);
  }
  BOOST_TEST(!y.is_recorded());  // 120 is a constant
}

BOOST_AUTO_TEST_CASE(gradient_of_a_gradient_reaches_parameters) {
  Parameter w("w", values({1, 2}));
  Tape tape;
  Variable x = tape.watch(values({3, 4}));
  Variable slope = grad(small::sum(small::mul(small::square(x), w)), x, {.create_graph = true});  // 2 x w
  tape.backward(small::sum(small::square(slope)));  // d(4 x^2 w^2)/dw = 8 x^2 w
  BOOST_TEST(same(w.grad(), values({72, 256})));
  BOOST_TEST(same(x.grad(), values({24, 128})));
}

BOOST_AUTO_TEST_CASE(grad_after_grad_with_create_graph_keeps_the_first) {
  Tape tape;
  Variable x = tape.watch(values({1, 2}));
  Variable y = small::sum(small::exp(x));
  Variable g1 = grad(y, x, {.create_graph = true});
  Variable g2 = grad(y, x, {.create_graph = true});
  BOOST_TEST(same(g1, g2.value()));
  BOOST_TEST(same(grad(small::sum(g1), x), g1.value()));
}

BOOST_AUTO_TEST_CASE(hooks) {
  Parameter w("w", values({1, 2}));
  Tape tape;
  Variable a = small::square(w), b = small::scale(a, 3);
  std::vector<std::string> calls;
  tape.hook(w, [&](const Variable& g) {
    calls.push_back("w");
    BOOST_TEST(same(g, values({60, 120})));
    return Variable();
  });
  tape.hook(a, [&](const Variable& g) {
    calls.push_back("a");
    BOOST_TEST(same(g, values({3, 3})));
    return small::scale(g, 2);
  });
  tape.hook(a, [&](const Variable& g) {  // sees what the first returned
    calls.push_back("a again");
    BOOST_TEST(same(g, values({6, 6})));
    return small::scale(g, 5);
  });
  tape.hook(b, [&](const Variable&) {
    calls.push_back("b");
    return Variable();
  });
  tape.backward(small::sum(b), {.retain_graph = true});
  BOOST_TEST(calls == (std::vector<std::string>{"b", "a", "a again", "w"}), boost::test_tools::per_element());
  BOOST_TEST(same(w.grad(), values({60, 120})));
  calls.clear();
  BOOST_TEST(same(grad(small::sum(b), w), values({60, 120})));
  BOOST_TEST(calls.size() == 4u);
}

BOOST_AUTO_TEST_CASE(hooks_run_once_for_an_input_listed_twice) {
  Parameter w("w", values({1, 2}));
  Tape tape;
  Variable x = tape.watch(values({3, 4}));
  int calls = 0;
  auto twice = [&](const Variable& g) {
    ++calls;
    return small::scale(g, 2);
  };
  tape.hook(x, twice);
  std::vector<Variable> g = grad(small::sum(small::mul(x, w)), {x, w, x});
  BOOST_TEST(calls == 1);
  BOOST_TEST(identical(g[0].value(), values({2, 4})));
  BOOST_TEST(identical(g[2].value(), values({2, 4})));
}

BOOST_AUTO_TEST_CASE(hooks_with_create_graph_and_as_target) {
  Tape tape;
  Variable x = tape.watch(values({1, 2})), a = small::square(x);
  tape.hook(a, [](const Variable& g) { return small::scale(g, 10); });
  Variable g = grad(small::sum(a), x, {.create_graph = true});
  BOOST_TEST(same(g, values({20, 40})));
  BOOST_TEST(same(grad(small::sum(g), x, {.retain_graph = true}), values({20, 20})));
  BOOST_TEST(same(grad(small::sum(a), a), values({10, 10})));
}

BOOST_AUTO_TEST_CASE(hooks_on_views) {
  Parameter w("w", values({1, 2, 3, 4}));
  Tape tape;
  Variable v = small::slice(w, 0, 1, 3);
  int calls = 0;
  tape.hook(v, [&](const Variable& g) {
    ++calls;
    BOOST_TEST(same(g, values({4, 6})));
    return small::scale(g, 10);
  });
  tape.backward(add(small::sum(small::square(v)), small::sum(w)));
  BOOST_TEST(calls == 1);
  BOOST_TEST(same(w.grad(), values({1, 41, 61, 1})));
}

BOOST_AUTO_TEST_CASE(hook_whose_gradient_never_arrives) {
  Parameter w("w", values({1, 2})), u("u", ones({2}));
  Tape tape;
  Variable a = small::square(w), unused = small::square(u);
  int calls = 0;
  auto count = [&](const Variable&) {
    ++calls;
    return Variable();
  };
  tape.hook(unused, count);
  tape.hook(u, count);
  tape.backward(small::sum(a));
  BOOST_TEST(calls == 0);
  BOOST_TEST(u.grad().empty());
}

BOOST_AUTO_TEST_CASE(wrong_hooks) {
  Parameter w("w", values({1, 2}));
  Tape tape;
  Variable a = small::square(w);
  tape.hook(a, [](const Variable&) { return Variable(ones({3})); });
  EXPECT_ERROR(tape.backward(small::sum(a)), "[hook] returned shape (3,); expected (2,).");
  Tape other;
  EXPECT_ERROR(other.hook(ones({2}), [](const Variable&) { return Variable(); }),
               "[hook] a value (2,) is not recorded: it depends on no Parameter or watched input, but "
               "for frozen ones, values of another tape, which are constants here, or what has no "
               "gradient, such as comparisons; was computed while no tape was recording; or is a "
               "gradient that was asked for without create_graph.");
  Variable b = small::square(w);
  other.hook(b, [](const Variable&) { return Variable(ones({2}, float64)); });
  EXPECT_ERROR(other.backward(small::sum(b)), "[hook] returned float64; expected float32.");
}

BOOST_AUTO_TEST_SUITE_END()
