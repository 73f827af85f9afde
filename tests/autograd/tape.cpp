// Tapes: what is recorded when, backward and accumulation, watch, detach, nesting, repeatability
// and memory. Gradient functions and hooks have files of their own.
#include <boost/test/unit_test.hpp>

#include "errors.hpp"
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

BOOST_AUTO_TEST_CASE(same_seed_same_bits) {
  auto run = [] {
    Generator g(3);
    Array x = zeros({5, 4}), u = zeros({4, 4});
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
