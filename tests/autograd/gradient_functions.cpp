// Gradient functions: several results, broadcasting, empty arrays, deferred work, wrong shapes, and
// exceptions out of them.
#include <boost/test/unit_test.hpp>

#include "errors.hpp"
#include "small_ops.hpp"

using namespace unroll;

namespace {

bool same(const Variable& a, const Array& b) { return !a.empty() && identical(a.value(), b); }

}  // namespace

BOOST_AUTO_TEST_SUITE(gradient_functions)

BOOST_AUTO_TEST_CASE(exceptions_leave_the_tape_usable) {
  Parameter w("w", values({1, 2}));
  Tape tape;
  bool broken = true;
  auto fragile = [&](const Variable& x) {
    Op op("fragile", x);
    return op.record(op[0].copy(), [&broken](Backward& b) {
      if (broken) fail("fragile", "not now");
      b.give(0, b.dy());
    });
  };
  Variable y = small::sum(small::square(fragile(small::scale(w, 3))));
  EXPECT_ERROR(tape.backward(y, {.retain_graph = true}), "[fragile] not now");
  BOOST_TEST(Tape::recording());
  BOOST_TEST(w.grad().empty());
  EXPECT_ERROR(grad(y, w, {.create_graph = true}), "[fragile] not now");
  BOOST_TEST(Tape::recording());
  broken = false;
  tape.backward(y);
  BOOST_TEST(same(w.grad(), values({18, 36})));
  w.zero_grad();
  Variable z = small::sum(small::square(w));
  tape.backward(z);
  BOOST_TEST(same(w.grad(), values({2, 4})));
}

BOOST_AUTO_TEST_CASE(an_op_that_throws_leaves_nothing) {
  Parameter w("w", ones({2, 3}));
  Tape tape;
  EXPECT_ERROR(small::matmul(w, w), "[matmul] inner sizes differ: (2, 3) x (2, 3).");
  BOOST_TEST(tape.nodes() == 0);
  tape.backward(small::sum(w));
  BOOST_TEST(same(w.grad(), ones({2, 3})));
}

BOOST_AUTO_TEST_CASE(several_results_of_one_op) {
  Tape tape;
  Variable x = tape.watch(values({0.5, 1}, float64));
  std::vector<Variable> y = small::sin_cos(x);
  auto near = [](const Variable& a, double b, double c) {
    return std::fabs(a.value().at({0}) - b) + std::fabs(a.value().at({1}) - c) < 1e-12;
  };
  BOOST_TEST(near(grad(small::sum(y[0]), x, {.retain_graph = true}), std::cos(.5), std::cos(1)));
  BOOST_TEST(near(grad(small::sum(y[1]), x, {.retain_graph = true}), -std::sin(.5), -std::sin(1)));
  BOOST_TEST(near(grad(small::sum(small::mul(y[0], y[1])), x, {.retain_graph = true}), std::cos(1), std::cos(2)));
  // Targets among the results of one op.
  BOOST_TEST(same(grad(small::sum(small::scale(y[1], 3)), y[1], {.retain_graph = true}), full({2}, 3, float64)));
  BOOST_TEST(same(grad(small::sum(small::scale(y[1], 3)), y[0], {.retain_graph = true}), zeros({2}, float64)));
  std::vector<Variable> all = grad(small::sum(small::mul(y[0], y[1])), {y[0], y[1], x});
  BOOST_TEST(same(all[0], y[1].value()));
  BOOST_TEST(same(all[1], y[0].value()));
  BOOST_TEST(near(all[2], std::cos(1), std::cos(2)));
}

BOOST_AUTO_TEST_CASE(empty_arrays) {
  Parameter w("w", zeros({0, 3}));
  Tape tape;
  Variable y = small::sum(small::tanh(add(w, ones({3}))));
  BOOST_TEST(y.item() == 0);
  tape.backward(y, {.retain_graph = true});
  BOOST_TEST(same(w.grad(), zeros({0, 3})));
  Variable x = tape.watch(ones({1, 3}));
  BOOST_TEST(same(grad(small::sum(small::mul(w, x)), x), zeros({1, 3})));
  Variable g = grad(small::sum(small::mul(w, x)), x, {.create_graph = true});
  BOOST_TEST(same(g, zeros({1, 3})));
}

