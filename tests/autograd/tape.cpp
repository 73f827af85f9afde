// Tapes: what is recorded when, backward and accumulation, grad of any order, hooks, watch, detach,
// nesting, and what happens when a gradient function throws.
#include <boost/test/unit_test.hpp>

#include "errors.hpp"
#include "printing.hpp"
#include "small_ops.hpp"

using namespace unroll;

namespace {

bool same(const Variable& a, const Array& b) { return !a.empty() && identical(a.value(), b); }
Array filled(const Shape& shape, double value) { return full(shape, value); }

}  // namespace

BOOST_AUTO_TEST_SUITE(tape)

BOOST_AUTO_TEST_CASE(records_only_while_alive) {
  Parameter w("w", filled({2}, 3));
  Variable before = small::square(w);
  BOOST_TEST(!before.is_recorded());
  BOOST_TEST(!Tape::recording());
  BOOST_TEST(Tape::current() == nullptr);
  Variable inside;
  {
    Tape tape;
    BOOST_TEST(Tape::recording());
    BOOST_TEST(Tape::current() == &tape);
    small::square(before);  // constants leave nothing
    BOOST_TEST(tape.nodes() == 0);
    inside = small::square(w);
    BOOST_TEST(tape.nodes() == 1);
    BOOST_TEST(inside.is_recorded());
  }
  BOOST_TEST(!inside.is_recorded());
  BOOST_TEST(same(inside, filled({2}, 9)));  // values outlive tapes
  Tape next;
  small::square(inside);  // a constant here
  BOOST_TEST(next.nodes() == 0);
}

BOOST_AUTO_TEST_CASE(backward_adds_up) {
  Parameter w("w", filled({2}, 3)), untouched("u", filled({1}, 1));
  for (int k = 1; k <= 3; ++k) {
    Tape tape;
    tape.backward(small::sum(small::square(w)));
    BOOST_TEST(same(w.grad(), filled({2}, 6 * k)));
  }
  BOOST_TEST(untouched.grad().empty());
  w.zero_grad();
  BOOST_TEST(w.grad().empty());
}

BOOST_AUTO_TEST_CASE(held_gradients_do_not_change_afterwards) {
  Parameter w("w", filled({2}, 3));
  auto step = [&] {
    Tape tape;
    tape.backward(small::sum(small::square(w)));
  };
  step();
  Variable held = w.grad();
  step();
  BOOST_TEST(same(held, filled({2}, 6)));
  BOOST_TEST(same(w.grad(), filled({2}, 12)));
}

BOOST_AUTO_TEST_CASE(one_array_given_to_two_leaves) {
  Parameter a("a", filled({2}, 1)), b("b", filled({2}, 1));
  {
    Tape tape;
    tape.backward(small::sum(add(a, b)));  // both get the same array
  }
  {
    Tape tape;
    tape.backward(small::sum(small::scale(a, 5)));
  }
  BOOST_TEST(same(a.grad(), filled({2}, 6)));
  BOOST_TEST(same(b.grad(), filled({2}, 1)));
}

BOOST_AUTO_TEST_CASE(backward_of_leaves_and_with_grad_output) {
  Parameter w("w", filled({2}, 3)), s("s", full({}, 2));
  Tape tape;
  Variable y = small::square(w);
  tape.backward(y, {.grad_output = values({1, 10}), .retain_graph = true});
  BOOST_TEST(same(w.grad(), values({6, 60})));
  tape.backward(y, {.grad_output = values({1, 10}, float64)});  // converted
  BOOST_TEST(same(w.grad(), values({12, 120})));
  small::square(s);
  tape.backward(s);
  BOOST_TEST(same(s.grad(), full({}, 1)));
}

BOOST_AUTO_TEST_CASE(retain_graph_twice_adds_up) {
  Parameter w("w", filled({2}, 3));
  Tape tape;
  Variable y = small::sum(small::tanh(small::square(w)));
  tape.backward(y, {.retain_graph = true});
  Array once = w.grad().value().copy();
  tape.backward(y, {.retain_graph = true});
  tape.backward(y);
  BOOST_TEST(same(w.grad(), small::map(once, [](double v) { return 3 * v; })) == true);
}

BOOST_AUTO_TEST_CASE(backward_from_the_middle) {
  Parameter w("w", filled({2}, 3));
  Tape tape;
  Variable a = small::sum(small::square(w));
  Variable b = small::sum(small::scale(w, 7));  // recorded later, not part of it
  tape.backward(a);
  BOOST_TEST(same(w.grad(), filled({2}, 6)));
  tape.backward(b);
  BOOST_TEST(same(w.grad(), filled({2}, 13)));
}

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

BOOST_AUTO_TEST_CASE(watch_and_detach) {
  Parameter w("w", values({1, 2}));
  Tape tape;
  Variable c = values({5, 6});
  Variable x = tape.watch(c);
  BOOST_TEST(!c.is_recorded());
  BOOST_TEST(x.is_recorded());
  BOOST_TEST(x.value().raw() == c.value().raw());
  Variable a = small::mul(x, w);
  Variable y = small::sum(small::mul(a, detach(a)));
  tape.backward(y);
  BOOST_TEST(same(x.grad(), values({5, 24})));
  BOOST_TEST(same(w.grad(), values({25, 72})));
  BOOST_TEST(c.grad().empty());
  // A recorded value watched again is cut off from what made it.
  Variable cut = tape.watch(small::square(w));
  w.zero_grad();
  tape.backward(small::sum(small::mul(cut, w)));
  BOOST_TEST(same(w.grad(), values({1, 4})));
  EXPECT_ERROR(tape.watch(indices({1})), "[watch] elements are int64, which have no gradients.");
}

