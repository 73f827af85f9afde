// Op table: losses, in every combination of their options that changes the formula. Impossible
// inputs and error messages are in loss.cpp and ctc.cpp.
#include <cmath>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/loss.hpp>

#include "op_table.hpp"

namespace op_table {
namespace {

using unroll::Reduction;

Numbers reduced(const Numbers& x, Reduction reduction, double count) {
  if (reduction == Reduction::none) return x;
  double sum = 0;
  for (double e : x.data) sum += e;
  Numbers y(Index{});
  y.data[0] = reduction == Reduction::mean ? sum / count : sum;
  return y;
}

// ---- of class numbers --------------------------------------------------------------------------

constexpr Size kClasses = 5;
const unroll::Array class_weights = unroll::values({0.5, 2, 1, 0.25, 3}, unroll::float64);

double weight(bool weighted, Size c) { return weighted ? class_weights.at({c}) : 1; }

struct ClassLoss {
  const char* variant;
  Reduction reduction;
  double smoothing = 0;
  bool weighted = false;
  Size ignored = -100;

  double row(const Numbers& log_p, Index i, Size y) const {
    double sum = 0;
    for (Size c = 0; c < kClasses; ++c) {
      i.back() = c;
      double q = smoothing / kClasses + (c == y ? 1 - smoothing : 0);
      sum -= q * weight(weighted, c) * log_p.at(i);
    }
    return sum;
  }