BOOST_AUTO_TEST_CASE(deferred_gradients) {
  struct Collector : Deferred {
    std::vector<Array> parts;
    int* flushes = nullptr;
    void flush(Array& gradient, bool accumulate) override {
      ++*flushes;
      if (!accumulate) gradient.fill(0);
      for (const Array& p : parts) kernel::add_into(gradient, p);
    }
  };
  int flushes = 0;
  auto triple = [&](const Variable& x) {
    Op op("triple", x);
    return op.record(small::map(op[0], [](double v) { return 3 * v; }), [&flushes](Backward& b) {
      if (b.create_graph()) return b.give(0, small::scale(b.dy(), 3));
      Collector& all = b.deferred<Collector>(0);
      all.flushes = &flushes;
      all.parts.push_back(small::map(b.dy().value(), [](double v) { return 3 * v; }));
    }, Keep::nothing);
  };
  Parameter w("w", values({1, 2}));
  for (bool with_others : {false, true}) {
    w.zero_grad();
    flushes = 0;
    Tape tape;
    Variable y = add(triple(w), triple(w));
    if (with_others) y = add(y, small::square(w));
    y = add(y, triple(small::scale(w, 10)));  // one for a value in the middle
    tape.backward(small::sum(y));
    BOOST_TEST(flushes == 2);
    BOOST_TEST(same(w.grad(), with_others ? values({38, 40}) : values({36, 36})));
  }
  Tape tape;
  Variable v = small::slice(w, 0, 0, 1);  // deferred into a view
  BOOST_TEST(same(grad(add(small::sum(triple(v)), small::sum(w)), w, {.retain_graph = true}), values({4, 1})));
  BOOST_TEST(same(grad(add(small::sum(triple(v)), small::sum(w)), w, {.create_graph = true}), values({4, 1})));
}

BOOST_AUTO_TEST_CASE(broadcast_gradients_are_summed) {
  Tape tape;
  Variable a = tape.watch(ones({2, 3})), b = tape.watch(ones({3})), c = tape.watch(full({}, 2)), d = tape.watch(ones({2, 1}));
  Variable y = small::sum(small::mul(add(small::mul(a, b), c), d));
  tape.backward(y, {.retain_graph = true});
  BOOST_TEST(same(a.grad(), ones({2, 3})));
  BOOST_TEST(same(b.grad(), full({3}, 2)));
  BOOST_TEST(same(c.grad(), full({}, 6)));
  BOOST_TEST(same(d.grad(), full({2, 1}, 9)));
  std::vector<Variable> g = grad(y, {a, b, c, d}, {.create_graph = true});
  BOOST_TEST(same(g[1], full({3}, 2)));
  BOOST_TEST(same(g[3], full({2, 1}, 9)));
}

BOOST_AUTO_TEST_CASE(wrong_gradients_given) {
  auto op_giving = [](Array g) {
    return [g](const Variable& x) {
      Op op("giver", x);
      return op.record(op[0].copy(), [g](Backward& b) { b.give(0, g); });
    };
  };
  Parameter w("w", ones({2, 3}));
  Tape tape;
  EXPECT_ERROR(tape.backward(small::sum(op_giving(ones({3, 2}))(w))),
               "[giver] its gradient for input 0 has shape (3, 2); expected (2, 3), or one that it broadcasts to.");
  EXPECT_ERROR(tape.backward(small::sum(op_giving(ones({3}))(w))),
               "[giver] its gradient for input 0 has shape (3,); expected (2, 3), or one that it broadcasts to.");
  EXPECT_ERROR(tape.backward(small::sum(op_giving(ones({2, 3}, float64))(w))),
               "[giver] its gradient for input 0 is float64, the input is float32.");
}

BOOST_AUTO_TEST_SUITE_END()
