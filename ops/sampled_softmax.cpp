// Sampling of classes, and the loss over a sample, composed of public ops; see sampled_softmax.hpp.
#include <unroll/ops/sampled_softmax.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include <unroll/ops/class_targets.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

double probability(ClassSampler sampler, Size c, Size vocabulary) {
  double k = static_cast<double>(c), v = static_cast<double>(vocabulary);
  return sampler == ClassSampler::uniform ? 1 / v : std::log1p(1 / (k + 1)) / std::log(v + 1);
}

/// By inversion: the first c + 1 classes have probability log(c + 2) / log(V + 1) together.
Size drawn(ClassSampler sampler, Size vocabulary, Generator& generator) {
  if (sampler == ClassSampler::uniform)
    return static_cast<Size>(generator.below(static_cast<std::uint64_t>(vocabulary)));
  double x = std::exp(generator.uniform() * std::log(static_cast<double>(vocabulary) + 1));
  return std::clamp<Size>(static_cast<Size>(x) - 1, 0, vocabulary - 1);
}

/// log_expected of each of those classes, in their shape.
Array log_expected(const ClassSample& sample, const Array& classes, Type type) {
  Array result(classes.shape(), float64);
  for (Size i = 0; i < classes.size(); ++i)
    result.mutable_data<double>()[i] = sample.log_expected(classes.data<Size>()[i]);
  return result.to(type);
}

}  // namespace

double ClassSample::log_expected(Size c) const {
  double p = probability(sampler, c, vocabulary);
  return std::log(-std::expm1(static_cast<double>(draws) * std::log1p(-p)));
}

ClassSample sample_classes(Size samples, Size vocabulary, Generator& generator,
                           const ClassSampleOptions& options) {
  if (samples < 1 || samples > vocabulary)
    fail("sample_classes", samples, " samples of ", vocabulary,
         " classes; expected at least one, and no more than there are.");
  ClassSample sample{zeros({samples}, int64), vocabulary, 0, options.sampler};
  std::unordered_set<Size> seen;
  for (Size k = 0; k < samples; ++sample.draws)
    if (Size c = drawn(options.sampler, vocabulary, generator); seen.insert(c).second)
      sample.classes.mutable_data<Size>()[k++] = c;
  return sample;
}

Variable sampled_softmax_loss(const Variable& h, const Variable& W, const Variable& b,
                              const Variable& targets, const ClassSample& sample,
                              const LossOptions& options) {
  const char* op = "sampled_softmax_loss";
  if (h.rank() == 0 || W.shape() != Shape{sample.vocabulary, h.size(-1)} ||
      (!b.empty() && b.shape() != Shape{sample.vocabulary}))
    fail(op, "h is ", h.shape(), ", W ", W.shape(), ", b ", b.empty() ? Shape() : b.shape(),
         ", the sample of ", sample.vocabulary, " classes; expected h (..., D), W (V, D), b (V).");
  Shape rows = h.shape();
  rows.erase(rows.rank() - 1);
  RealElements real(op, rows, options.lengths, options.mask);
  Array y = checked_classes(op, targets, rows, sample.vocabulary, real, 0);
  Variable x = real.cleared(h);
  Array of_sample = log_expected(sample, sample.classes, h.type());
  Variable at_target =
      sum(x * index_select(W, 0, y), {.axes = {-1}}) - log_expected(sample, y, h.type());
  Variable others = linear(x, index_select(W, 0, sample.classes)) - of_sample;
  if (!b.empty()) {
    at_target = at_target + index_select(b, 0, y);
    others = others + index_select(b, 0, sample.classes);
  }
  Variable hit = equals(Variable(y.expanded(-1)), Variable(sample.classes));
  others = masked_fill(others, hit, -std::numeric_limits<double>::infinity());
  return cross_entropy(
      concat({expand(at_target, -1), others}), zeros(y.shape(), int64),
      {.lengths = options.lengths, .mask = options.mask, .reduction = options.reduction});
}

}  // namespace unroll
