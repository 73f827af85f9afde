// What a recomputed function reads besides its inputs: values in the place of Parameters, what must
// not change, what is another part's. Its gradients and memory are in recomputed.cpp.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/recomputed.hpp>
#include <unroll/autograd/substitution.hpp>

#include "errors.hpp"
#include "small_ops.hpp"

using namespace unroll;

namespace {

using Body = Function<Variables(const Variables&)>;

Variables plain(const Body& f, const Variables& inputs) { return f(inputs); }

Variable one(const Body& f, const Variable& x) { return recomputed(f, {x})[0]; }

// Functions that read w where nothing gives it a gradient.
std::vector<Body> unrecorded_reads(const Parameter& w) {
  return {[&w](const Variables& x) {
            return Variables{small::mul(x[0], no_grad([&] { return small::square(w); }))};
          },
          [&w](const Variables& x) {
            Array slope;
            {
              Tape own;
              const Variable inner = own.watch(x[0]);
              slope = grad(small::mul(inner, w), inner).value();
            }
            return Variables{small::mul(x[0], slope)};
          }};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recomputed_reads)

// A Parameter, and the value that stands in for it.
BOOST_AUTO_TEST_CASE(a_value_and_what_it_stands_for) {
  for (bool first : {true, false})
    for (bool graph : {true, false}) {
      Parameter W("W", values({5, 5}, float64)), w("w", values({1, 2}, float64));
      Tape tape;
      const Variable s = small::tanh(w);
      Substitution in_place(W, s);
      const Body f = [&](const Variables&) {
        const Variable a = small::scale(W, 2), b = small::scale(s, 3);
        return Variables{first ? add(a, b) : add(b, a)};
      };
      const Variable y = small::sum(recomputed(f, {})[0]);
      const Variable g = grad(y, s, {.create_graph = graph});
      BOOST_TEST(identical(g.value(), values({5, 5}, float64)));
    }
}

// To the second part, which runs again first, it would be a constant.
BOOST_AUTO_TEST_CASE(what_one_part_has_left_to_another) {
  Parameter w("w", values({2}, float64));
  Tape tape;
  Variable left, given;
  auto first = [&](const Variables& x) {
    given = x[0];
    left = small::mul(x[0], w);
    return Variables{left};
  };
  const Variable y = one(first, tape.watch(values({3}, float64)));
  for (const Variable* kept : {&left, &given}) {
    auto second = [&](const Variables& x) { return Variables{small::mul(x[0], *kept)}; };
    const std::string message =
        " a value (1,) belongs to what the backward pass computes again, which is recorded only "
        "then; let it be a result, or part of the State, pass detach(x), or use over_time without "
        "recompute_every and memory_budget.";
    EXPECT_ERROR(one(second, y), "[mul]" + message);
    EXPECT_ERROR(recomputed(second, {*kept}), "[recomputed]" + message);
  }
}

// Also what no gradient is asked of: a target network, the weights of a tape of its own.
BOOST_AUTO_TEST_CASE(what_is_read_must_not_change) {
  Parameter w("w", values({2}, float64));
  const std::vector<Body> bodies = unrecorded_reads(w);
  for (const Body& f : bodies) {
    Tape tape;
    const Variable x = tape.watch(values({3}, float64)), y = one(f, x);
    w.assign(values({5}, float64));
    EXPECT_ERROR(grad(y, x),
                 "[recomputed] input 1 (1,) was changed after it was recorded; call backward before "
                 "the change (an optimiser step, assign), or record a copy.");
  }
  // What the function has made for itself it may change.
  const Body own = [](const Variables& x) {
    Parameter mine("mine", values({2}, float64));
    Array y;
    {
      Tape inner;
      y = small::square(mine).value();
    }
    mine.assign(values({3}, float64));
    return Variables{small::mul(x[0], y)};
  };
  Tape tape;
  const Variable x = tape.watch(values({3}, float64));
  BOOST_TEST(grad(one(own, x), x).item() == 4);
}

// An optimiser leaves what has no gradient alone.
BOOST_AUTO_TEST_CASE(what_the_loss_does_not_ask_for_has_no_gradient) {
  Parameter w("w", values({2})), v("v", values({3}));
  Tape tape;
  const Variables y = recomputed(
      [&](const Variables& x) { return Variables{small::mul(x[0], w), small::mul(x[0], v)}; },
      {tape.watch(values({5}))});
  tape.backward(y[0]);
  BOOST_TEST(w.grad().item() == 5);
  BOOST_TEST(v.grad().empty());
}

BOOST_AUTO_TEST_CASE(results_that_are_empty) {
  Tape tape;
  const Variable x = tape.watch(values({3}, float64));
  const Variables y =
      recomputed([](const Variables& in) { return Variables{{}, small::square(in[0])}; }, {x});
  BOOST_TEST(y[0].empty());
  BOOST_TEST(grad(y[1], x).item() == 6);
}

// Whatever the function reads in the place of a Parameter, it reads again when its Substitution has
// ended: a constant, what gets no gradient, and what a tape of its own sees.
BOOST_AUTO_TEST_CASE(what_has_stood_for_a_parameter) {
  const Array two = values({2}, float64), five = values({5}, float64);
  Parameter w("w", two), v("v", five);
  std::vector<Body> bodies = unrecorded_reads(w);
  bodies.push_back([&](const Variables& x) { return Variables{small::mul(x[0], w)}; });
  for (const Body& f : bodies)
    for (bool constant : {true, false})
      for (bool graph : {true, false}) {
        auto gradient = [&](auto call) {
          Tape tape;
          const Variable x = tape.watch(values({3}, float64));
          Variable y;
          {
            Substitution in_place(w, constant ? Variable(five) : small::tanh(v));
            y = call(f, Variables{x})[0];
          }
          return grad(y, x, {.create_graph = graph}).value();
        };
        BOOST_TEST(identical(gradient(recomputed), gradient(plain)));
      }
}

// What stands for a Parameter may itself be one that something else stands for later.
BOOST_AUTO_TEST_CASE(substitutions_one_after_the_other) {
  Parameter w("w", values({2}, float64)), v("v", values({3}, float64)), u("u", values({4}, float64));
  const Body f = [&](const Variables& x) { return Variables{small::mul(x[0], w)}; };
  auto gradients = [&](auto call) {
    Tape tape;
    const Variable x = tape.watch(values({5}, float64)), t = small::tanh(u);
    Substitution first(w, v), second(v, t);
    return grad(call(f, Variables{x})[0], {x, v, u});
  };
  const auto again = gradients(recomputed), expected = gradients(plain);
  for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(again[k].item() == expected[k].item());
}

// A Parameter that is given is that Parameter, one that is returned is read by whoever uses it.
BOOST_AUTO_TEST_CASE(parameters_as_inputs_and_results) {
  Parameter w("w", values({2}, float64)), v("v", values({3}, float64)), u("u", values({4}, float64));
  auto gradients = [&](auto call, bool frozen) {
    u.freeze(frozen);
    Tape tape;
    Substitution first(w, u), second(u, v);
    const Variables y = call(
        [&](const Variables& x) {
          Substitution in_place(w, v);
          return Variables{small::mul(x[0], x[0]), x[0], x[1]};
        },
        Variables{w, u});
    return grad(small::mul(add(y[0], small::mul(y[1], y[1])), y[2]), Variables{v});
  };
  for (bool frozen : {true, false})
    BOOST_TEST(gradients([](const Body& f, const Variables& x) { return recomputed(f, x); },
                         frozen)[0].item() == gradients(plain, frozen)[0].item());
}

BOOST_AUTO_TEST_CASE(substitutions_within) {
  Parameter w("w", values({2}, float64)), v("v", values({5}, float64));
  Tape tape;
  const Variable x = tape.watch(values({3}, float64)), t = small::tanh(v);
  for (const Variable& value : {t, Variable(v), Variable(w)}) {
    const Body f = [&](const Variables& in) {
      Substitution in_place(w, value);
      return Variables{small::mul(in[0], w)};
    };
    const Parameter& of = value.record() == w.record() ? w : v;
    for (bool graph : {true, false})
      BOOST_TEST(
          identical(grad(one(f, x), of, {.create_graph = graph, .retain_graph = true}).value(),
                    grad(plain(f, x)[0], of, {.retain_graph = true}).value()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
