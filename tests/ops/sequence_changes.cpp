// When rows of a sequence share no product, or not that of before: rows, weights and biases that are
// written, frozen or made anew between the steps. What they share is in sequence.cpp.
#include <boost/test/unit_test.hpp>

#include <unroll/ops/ops.hpp>
#include <unroll/ops/sequence.hpp>

#include "common/numbers.hpp"

using namespace unroll;

namespace {

Array ramp(const Shape& shape) { return arange(0, shape.count(), 1, float32).reshaped(shape); }

}  // namespace

BOOST_AUTO_TEST_SUITE(sequence_changes)

// They are constants to the tape, though the Parameter that they are rows of is none.
BOOST_AUTO_TEST_CASE(rows_taken_before_the_tape) {
  const Parameter P("P", random({5, 2, 3}, 1)), W("W", random({4, 3}, 2));
  const std::vector<Variable> rows = rows_of(P);
  Tape tape;
  Variable y = zeros({}, float64);
  for (const Variable& x : rows) y = y + sum(linear(x, W));
  BOOST_TEST(norm(grad(y, W, {.retain_graph = true}).value()).item() > 0);
  BOOST_TEST(identical(grad(y, P).value(), zeros({5, 2, 3}, float64)));
}

BOOST_AUTO_TEST_CASE(rows_taken_within_no_grad) {
  const Parameter W("W", random({4, 3}, 2));
  Tape tape;
  const Variable xs = tape.watch(random({5, 2, 3}, 1));
  Variable y = zeros({}, float64);
  for (const Variable& x : no_grad([&] { return rows_of(xs); })) y = y + sum(linear(x, W));
  BOOST_TEST(identical(grad(y, xs).value(), zeros({5, 2, 3}, float64)));
}

// Each step counts as it was when it was taken: 0 to 2 freeze or thaw what is used, 3 and 4 the
// sequence itself.
BOOST_AUTO_TEST_CASE(what_is_frozen_on_the_way) {
  for (int what = 0; what < 5; ++what) {
    const auto gradients = [&](bool marked) {
      Parameter W("W", random({4, 3}, 1)), P("P", random({6, 2, 3}, 2)), b("b", random({4}, 3));
      Parameter& changed = what < 2 ? W : what == 2 ? b : P;
      Tape tape;
      if (what == 0 || what == 2) changed.freeze();
      const std::vector<Variable> rows = marked ? rows_of(P) : unstack(P);
      Variable y = zeros({}, float64);
      for (std::size_t t = 0; t < 6; ++t) {
        if (t == (what == 3 ? 1 : 3)) changed.freeze(!changed.is_frozen());
        y = y + sum(linear(rows[t], W, b));
      }
      changed.freeze(false);
      return grad(y, {W, P, b});
    };
    const std::vector<Variable> got = gradients(true), expected = gradients(false);
    for (std::size_t k = 0; k < 3; ++k)
      BOOST_TEST(distance(got[k].value(), expected[k].value()) <= 1e-12);
  }
}

// They would hold each other for ever.
BOOST_AUTO_TEST_CASE(rows_as_weights_of_rows) {
  const auto use = [] {
    const std::vector<Variable> rows = rows_of(Variable(random({9, 3, 3}, 1))),
                                others = rows_of(Variable(random({9, 3}, 2)));
    for (const Variable& x : rows) {
      linear(x, rows[1]);
      linear(x, ramp({3, 3}).to(float64), others[1]);
    }
    for (const Variable& x : others) linear(expand(x, 0), rows[2]);
  };
  use();
  const auto before = memory_statistics().live;
  use();
  BOOST_TEST(memory_statistics().live == before);
}

// Neither a weight that is used twice with one row makes a product of all, nor do weights that are
// made in each step push out one that is there.
BOOST_AUTO_TEST_CASE(weights_made_in_each_step) {
  const Parameter W("W", random({4, 3}, 1)), V("V", random({4, 3}, 2));
  Tape tape;
  const std::vector<Variable> rows = rows_of(Variable(random({20, 2, 3}, 3)));
  const Size before = tape.nodes();
  for (const Variable& x : rows) {
    linear(x, V);
    for (int k = 0; k < 7; ++k) {
      const Variable made = W * 2;
      linear(x, made);
      if (k == 0) linear(x, made);
    }
  }
  // One of the first step, and one of all with their rows.
  BOOST_TEST(tape.nodes() - before == 20 * 15 + 1 + 2);
}

BOOST_AUTO_TEST_CASE(rows_written_on_the_way) {
  Variable W = eye(2);
  Array xs = zeros({6, 1, 2});
  std::vector<Variable> rows = rows_of(xs);
  for (Size t = 0; t < 6; ++t) {
    Array next = linear(rows[static_cast<std::size_t>(t)], W).value();
    BOOST_TEST(identical(next, full({1, 2}, static_cast<double>(t))));
    if (t < 5) xs[t + 1].fill(static_cast<double>(t + 1));
  }
}

BOOST_AUTO_TEST_CASE(rows_written_on_the_way_on_a_tape) {
  Parameter W("W", eye(2));
  Array xs = zeros({3, 1, 2});
  Tape tape;
  std::vector<Variable> rows = rows_of(tape.watch(xs));
  Variable y = linear(rows[0], W);
  xs[1].fill(1);
  y = y + linear(rows[1], W);
  BOOST_TEST(identical(y.value(), ones({1, 2})));
  BOOST_CHECK_THROW(tape.backward(sum(y)), Error);  // row 0 was recorded before its memory changed
}

BOOST_AUTO_TEST_CASE(weights_that_change) {
  Parameter W("W", eye(2));
  std::vector<Variable> rows = rows_of(ones({6, 1, 2}));
  auto at = [&](std::size_t t) { return linear(rows[t], W).value().at({0, 0}); };
  BOOST_TEST(at(0) == 1);
  BOOST_TEST(at(1) == 1);
  W.assign(full({2, 2}, 3));
  BOOST_TEST(at(2) == 6);
  BOOST_TEST(at(3) == 6);
  W.to(float64);
  W.assign(full({2, 2}, 4));
  W.to(float32);
  BOOST_TEST(at(4) == 8);
  BOOST_TEST(at(5) == 8);
}

BOOST_AUTO_TEST_SUITE_END()
