// softmax, log_softmax and logsumexp where exponentials overflow, vanish or do not exist. Ordinary
// numbers, orders of gradients and strides are rows of the op table (table_softmax.cpp).
#include "reference.hpp"

#include <limits>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

namespace {

using namespace reference;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What f makes of x, and the gradient of its sum weighted with 1, 2, 3, ...
struct Result {
  Array value, gradient;
};
template <class F>
Result result_of(const Array& x, F f, bool create_graph = false) {
  Tape tape;
  Variable watched = tape.watch(x), y = f(watched);
  Array weights = arange(1, y.size() + 1).to(y.type()).reshaped(y.shape());
  Variable g = grad(y, watched, {.create_graph = create_graph, .grad_outputs = {weights}});
  return {y.value(), g.value()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(softmax_ops)

BOOST_AUTO_TEST_CASE(large_numbers_do_not_overflow) {
  for (Type type : {float32, float64}) {
    double e = std::exp(-1.0);
    for (double shift : {0.0, 1e4, -1e4}) {
      Array x = values({{shift, shift + 1}}, type);
      double tolerance = type == float32 ? 1e-6 : 1e-14;
      BOOST_TEST(close(softmax(x), values({{e / (1 + e), 1 / (1 + e)}}, float64), tolerance));
      BOOST_TEST(close(log_softmax(x), values({{-1 - std::log1p(e), -std::log1p(e)}}, float64),
                       tolerance));
      BOOST_TEST(close(logsumexp(x), full({}, shift + 1 + std::log1p(e), float64), tolerance));
    }
    Array far = values({{-1e30, 0, 1e30}}, type);
    BOOST_TEST(close(softmax(far), values({{0, 0, 1}}, float64)));
    BOOST_TEST(close(log_softmax(far), values({{-2e30, -1e30, 0}}, float64), 1e-6));
    BOOST_TEST(close(logsumexp(far), full({}, 1e30, float64), 1e-6));
  }
}

BOOST_AUTO_TEST_CASE(masked_entries_have_probability_zero_and_no_gradient) {
  for (Type type : {float32, float64})
    for (bool create_graph : {false, true}) {
      double tolerance = type == float32 ? 1e-6 : 1e-14;
      Array x = values({{0, -kInfinity, 0}, {-kInfinity, -kInfinity, 5}}, type);
      Result s = result_of(x, [](auto& v) { return softmax(v); }, create_graph);
      BOOST_TEST(close(s.value, values({{0.5, 0, 0.5}, {0, 0, 1}}, float64), tolerance));
      // y (w - sum(y w)) with w = 1, 2, 3
      BOOST_TEST(close(s.gradient, values({{-0.5, 0, 0.5}, {0, 0, 0}}, float64), tolerance));
      Result l = result_of(x, [](auto& v) { return logsumexp(v, {.axes = {-1}}); }, create_graph);
      BOOST_TEST(close(l.value, values({std::log(2.0), 5}, float64), tolerance));
      BOOST_TEST(close(l.gradient, values({{0.5, 0, 0.5}, {0, 0, 2}}, float64), tolerance));
      BOOST_TEST(close(log_softmax(x), values({{-std::log(2.0), -kInfinity, -std::log(2.0)},
                                               {-kInfinity, -kInfinity, 0}}, float64), tolerance));
    }
}

BOOST_AUTO_TEST_CASE(rows_of_minus_infinity) {
  Array x = full({2, 3}, -kInfinity, float64);
  for (bool create_graph : {false, true}) {
    Result l = result_of(x, [](auto& v) { return logsumexp(v, {.axes = {-1}}); }, create_graph);
    BOOST_TEST(close(l.value, full({2}, -kInfinity, float64)));
    BOOST_TEST(close(l.gradient, zeros({2, 3}, float64)));
  }
  BOOST_TEST(close(softmax(x), full({2, 3}, kNan, float64)));
  BOOST_TEST(close(log_softmax(x), full({2, 3}, kNan, float64)));
}

BOOST_AUTO_TEST_CASE(nan_and_infinity_go_through) {
  for (Type type : {float32, float64})
    for (Size n : {3, 8, 21}) {
      for (double bad : {kNan, kInfinity}) {
        Array x = zeros({2, n}, type);
        x.select(0, 1).select(0, n / 2).fill(bad);
        for (const Array& y : {softmax(x).value(), log_softmax(x).value()}) {
          BOOST_TEST(close(y[1], full({n}, kNan, float64)));
          for (double e : y[0].to_vector<double>()) BOOST_TEST(std::isfinite(e));
        }
        BOOST_TEST(close(logsumexp(x, {.axes = {-1}}).value()[1], full({}, bad, float64)));
      }
      Array hidden = full({n}, -kInfinity, type);  // the largest number is not the NaN
      hidden.select(0, n - 1).fill(kNan);
      BOOST_TEST(close(logsumexp(hidden), full({}, kNan, float64)));
    }
}

BOOST_AUTO_TEST_CASE(empty_axes) {
  BOOST_TEST(softmax(zeros({3, 0})).shape() == Shape({3, 0}));
  BOOST_TEST(close(logsumexp(zeros({2, 0}), {.axes = {1}}), full({2}, -kInfinity, float64)));
  BOOST_TEST(close(logsumexp(zeros({0})), full({}, -kInfinity, float64)));
  Result l = result_of(zeros({2, 0}, float64), [](auto& v) { return logsumexp(v, {.axes = {1}}); });
  BOOST_TEST(l.gradient.shape() == Shape({2, 0}));
}

// Gradients of an input that is used twice add up, whichever kernel comes first.
BOOST_AUTO_TEST_CASE(gradients_are_added) {
  Array x = numbers({3, 11}), w = numbers({3, 11}, 2);
  auto gradient = [&](auto f) {
    Tape tape;
    Variable v = tape.watch(x);
    return grad(f(v), v).value();
  };
  auto a = [&](const Variable& v) { return sum(softmax(v) * w); };
  auto b = [&](const Variable& v) { return sum(log_softmax(v) * w); };
  auto c = [&](const Variable& v) { return logsumexp(v); };
  Array together = gradient([&](const Variable& v) { return a(v) + b(v) + c(v); });
  Array apart = (Variable(gradient(a)) + gradient(b) + gradient(c)).value();
  BOOST_TEST(close(together, apart));
}

// Along axes whose numbers lie far from each other.
BOOST_AUTO_TEST_CASE(any_axis) {
  const Array x = numbers({3, 37, 16});
  for (auto f : {softmax, log_softmax})
    for (int axis : {0, 1}) {
      std::vector<Size> order{0, 1, 2};
      std::swap(order[static_cast<std::size_t>(axis)], order[2]);
      auto moved = [&](const Variable& v) { return permute(f(permute(v, order), -1), order); };
      const Result along = result_of(x, [&](auto& v) { return f(v, axis); });
      const Result last = result_of(x, moved);
      BOOST_TEST(identical(along.value, last.value.copy()));
      BOOST_TEST(identical(along.gradient, last.gradient.copy()));
      const Result twice = result_of(x, [&](auto& v) { return f(v, axis) + v + f(v, axis); });
      BOOST_TEST(close(twice.gradient, (2 * Variable(last.gradient) +
                                        reshape(arange(1, x.size() + 1).to(float64), x.shape())).value()));
    }
}

BOOST_AUTO_TEST_CASE(errors) {
  BOOST_TEST(error_of([] { softmax(zeros({2, 3}), 2); }) ==
             "[softmax] axis 2 does not exist in shape (2, 3); expected -2 to 1.");
  BOOST_TEST(error_of([] { log_softmax(zeros({2, 3}, int64)); }) ==
             "[log_softmax] elements are int64; expected float32 or float64.");
  BOOST_TEST(error_of([] { logsumexp(zeros({2, 3}), {.axes = {-3}}); }) ==
             "[logsumexp] axis -3 does not exist in shape (2, 3); expected -2 to 1.");
  BOOST_TEST(error_of([] { logsumexp(zeros({2, 3}), {.axes = {0, -2}}); }) ==
             "[logsumexp] axis -2 of shape (2, 3) is named twice.");
}

BOOST_AUTO_TEST_SUITE_END()
