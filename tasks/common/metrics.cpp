// The formulas of metrics.hpp, in the order of sums that makes them repeatable.
#include "common/metrics.hpp"

#include <cmath>
#include <limits>

#include <unroll/autograd/error.hpp>

namespace tasks {
namespace {

double ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

}  // namespace

Confusion::Confusion(Size classes) : classes_(classes) {
  if (classes < 1) unroll::fail("Confusion", classes, " classes; expected at least one.");
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

void Confusion::add(Size truth, Size predicted) {
  for (Size k : {truth, predicted})
    if (k < 0 || k >= classes_)
      unroll::fail("Confusion", "class ", k, "; expected 0 to ", classes_ - 1, ".");
  ++counts_[truth * classes_ + predicted];
  ++samples_;
}

Size Confusion::support(Size truth) const {
  Size sum = 0;
  for (Size k = 0; k < classes_; ++k) sum += count(truth, k);
  return sum;
}

double Confusion::accuracy() const {
  Size right = 0;
  for (Size k = 0; k < classes_; ++k) right += count(k, k);
  return ratio(right, samples_);
}

ClassScores Confusion::of(Size k) const {
  Size predicted = 0;
  for (Size truth = 0; truth < classes_; ++truth) predicted += count(truth, k);
  const double precision = ratio(count(k, k), predicted), recall = ratio(count(k, k), support(k));
  return {ratio(2 * precision * recall, precision + recall), precision, recall};
}

template <class Weight>
ClassScores Confusion::mean(Weight weight) const {
  ClassScores sum;
  double weights = 0;
  for (Size k = 0; k < classes_; ++k) {
    const ClassScores one = of(k);
    const double w = weight(k);
    sum.f1 += w * one.f1, sum.precision += w * one.precision, sum.recall += w * one.recall;
    weights += w;
  }
  return {ratio(sum.f1, weights), ratio(sum.precision, weights), ratio(sum.recall, weights)};
}

ClassScores Confusion::macro() const {
  return mean([](Size) { return 1.0; });
}

ClassScores Confusion::weighted() const {
  return mean([this](Size k) { return static_cast<double>(support(k)); });
}

ClassScores Confusion::micro() const { return {accuracy(), accuracy(), accuracy()}; }

RegressionScores regression_scores(const std::vector<double>& targets,
                                   const std::vector<double>& predictions) {
  if (targets.empty() || targets.size() != predictions.size())
    unroll::fail("regression_scores", predictions.size(), " predictions of ", targets.size(),
                 " targets; expected as many, at least one.");
  const auto n = static_cast<double>(targets.size());
  double mean = 0, absolute = 0, squared = 0, spread = 0;
  for (double y : targets) mean += y / n;
  for (std::size_t k = 0; k < targets.size(); ++k) {
    const double error = targets[k] - predictions[k], deviation = targets[k] - mean;
    absolute += std::fabs(error);
    squared += error * error;
    spread += deviation * deviation;
  }
  double r2 = spread != 0 ? 1 - squared / spread : squared == 0 ? 1 : 0;
  if (targets.size() < 2) r2 = std::numeric_limits<double>::quiet_NaN();
  return {absolute / n, squared / n, r2};
}

double Likelihood::mean() const { return nats / static_cast<double>(tokens); }

double Likelihood::bits() const { return mean() / std::log(2.0); }

double Likelihood::perplexity() const { return std::exp(mean()); }

}  // namespace tasks
