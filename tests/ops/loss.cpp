// Losses where the formulas of the op table (table_loss.cpp) say nothing: ignored targets, infinite
// logits, kinks, many classes, and the errors. ctc_loss is in ctc.cpp.
#include "reference.hpp"

#include <limits>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/loss.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/softmax.hpp>

namespace {

using namespace reference;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The gradient of the sum of f(x), as the kernel and as the differentiable form make it.
template <class F>
Array gradient_of(const Array& x, F f, bool create_graph) {
  Tape tape;
  Variable v = tape.watch(x);
  return grad(sum(f(v)), v, {.create_graph = create_graph}).value();
}

Array classes_at_random(const Shape& shape, Size classes) {
  Generator generator(5);
  return build(shape, [&](const Index&) {
    return static_cast<double>(generator.below(static_cast<std::uint64_t>(classes)));
  }).to(int64);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loss_ops)

BOOST_AUTO_TEST_CASE(cross_entropy_of_a_language_model) {
  const Size T = 5, B = 3, V = 203;
  for (Type type : {float32, float64}) {
    Array x = numbers({T, B, V}, 1, type), y = classes_at_random({T, B}, V);
    double tolerance = type == float32 ? 1e-6 : 1e-14;
    auto total = [&](Size t, Size b) {
      double sum = 0;
      for (Size c = 0; c < V; ++c) sum += std::exp(x.at({t, b, c}));
      return sum;
    };
    double loss = 0;
    for (Size t = 0; t < T; ++t)
      for (Size b = 0; b < B; ++b)
        loss += std::log(total(t, b)) - x.at({t, b, static_cast<Size>(y.at({t, b}))});
    BOOST_TEST(close(cross_entropy(x, y), full({}, loss / (T * B), float64), tolerance));
    Array gradient = build({T, B, V}, [&](const Index& i) {
      double p = std::exp(x.at({i[0], i[1], i[2]})) / total(i[0], i[1]);
      return (p - (static_cast<double>(i[2]) == y.at({i[0], i[1]}))) / (T * B);
    });
    for (bool create_graph : {false, true})
      BOOST_TEST(close(gradient_of(x, [&](auto& v) { return cross_entropy(v, y); }, create_graph),
                       gradient, tolerance));
  }
}

BOOST_AUTO_TEST_CASE(all_targets_ignored) {
  Array x = numbers({2, 3}), y = full({2}, -100, int64);
  for (bool create_graph : {false, true})
    for (Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
      auto loss = [&](const Variable& v) {
        return cross_entropy(v, y, {.label_smoothing = 0.1, .reduction = reduction});
      };
      bool mean = reduction == Reduction::mean;
      Shape shape = reduction == Reduction::none ? Shape{2} : Shape();
      BOOST_TEST(close(loss(x), full(shape, mean ? kNan : 0, float64)));
      BOOST_TEST(close(gradient_of(x, loss, create_graph), zeros({2, 3}, float64)));
    }
  BOOST_TEST(nll_loss(x, y, {.reduction = Reduction::sum}).item() == 0);
}

BOOST_AUTO_TEST_CASE(ignored_rows_may_hold_anything) {
  Array x = values({{1, 2, 3}, {kNan, kInfinity, 0}}, float64), y = indices({2, -1});
  Array row = values({{1, 2, 3}}, float64);
  double expected = cross_entropy(row, indices({2})).item();
  CrossEntropyOptions options{.ignore_index = -1};
  BOOST_TEST(cross_entropy(x, y, options).item() == expected);
  Array g = gradient_of(x, [&](auto& v) { return cross_entropy(v, y, options); }, false);
  BOOST_TEST(close(g[1], zeros({3}, float64)));
  Array p = values({{-1, -2, -3}, {-kInfinity, kNan, kNan}}, float64);
  BOOST_TEST(nll_loss(p, y, {.ignore_index = -1}).item() == 3);
}

BOOST_AUTO_TEST_CASE(impossible_classes) {
  Array x = values({{0, -kInfinity, 0}}, float64);
  BOOST_TEST(close(cross_entropy(x, indices({0})), full({}, std::log(2.0), float64)));
  BOOST_TEST(cross_entropy(x, indices({1})).item() == kInfinity);
  Array q = values({{0.5, 0, 0.5}}, float64);
  BOOST_TEST(close(cross_entropy(x, q), full({}, std::log(2.0), float64)));
  BOOST_TEST(close(kl_divergence(values({{-1, -kInfinity}}, float64), values({{1, 0}}, float64),
                                 {.reduction = Reduction::sum}),
                   full({}, 1, float64)));
}

BOOST_AUTO_TEST_CASE(large_logits) {
  for (Type type : {float32, float64}) {
    Array x = values({{1e4, 0}, {0, 1e4}}, type);
    BOOST_TEST(close(cross_entropy(x, indices({0, 0}), {.reduction = Reduction::none}),
                     values({0, 1e4}, float64)));
    Array z = values({200, -200, 200, -200}, type), y = values({1, 0, 0, 1}, type);
    auto loss = [&](const Variable& v) {
      return binary_cross_entropy_with_logits(v, y, {.reduction = Reduction::none});
    };
    BOOST_TEST(close(loss(z), values({0, 0, 200, 200}, float64)));
    BOOST_TEST(close(gradient_of(z, loss, false), values({0, 0, 1, -1}, float64)));
  }
  // Where the loss is tiny it is still exact.
  Array z = full({1}, -40, float64), y = zeros({1}, float64);
  BOOST_TEST(std::abs(binary_cross_entropy_with_logits(z, y).item() / std::exp(-40.0) - 1) < 1e-14);
}

// One hot probabilities are class numbers.
BOOST_AUTO_TEST_CASE(probabilities_and_class_numbers_agree) {
  Array x = numbers({4, 6}), y = classes_at_random({4}, 6), w = values({1, 2, 3, 4, 5, 6}, float64);
  Array q = build({4, 6}, [&](const Index& i) {
    return y.at({i[0]}) == static_cast<double>(i[1]) ? 1.0 : 0.0;
  });
  CrossEntropyOptions options{.label_smoothing = 0.2, .reduction = Reduction::none, .weights = w};
  BOOST_TEST(close(cross_entropy(x, y, options), cross_entropy(x, q, options).value()));
}

BOOST_AUTO_TEST_CASE(gradients_are_added) {
  Array x = numbers({4, 9}), y = classes_at_random({4}, 9), ignored = y.copy();
  ignored.select(0, 2).fill(-100);
  auto a = [&](const Variable& v) { return cross_entropy(v, y); };
  auto b = [&](const Variable& v) { return cross_entropy(v, ignored, {.label_smoothing = 0.1}); };
  Array together = gradient_of(x, [&](const Variable& v) { return a(v) + b(v); }, false);
  Array apart = (Variable(gradient_of(x, a, false)) + gradient_of(x, b, false)).value();
  BOOST_TEST(close(together, apart));
}

BOOST_AUTO_TEST_CASE(kinks_as_in_torch) {
  Array x = values({1, 2, 0}, float64), y = values({1, 1, 1}, float64);  // d = 0, delta, -delta
  auto each = [&](auto f) { return gradient_of(x, [&](auto& v) { return f(v); }, false); };
  BOOST_TEST(close(each([&](auto& v) {
    return mean_absolute_error(v, y, {.reduction = Reduction::sum});
  }), values({0, 1, -1}, float64)));
  BOOST_TEST(close(each([&](auto& v) {
    return huber_loss(v, y, {.reduction = Reduction::sum});
  }), values({0, 1, -1}, float64)));
  BOOST_TEST(close(each([&](auto& v) {
    return smooth_l1_loss(v, y, {.beta = 0.5, .reduction = Reduction::sum});
  }), values({0, 1, -1}, float64)));
}

BOOST_AUTO_TEST_CASE(errors_of_class_losses) {
  Array x = zeros({2, 3, 4});
  Array y = zeros({2, 3}, int64);
  y.select(0, 1).select(0, 2).fill(4);
  BOOST_TEST(error_of([&] { cross_entropy(x, y); }) ==
             "[cross_entropy] target 4 at (1, 2) is not in [0, 4); expected a class number, or "
             "ignore_index -100.");
  y.fill(-1);
  BOOST_TEST(error_of([&] { nll_loss(x, y, {.ignore_index = 7}); }) ==
             "[nll_loss] target -1 at (0, 0) is not in [0, 4); expected a class number, or "
             "ignore_index 7.");
  BOOST_TEST(error_of([&] { cross_entropy(x, indices({1, 2})); }) ==
             "[cross_entropy] scores are (2, 3, 4), targets int64 (2,); expected int64 class "
             "numbers of shape (2, 3).");
  BOOST_TEST(error_of([&] { cross_entropy(x, zeros({2, 3})); }) ==
             "[cross_entropy] logits are (2, 3, 4), targets float32 (2, 3); expected probabilities "
             "(2, 3, 4), or int64 class numbers without the last axis.");
  y.fill(0);
  BOOST_TEST(error_of([&] { cross_entropy(x, y, {.weights = ones({3})}); }) ==
             "[cross_entropy] weights have shape (3,); expected (4,), one per class.");
  BOOST_TEST(error_of([&] { cross_entropy(x, y, {.label_smoothing = 1.5}); }) ==
             "[cross_entropy] label_smoothing is 1.5; expected a number in [0, 1].");
  BOOST_TEST(error_of([&] { cross_entropy(full({}, 1), y); }) ==
             "[cross_entropy] logits are a scalar (); expected (..., V).");
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_filled_anew_before_backward) {
  Array y = zeros({2}, int64), weights = ones({4}, float64);
  Tape tape;
  Variable x = tape.watch(zeros({2, 4}));
  Variable loss = cross_entropy(x, y), weighted = cross_entropy(x, zeros({2}, int64), {.weights = weights});
  weights.fill(0);
  BOOST_TEST(close(grad(weighted, x).value()[0], values({-0.375, 0.125, 0.125, 0.125}), 1e-7));
  y.fill(1000);
  BOOST_TEST(error_of([&] { tape.backward(loss); }) ==
             "[cross_entropy] input 1 (2,) was changed after it was recorded; call backward before "
             "the change (an optimiser step, assign), or record a copy.");
}

BOOST_AUTO_TEST_CASE(errors_of_element_losses) {
  Array x = zeros({4, 1}), y = zeros({4});
  BOOST_TEST(error_of([&] { mean_squared_error(x, y); }) ==
             "[mean_squared_error] shapes differ: (4, 1) and (4,); expected equal ones, "
             "reshape one.");
  BOOST_TEST(error_of([&] { kl_divergence(x, y); }) ==
             "[kl_divergence] shapes differ: (4, 1) and (4,); expected equal ones, reshape one.");
  BOOST_TEST(error_of([&] { huber_loss(y, y, {.delta = 0}); }) ==
             "[huber_loss] delta is 0; expected a positive number.");
  BOOST_TEST(error_of([&] { smooth_l1_loss(y, y, {.beta = -1}); }) ==
             "[smooth_l1_loss] beta is -1; expected 0 or a positive number.");
  BOOST_TEST(error_of([&] { binary_cross_entropy_with_logits(y, y, {.weight = ones({3, 4})}); }) ==
             "[binary_cross_entropy_with_logits] logits are (4,), weights broadcast to (3, 4); "
             "expected weights that broadcast to (4,).");
  BOOST_TEST(error_of([&] { kl_divergence(full({}, 1), full({}, 1), {.batch_mean = true}); }) ==
             "[kl_divergence] a scalar () has no batch; expected (B, ...), or batch_mean = false.");
}

BOOST_AUTO_TEST_SUITE_END()