BOOST_AUTO_TEST_CASE(no_grad_pauses) {
  Parameter w("w", values({1, 2}));
  Tape tape;
  Variable y = no_grad([&] {
    BOOST_TEST(!Tape::recording());
    BOOST_TEST(Tape::current() == &tape);
    BOOST_TEST(no_grad([&] { return small::square(w); }).value().at({1}) == 4);
    BOOST_TEST(!Tape::recording());
    return small::square(w);
  });
  BOOST_TEST(Tape::recording());
  BOOST_TEST(tape.nodes() == 0);
  BOOST_CHECK_THROW(no_grad([&]() -> Variable { throw 3; }), int);
  BOOST_TEST(Tape::recording());
  tape.backward(small::sum(small::mul(y, w)));
  BOOST_TEST(same(w.grad(), values({1, 4})));
  // A Parameter used under no_grad only gets nothing.
  Parameter v("v", ones({2}));
  no_grad([&] { return small::square(v); });
  BOOST_TEST(v.grad().empty());
  BOOST_TEST(same(grad(small::sum(small::square(w)), v), zeros({2})));
}

BOOST_AUTO_TEST_CASE(tapes_nest) {
  Parameter w("w", values({1, 2}));
  Tape outer;
  Variable a = small::square(w);
  {
    Tape inner;
    BOOST_TEST(Tape::current() == &inner);
    Variable b = small::mul(a, w);  // a is a constant here
    inner.backward(small::sum(b));
    BOOST_TEST(same(w.grad(), values({1, 4})));
    BOOST_TEST(outer.nodes() == 1);
  }
  BOOST_TEST(Tape::current() == &outer);
  w.zero_grad();
  outer.backward(small::sum(a));
  BOOST_TEST(same(w.grad(), values({2, 4})));
}

BOOST_AUTO_TEST_CASE(outer_backward_while_an_inner_tape_records) {
  Parameter w("w", values({1, 2}));
  Tape outer;
  Variable a = small::sum(small::square(w));
  Tape inner;
  BOOST_TEST(same(grad(a, w, {.retain_graph = true}), values({2, 4})));
  BOOST_TEST(inner.nodes() == 0);
  outer.backward(a);
  BOOST_TEST(same(w.grad(), values({2, 4})));
  BOOST_TEST(inner.nodes() == 0);
  BOOST_TEST(Tape::recording());
}

BOOST_AUTO_TEST_CASE(tapes_destroyed_out_of_order) {
  Parameter w("w", values({1, 2}));
  auto first = new Tape();
  auto second = new Tape();
  auto third = new Tape();
  delete second;
  BOOST_TEST(Tape::current() == third);
  delete first;
  BOOST_TEST(Tape::current() == third);
  third->backward(small::sum(small::square(w)));
  BOOST_TEST(same(w.grad(), values({2, 4})));
  delete third;
  BOOST_TEST(Tape::current() == nullptr);
  BOOST_TEST(!Tape::recording());
  {
    auto paused = new Tape();
    no_grad([&] {
      auto inner = new Tape();
      BOOST_TEST(Tape::recording());
      delete inner;
      BOOST_TEST(!Tape::recording());
      return Variable();
    });
    BOOST_TEST(Tape::recording());
    delete paused;
  }
  BOOST_TEST(!Tape::recording());
}

BOOST_AUTO_TEST_CASE(a_tape_destroyed_under_no_grad) {
  auto tape = new Tape();
  no_grad([&] {
    delete tape;
    return Variable();
  });
  BOOST_TEST(!Tape::recording());
  BOOST_TEST(Tape::current() == nullptr);
  small::square(Parameter("w", ones({2})));
}

BOOST_AUTO_TEST_CASE(generator_of_a_tape) {
  BOOST_TEST(Tape::generator() == nullptr);
  Generator g(1);
  Tape tape(g);
  BOOST_TEST(Tape::generator() == &g);
  BOOST_TEST(no_grad([] { return Tape::generator(); }) == nullptr);
  Tape inner;
  BOOST_TEST(Tape::generator() == nullptr);
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
               "[hook] a value (2,) is not recorded: it depends on no Parameter or watched input, or was "
               "computed while no tape was recording.");
  Variable b = small::square(w);
  other.hook(b, [](const Variable&) { return Variable(ones({2}, float64)); });
  EXPECT_ERROR(other.backward(small::sum(b)), "[hook] returned float64; expected float32.");
}

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

BOOST_AUTO_TEST_CASE(same_seed_same_bits) {
  auto run = [] {
    Generator g(3);
    Array x({5, 4}), u({4, 4});
    for (Array* a : {&x, &u}) {
      float* p = a->mutable_data<float>();
      for (Size i = 0; i < a->size(); ++i) p[i] = static_cast<float>(g.normal());
    }
    Parameter w("w", u);
    Tape tape(g);
    Variable h = x;
    for (int t = 0; t < 20; ++t) h = small::tanh(add(small::matmul(h, w), small::scale(x, Tape::generator()->uniform())));
    tape.backward(small::mean(small::square(h)));
    return w.grad().value().copy();
  };
  Array first = run();
  for (int k = 0; k < 3; ++k) BOOST_TEST(identical(run(), first));
}

BOOST_AUTO_TEST_CASE(memory_is_given_back) {
  Parameter w("w", ones({16, 16}));
  auto step = [&] {
    Tape tape;
    Variable h = w;
    for (int t = 0; t < 100; ++t) h = small::tanh(small::matmul(h, w));
    tape.backward(small::mean(h));
  };
  step();
  step();
  MemoryStatistics before = memory_statistics();
  for (int k = 0; k < 5; ++k) step();
  MemoryStatistics after = memory_statistics();
  BOOST_TEST(after.live == before.live);
  BOOST_TEST(after.allocations == before.allocations);
}

BOOST_AUTO_TEST_SUITE_END()
