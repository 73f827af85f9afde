// Numbers below the normal range: 0 in sweeps, where gradients that vanish would make them, and as
// they are everywhere else. What an optimiser does with them is in tests/layers/optimiser.cpp.
#include "reference.hpp"

#include <unroll/autograd/denormals.hpp>
#include <unroll/autograd/recomputed.hpp>
#include <unroll/autograd/tape.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reduce.hpp>

namespace {

using namespace reference;

const Array kSmall = full({3}, 1e-20);

/// What a gradient of 1e-40 is in a sweep.
const float kGone = FlushDenormals::kWorks ? 0.0f : 1e-20f * 1e-20f;

bool are_computed() { return square(Variable(kSmall)).value().at({0}) > 0; }

}  // namespace

BOOST_AUTO_TEST_SUITE(denormal_numbers)

BOOST_AUTO_TEST_CASE(are_zero_in_a_sweep) {
  for (double scale : {1e-17, 1e-20}) {  // the second makes 1e-40
    Tape tape;
    const Variable x = tape.watch(ones({3})), g = grad(sum(x * scale * 1e-20), x);
    BOOST_TEST(identical(g.value(), full({3}, scale > 1e-19 ? float(scale) * 1e-20f : kGone)));
    BOOST_TEST(are_computed());
  }
}

// Its products are made after the last node.
BOOST_AUTO_TEST_CASE(are_zero_in_the_gradient_of_a_weight) {
  Tape tape;
  const Variable W = tape.watch(ones({2, 3}));
  const Variable y = linear(full({2, 3}, 1e-20), W) + linear(full({2, 3}, 0.0), W);
  const Array g = grad(sum(y * 1e-20), W).value();
  for (double number : g.to_vector<double>())
    BOOST_TEST((FlushDenormals::kWorks ? number == 0 : number > 0));
  BOOST_TEST(are_computed());
}

BOOST_AUTO_TEST_CASE(are_as_before_when_a_sweep_throws) {
  Tape tape;
  const Variable x = tape.watch(ones({3})), y = sum(x);
  tape.hook(y, [](const Variable&) -> Variable { fail("hook", "stops"); });
  BOOST_CHECK_THROW(tape.backward(y), Error);
  BOOST_TEST(are_computed());
}

BOOST_AUTO_TEST_CASE(are_computed_where_a_sweep_computes_values_again) {
  auto gradient = [](bool again) {
    auto f = [](const Variables& v) -> Variables { return {square(v[0] * v[0] * 1e38)}; };  // 1e-40
    Tape tape;
    const Variable x = tape.watch(kSmall), y = again ? recomputed(f, {x})[0] : f({x})[0];
    return grad(sum(y), x).value();
  };
  BOOST_TEST(gradient(false).at({0}) > 0);
  BOOST_TEST(identical(gradient(true), gradient(false)));
}

BOOST_AUTO_TEST_SUITE_END()
