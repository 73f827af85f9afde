// Gradient checkpointing: gradients of any order as without it, whatever the function uses, less
// memory, the same random numbers, and its mistakes.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/gradcheck.hpp>
#include <unroll/autograd/recomputed.hpp>

#include "errors.hpp"
#include "small_ops.hpp"

#include "../common/numbers.hpp"

using namespace unroll;

namespace {

using Body = Function<Variables(const Variables&)>;

Variables plain(const Body& f, const Variables& inputs) { return f(inputs); }

Variable one(const Body& f, const Variable& x) { return recomputed(f, {x})[0]; }

Variable x_of_nothing() { return add(Variable(), Variable()); }

// Multiplies by a random number of the tape, as dropout does.
Variable scaled_at_random(const Variable& x) {
  return small::scale(x, Tape::generator()->uniform());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recomputed_functions)

// A result may lead to another one: grad() by it is told so, whoever calls, and whatever else it asks.
BOOST_AUTO_TEST_CASE(gradients_by_results) {
  const Body inner = [](const Variables& in) {
    const Variable a = small::tanh(in[0]);
    return Variables{small::square(a), a, small::mul(a, in[0])};
  };
  auto gradients = [&](auto call, bool with_input, bool graph) {
    Tape tape;
    const Variable x = tape.watch(values({0.5, -1, 2}, float64));
    const Body outer = [&](const Variables& in) { return call(inner, in); };
    const Variables ys = call(outer, Variables{x});
    const Variable loss = small::sum(small::mul(small::mul(ys[0], ys[0]), ys[2]));
    Variables wrt{ys[1], ys[0]};
    if (with_input) wrt.push_back(x);
    Variables all = grad(loss, wrt, {.create_graph = graph, .retain_graph = true});
    if (!graph) return all;
    all.push_back(grad(small::sum(small::square(all[0])), x));
    return all;
  };
  for (bool with_input : {false, true})
    for (bool graph : {false, true}) {
      const Variables expected = gradients(plain, with_input, graph),
                      got = gradients(recomputed, with_input, graph);
      for (std::size_t k = 0; k < expected.size(); ++k)
        BOOST_TEST(distance(got[k], expected[k]) < 1e-12);
    }
}

// An input of a part within a part may itself be a value that the outer one only uses.
BOOST_AUTO_TEST_CASE(what_is_used_may_be_given_to_a_part_within) {
  auto gradient = [](auto call) {
    Parameter w("w", values({1, 2}, float64));
    Tape tape;
    const Variable used = small::scale(w, 1);
    const Body inner = [](const Variables& x) { return Variables{small::tanh(x[0])}; };
    const Body outer = [&](const Variables& x) {
      return Variables{small::mul(x[0], call(inner, Variables{used})[0])};
    };
    tape.backward(small::sum(call(outer, Variables{w})[0]));
    return w.grad();
  };
  BOOST_TEST(identical(gradient(recomputed).value(), gradient(plain).value()));
}

BOOST_AUTO_TEST_CASE(all_that_is_used_gets_its_gradient) {
  Parameter w("w", values({0.5, -1, 2}, float64)), frozen("frozen", values({3, 1, 2}, float64));
  freeze(frozen);
  Array numbers = values({1, 2, 3}, float64);
  auto gradients = [&](auto call) {
    Tape tape;
    Variable x = tape.watch(numbers);
    Variable made = small::mul(x, w);  // depends on both inputs, is used inside
    Body f = [&](const Variables& in) {
      Variable y = small::mul(small::mul(in[0], made), small::mul(in[1], frozen));
      return Variables{small::square(small::mul(y, w)), y};
    };
    Variables ys = call(f, Variables{x, w});
    Variable loss = add(small::mul(ys[0], ys[1]), made);
    std::vector<Variable> g = grad({loss}, {x, w}, {.grad_outputs = {Variable(numbers)}});
    g.push_back(loss);
    return g;
  };
  std::vector<Variable> expected = gradients(plain), got = gradients(recomputed);
  for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(identical(got[k].value(), expected[k].value()));
}

// Their gradients are parts of one array.
BOOST_AUTO_TEST_CASE(inputs_that_are_views_of_one) {
  auto gradients = [&](auto call) {
    Tape tape;
    Variable x = tape.watch(values({1, 2, 3, 4, 5}, float64)), y = small::square(x);
    Variable a = small::slice(y, 0, 0, 3), b = small::slice(y, 0, 1, 4),
             c = small::slice(y, 0, 4, 1, -1);
    Body f = [&](const Variables& in) {
      return Variables{small::mul(small::mul(in[0], in[1]), small::mul(in[2], b))};
    };
    return grad(small::sum(add(call(f, Variables{a, b, c})[0], a)), x);
  };
  BOOST_TEST(identical(gradients(recomputed).value(), gradients(plain).value()));
}

// What stands for a value that is used is no contiguous array either.
BOOST_AUTO_TEST_CASE(views_of_a_strided_value_that_is_used) {
  auto gradients = [&](auto call, bool graph) {
    Tape tape;
    Variable x = tape.watch(values({{1, 2, 3}, {4, 5, 6}}, float64));
    Variable strided = small::transpose(small::square(x));
    Body f = [&](const Variables& in) { return Variables{small::mul(in[0], strided[1])}; };
    Variable y = call(f, Variables{values({3, 4}, float64)})[0];
    return grad(small::sum(y), x, {.create_graph = graph});
  };
  for (bool graph : {false, true})
    BOOST_TEST(identical(gradients(recomputed, graph).value(), gradients(plain, graph).value()));
}

BOOST_AUTO_TEST_CASE(any_order) {
  Parameter w("w", values({0.5, -1, 2}, float64));
  auto f = [&](const Variable& x) {
    Variable made = small::mul(x, w);
    return one(
        [=, &w](const Variables& in) {
          Variable inner = one(
              [=](const Variables& z) { return Variables{small::mul(small::square(z[0]), made)}; },
              in[0]);
          return Variables{small::mul(inner, small::mul(w, w))};
        },
        small::square(x));
  };
  BOOST_TEST(gradcheck(f, {{3}}, {.order = 2, .parameters = w}));
}

BOOST_AUTO_TEST_CASE(third_derivative) {
  Tape tape;
  Variable x = tape.watch(values({2}, float64));
  Variable y = one(
      [](const Variables& in) {
        return Variables{small::mul(small::square(in[0]), small::square(in[0]))};
      },
      x);
  Variable g = x;
  for (double expected : {32.0, 48.0, 48.0}) {  // of x^4 at 2
    g = y = grad(y, x, {.create_graph = true});
    BOOST_TEST(g.item() == expected);
  }
}

BOOST_AUTO_TEST_CASE(nothing_in_between_is_kept) {
  constexpr Size n = 100'000;
  auto live = [&](auto call) {
    Tape tape;
    Variable x = tape.watch(zeros({n}));
    std::int64_t before = memory_statistics().live;
    Body chain = [](const Variables& in) {
      Variable y = in[0];
      for (int k = 0; k < 50; ++k) y = small::square(y);
      return Variables{y};
    };
    Variables ys = call(chain, Variables{x});
    return memory_statistics().live - before;
  };
  BOOST_TEST(live(plain) > 49 * n * 4);
  BOOST_TEST(live(recomputed) < 2 * n * 4);
}

BOOST_AUTO_TEST_CASE(the_same_random_numbers_again) {
  for (bool graph : {false, true}) {
    Generator generator(5);
    Tape tape(generator);
    Variable x = tape.watch(values({1}, float64));
    Variable y = one([](const Variables& in) { return Variables{scaled_at_random(in[0])}; }, x);
    Generator::State after = generator.state();
    BOOST_TEST(grad(y, x, {.create_graph = graph}).item() == y.item());
    BOOST_TEST((generator.state() == after));
    BOOST_TEST(scaled_at_random(x).item() != y.item());
  }
}

BOOST_AUTO_TEST_CASE(without_a_tape_it_is_the_function) {
  int calls = 0;
  Variable y = one(
      [&](const Variables& in) {
        ++calls;
        BOOST_TEST(!Tape::recording());
        return Variables{small::square(in[0])};
      },
      values({3}));
  BOOST_TEST(y.item() == 9);
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(no_grad_and_own_tapes_inside) {
  Tape tape;
  Variable x = tape.watch(values({3}, float64));
  Variable y = one(
      [&](const Variables& in) {
        Variable constant = no_grad([&] { return small::square(x); });
        Tape inner;
        Variable z = inner.watch(values({2}, float64));
        Variable slope = grad(small::square(z), z);  // 4
        return Variables{small::mul(in[0], small::mul(detach(constant), slope))};
      },
      x);
  BOOST_TEST(y.item() == 108);
}

BOOST_AUTO_TEST_CASE(results_that_are_inputs_or_constants) {
  Parameter w("w", values({4}, float64));
  Tape tape;
  Variable x = tape.watch(values({3}, float64));
  Variables ys = recomputed(
      [&](const Variables& in) {
        return Variables{in[0], w, Variable(indices({1})), small::square(in[0])};
      },
      {x});
  BOOST_TEST(ys[2].type() == int64);
  Variable sum = add(add(ys[0], ys[1]), ys[3]);
  std::vector<Variable> g = grad(sum, {x, w});
  BOOST_TEST(g[0].item() == 7);
  BOOST_TEST(g[1].item() == 1);
}

BOOST_AUTO_TEST_CASE(mistakes) {
  Parameter w("w", values({4}, float64));
  auto square_of_w = [&](const Variables& in) { return Variables{small::mul(in[0], w)}; };
  Tape tape;
  Variable x = tape.watch(values({3}, float64));
  Variable y = one(square_of_w, x);
  w.assign(values({5}, float64));
  EXPECT_ERROR(
      grad(y, x),
      "[recomputed] input 1 (1,) was changed after it was recorded; call backward before the "
      "change (an optimiser step, assign), or record a copy.");
  EXPECT_ERROR(one(square_of_w, {}), "[recomputed] input 0 is empty; give it a value first.");
  // An error inside leaves the tape as it was.
  EXPECT_ERROR(one([](const Variables&) { return Variables{x_of_nothing()}; }, x),
               "[add] input 0 is empty; give it a value first.");
  BOOST_TEST(small::square(x).is_recorded());
}

BOOST_AUTO_TEST_CASE(anomalies_are_found_inside) {
  Tape tape({.anomaly = true});
  Variable x = tape.watch(values({0}));
  EXPECT_ERROR(one([](const Variables& in) { return Variables{small::reciprocal(in[0])}; }, x),
               "[anomaly] the value of reciprocal((1,) in [0, 0]) is not finite.");
}

BOOST_AUTO_TEST_SUITE_END()