  Numbers operator()(const Numbers& log_p, const Numbers& targets) const {
    double count = 0;
    Numbers losses = build(targets.shape, [&](Index i) {
      const Size y = static_cast<Size>(targets.at(i));
      if (y == ignored) return 0.0;
      count += weight(weighted, y);
      i.push_back(0);
      return row(log_p, i, y);
    });
    return reduced(losses, reduction, count);
  }
};

Numbers log_softmax(const Numbers& x) {
  const Numbers totals = fold(x, {-1}, true, [](const std::vector<double>& row) {
    double sum = 0;
    for (double e : row) sum += std::exp(e);
    return std::log(sum);
  });
  return build(x.shape, [&](const Index& i) { return x.at(i) - broadcast_at(totals, i); });
}

std::vector<Input> scores_and_classes() {
  return {empty_as(real({4, 3, kClasses}), {4, 0, kClasses}),
          empty_as(index({4, 3}, kClasses), {4, 0})};
}

Row cross_entropy_row(ClassLoss loss) {
  return {.name = "cross_entropy",
          .variant = loss.variant,
          .f = [=](const Variables& x) {
            return unroll::cross_entropy(
                x[0], x[1],
                {.ignore_index = loss.ignored,
                 .label_smoothing = loss.smoothing,
                 .reduction = loss.reduction,
                 .weights = loss.weighted ? Variable(class_weights) : Variable()});
          },
          .reference = [=](const NumbersList& x) { return loss(log_softmax(x[0]), x[1]); },
          .inputs = scores_and_classes()};
}

Row nll_row(ClassLoss loss) {
  return {.name = "nll_loss",
          .variant = loss.variant,
          .f = [=](const Variables& x) {
            return unroll::nll_loss(
                x[0], x[1],
                {.ignore_index = loss.ignored,
                 .reduction = loss.reduction,
                 .weights = loss.weighted ? Variable(class_weights) : Variable()});
          },
          .reference = [=](const NumbersList& x) { return loss(x[0], x[1]); },
          .inputs = scores_and_classes()};
}

/// Targets that are probabilities; these sum to no particular number.
Row probabilities_row(const char* variant, Reduction reduction, double smoothing, bool weighted) {
  const unroll::CrossEntropyOptions options{
      .label_smoothing = smoothing,
      .reduction = reduction,
      .weights = weighted ? Variable(class_weights) : Variable()};
  return {.name = "cross_entropy",
          .variant = variant,
          .f = [=](const Variables& x) { return unroll::cross_entropy(x[0], x[1], options); },
          .reference =
              [=](const NumbersList& x) {
                const Numbers log_p = log_softmax(x[0]);
                const Numbers terms = build(log_p.shape, [&](const Index& i) {
                  double q = (1 - smoothing) * x[1].at(i) + smoothing / kClasses;
                  return -q * weight(weighted, i.back()) * log_p.at(i);
                });
                const Numbers losses = fold(terms, {-1}, false, [](const std::vector<double>& t) {
                  double sum = 0;
                  for (double e : t) sum += e;
                  return sum;
                });
                return reduced(losses, reduction, static_cast<double>(losses.count()));
              },
          .inputs = {empty_as(real({4, kClasses}), {4, kClasses}),
                     empty_as(real({4, kClasses}, 0.1, 1), {4, kClasses})}};
}

const Rows class_rows{
    cross_entropy_row({"mean", Reduction::mean}),
    cross_entropy_row({"sum", Reduction::sum}),
    cross_entropy_row({"none", Reduction::none}),
    cross_entropy_row({.variant = "ignoring mean", .reduction = Reduction::mean, .ignored = 2}),
    cross_entropy_row({.variant = "ignoring none", .reduction = Reduction::none, .ignored = 0}),
    cross_entropy_row({.variant = "weighted", .reduction = Reduction::mean, .weighted = true}),
    cross_entropy_row({.variant = "smoothed", .reduction = Reduction::sum, .smoothing = 0.3}),
    cross_entropy_row({"everything, mean", Reduction::mean, 0.2, true, 1}),
    cross_entropy_row({"everything, none", Reduction::none, 0.2, true, 1}),
    probabilities_row("probabilities", Reduction::mean, 0, false),
    probabilities_row("probabilities, everything", Reduction::none, 0.2, true),
    nll_row({"mean", Reduction::mean}),
    nll_row({"none", Reduction::none}),
    nll_row({"everything, mean", Reduction::mean, 0, true, 1}),
    nll_row({"everything, sum", Reduction::sum, 0, true, 1}),
};

// ---- of elements -------------------------------------------------------------------------------

/// A loss of one number for each pair of elements.
Row pairs(const char* name, const char* variant,
          std::function<Variable(const Variable&, const Variable&)> op,
          std::function<double(double, double)> f, Reduction reduction, Input x, Input y) {
  return {.name = name,
          .variant = variant,
          .f = [=](const Variables& v) { return op(v[0], v[1]); },
          .reference =
              [=](const NumbersList& v) {
                const Numbers losses = build(v[0].shape, [&](const Index& i) {
                  return f(v[0].at(i), v[1].at(i));
                });
                return reduced(losses, reduction, static_cast<double>(losses.count()));
              },
          .inputs = {x, y}};
}

double huber(double d, double delta) {
  d = std::fabs(d);
  return d < delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
}
double softplus(double x) { return std::log1p(std::exp(x)); }
double binary(double x, double y, double positive) {
  return positive * y * softplus(-x) + (1 - y) * softplus(x);
}
double divergence(double log_input, double target) {
  return target * (std::log(target) - log_input);
}

std::vector<Row> element_rows(Reduction reduction, const std::string& variant) {
  using namespace unroll;
  const Input x = real({4, 5}), logits = real({4, 5}, -6, 6), target = real({4, 5}, 0.05, 0.95);
  auto row = [&](const char* name, auto op, auto f, const Input& a, const Input& b) {
    return pairs(name, variant.c_str(), op, f, reduction, a, b);
  };
  return {
      row("mean_squared_error",
          [=](auto& a, auto& b) { return mean_squared_error(a, b, {.reduction = reduction}); },
          [](double a, double b) { return (a - b) * (a - b); }, x, x),
      row("mean_absolute_error",
          [=](auto& a, auto& b) { return mean_absolute_error(a, b, {.reduction = reduction}); },
          [](double a, double b) { return std::fabs(a - b); }, x, x),
      row("huber_loss",
          [=](auto& a, auto& b) {
            return huber_loss(a, b, {.delta = 0.7, .reduction = reduction});
          },
          [](double a, double b) { return huber(a - b, 0.7); }, x, x),
      row("smooth_l1_loss",
          [=](auto& a, auto& b) {
            return smooth_l1_loss(a, b, {.beta = 0.7, .reduction = reduction});
          },
          [](double a, double b) { return huber(a - b, 0.7) / 0.7; }, x, x),
      row("binary_cross_entropy_with_logits",
          [=](auto& a, auto& b) {
            return binary_cross_entropy_with_logits(a, b, {.reduction = reduction});
          },
          [](double a, double b) { return binary(a, b, 1); }, logits, target),
      row("kl_divergence",
          [=](auto& a, auto& b) { return kl_divergence(a, b, {.reduction = reduction}); },
          divergence, x, target),
  };
}

const Rows mean_rows(element_rows(Reduction::mean, "mean"));
const Rows sum_rows(element_rows(Reduction::sum, "sum"));
const Rows none_rows(element_rows(Reduction::none, "none"));

const Rows other_rows{
    pairs("smooth_l1_loss", "beta 0",
          [](auto& a, auto& b) {
            return unroll::smooth_l1_loss(a, b, {.beta = 0, .reduction = Reduction::sum});
          },
          [](double a, double b) { return std::fabs(a - b); }, Reduction::sum, real({4, 5}),
          real({4, 5})),
    pairs("binary_cross_entropy_with_logits", "weights",
          [](auto& a, auto& b) {
            return unroll::binary_cross_entropy_with_logits(
                a, b,
                {.pos_weight = unroll::full({5}, 3, unroll::float64),
                 .reduction = Reduction::none,
                 .weight = unroll::full({}, 0.5, unroll::float64)});
          },
          [](double a, double b) { return 0.5 * binary(a, b, 3); }, Reduction::none,
          real({4, 5}, -6, 6), real({4, 5}, 0, 1)),
    pairs("kl_divergence", "of logarithms",
          [](auto& a, auto& b) {
            return unroll::kl_divergence(a, b, {.log_target = true, .reduction = Reduction::sum});
          },
          [](double a, double b) { return divergence(a, std::exp(b)); }, Reduction::sum,
          real({4, 5}), real({4, 5})),
    pairs("kl_divergence", "batch mean",
          [](auto& a, auto& b) { return unroll::kl_divergence(a, b, {.batch_mean = true}) * 4.0; },
          divergence, Reduction::sum, empty_as(real({4, 5}), {4, 0}),
          empty_as(real({4, 5}, 0.05, 1), {4, 0})),
};

}  // namespace
}  // namespace op_table
