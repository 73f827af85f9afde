// Substitution: what stands in for a Parameter within a scope. That every op reads it is a check of
// the op table (tests/ops).
#include <boost/test/unit_test.hpp>

#include <memory>
#include <thread>

#include "errors.hpp"
#include "small_ops.hpp"

#include <unroll/autograd/substitution.hpp>

using namespace unroll;

namespace {

bool same(const Variable& a, const Array& b) { return !a.empty() && identical(a.value(), b); }

const Array kTwo = values({1, 2}), kOther = values({5, -3});

}  // namespace

BOOST_AUTO_TEST_SUITE(substitution)

BOOST_AUTO_TEST_CASE(ops_read_the_value_and_gradients_flow_to_it) {
  Parameter w("w", kTwo);
  Tape tape;
  const Variable value = small::scale(w, 3);
  Variable y;
  {
    Substitution in_place(w, value);
    y = small::sum(small::square(w));  // 9 w^2
    BOOST_TEST(same(w, kTwo));
    BOOST_TEST(same(detach(w), values({3, 6})));
    BOOST_TEST(w[1].value().item() == 6);
  }
  BOOST_TEST(y.value().item() == 45);
  BOOST_TEST(same(grad(y, value, {.retain_graph = true}), values({6, 12})));
  BOOST_TEST(same(grad(y, w, {.retain_graph = true}), values({18, 36})));
  BOOST_TEST(same(small::square(w), values({1, 4})));
}

BOOST_AUTO_TEST_CASE(gradients_of_any_order_are_those_of_the_value) {
  Parameter w("w", values({0.3, -0.7}));
  auto third = [&](bool replaced) {
    Tape tape;
    const Variable value = small::tanh(w);
    Variable y;
    if (replaced) {
      Substitution in_place(w, value);
      y = small::sum(small::mul(small::exp(w), small::square(w)));
    } else {
      y = small::sum(small::mul(small::exp(value), small::square(value)));
    }
    Variable g = grad(y, w, {.create_graph = true});
    g = grad(small::sum(small::square(g)), w, {.create_graph = true});
    return grad(small::sum(g), w).value();
  };
  BOOST_TEST(identical(third(true), third(false)));
}

// A gradient function that computes with a Parameter means the one that was recorded.
BOOST_AUTO_TEST_CASE(sweeps_use_what_was_recorded) {
  Parameter w("w", kTwo);
  Tape tape;
  const Variable y = small::sum(small::mul(small::square(w), w));  // w^3
  Substitution in_place(w, kOther);
  const Variable g = grad(y, w, {.create_graph = true});
  BOOST_TEST(same(g, values({3, 12})));
  BOOST_TEST(same(grad(small::sum(g), w), values({6, 12})));
}

BOOST_AUTO_TEST_CASE(the_youngest_decides) {
  Parameter w("w", kTwo), u("u", kTwo), v("v", kOther);
  auto sum = [](const Variable& x) { return small::sum(x).value().item(); };
  auto outer = std::make_unique<Substitution>(w, kOther);
  BOOST_TEST(sum(w) == 2);
  {
    Substitution both({{w, v}, {u, w}});  // w is read where this is made, as an op would read it
    BOOST_TEST(sum(w) == 2);
    BOOST_TEST(sum(u) == 2);
  }
  BOOST_TEST(sum(u) == 3);
  auto inner = std::make_unique<Substitution>(w, values({0, 1}));
  outer.reset();  // before the inner one
  BOOST_TEST(sum(w) == 1);
  inner.reset();
  BOOST_TEST(sum(w) == 3);
}

// In whatever order they stand.
// What an op returns as it is was read: another use of it reads no further.
BOOST_AUTO_TEST_CASE(ops_that_change_nothing_read_once) {
  const Parameter P("P", kTwo), Q("Q", kOther);
  Tape tape;
  Substitution swap({{P, Q}, {Q, P}});
  for (const Variable& x : {contiguous(P), broadcast_to(P, {2}), sum_to(P, {2})}) {
    const Variable y = small::square(x);
    BOOST_TEST(same(y, values({25, 9})));
    BOOST_TEST(same(grad(small::sum(y), Q, {.retain_graph = true}), values({10, -6})));
  }
}

BOOST_AUTO_TEST_CASE(values_are_read_before_it_is_in_force) {
  Parameter v("v", kTwo), w("w", kOther);
  const std::vector<Substitution::Pair> swap{{v, w}, {w, v}};
  for (const auto& pairs : {swap, {swap[1], swap[0]}}) {
    Tape tape;
    Variable y;
    {
      Substitution in_place(pairs);
      y = small::sum(small::mul(small::square(v), w));  // w^2 v
    }
    const auto gradients = grad(y, {swap[0].value, swap[1].value});
    BOOST_TEST(same(gradients[0], values({10, -12})));
    BOOST_TEST(same(gradients[1], values({25, 9})));
  }
}

BOOST_AUTO_TEST_CASE(it_ends_with_its_scope_and_is_its_threads) {
  Parameter w("w", kTwo);
  try {
    Substitution in_place(w, kOther);
    double elsewhere = 0;
    std::thread([&] { elsewhere = small::sum(w).value().item(); }).join();
    BOOST_TEST(elsewhere == 3);
    BOOST_TEST(small::sum(w).value().item() == 2);
    add(w, values({1, 2, 3}));
  } catch (const Error&) {}
  BOOST_TEST(small::sum(w).value().item() == 3);
}

BOOST_AUTO_TEST_CASE(strided_values_are_read_in_their_order) {
  Parameter w("w", values({{1, 2}, {3, 4}}));
  Substitution in_place(w, values({{5, 6}, {7, 8}}).transposed());
  BOOST_TEST(same(w[0], values({5, 7})));
}

BOOST_AUTO_TEST_CASE(values_that_do_not_fit_are_refused) {
  Parameter w("w", kTwo);
  EXPECT_ERROR(
      Substitution(w, values({1, 2, 3})),
      "[substitution] w is float32 (2,), the value in its place float32 (3,); expected the same.");
  EXPECT_ERROR(
      Substitution(w, kTwo.to(float64)),
      "[substitution] w is float32 (2,), the value in its place float64 (2,); expected the same.");
  EXPECT_ERROR(
      Substitution(w, Variable()),
      "[substitution] w is float32 (2,), the value in its place empty; expected the same.");
}

BOOST_AUTO_TEST_SUITE_END()
