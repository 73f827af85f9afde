// Training with large vocabularies: cross entropy over the targets and a sample of other classes.
// The layer with its weights, and the adaptive softmax, are in layers.
#pragma once

#include <vector>

#include <unroll/autograd/generator.hpp>
#include <unroll/ops/loss.hpp>

namespace unroll {

/// How classes are drawn.
enum class ClassSampler {
  log_uniform,  ///< p(c) = log((c + 2) / (c + 1)) / log(V + 1): Zipf's law, for classes numbered by
                ///< falling frequency
  uniform,      ///< p(c) = 1 / V
};

struct ClassSampleOptions {
  ClassSampler sampler = ClassSampler::log_uniform;
};

/// Classes that were drawn to stand for all others.
struct ClassSample {
  Array classes;        ///< int64 (samples), all different
  Size vocabulary = 0;  ///< V
  Size draws = 0;       ///< how many it took to get that many different ones
  ClassSampler sampler = ClassSampler::log_uniform;

  /// log of the probability that class c is among that many draws: 1 - (1 - p(c))^draws.
  double log_expected(Size c) const;
};

/// Draws classes of [0, vocabulary) until there are so many different ones. Throws Error for fewer
/// than one, or for more than there are.
ClassSample sample_classes(Size samples, Size vocabulary, Generator& generator,
                           const ClassSampleOptions& options = {});

/// Jean et al. 2015: cross entropy of each row of h (..., D) over its target, int64 (...), and the
/// classes of the sample, instead of all V. Logits are h W^T + b minus the log of how probably the
/// class is in the sample, so that the loss becomes that of the whole softmax as the sample grows;
/// a row's target among the sampled classes counts once. W (V, D) may be an embedding's (tied); b
/// (V) may be empty. Throws Error for a target outside [0, V).
Variable sampled_softmax_loss(const Variable& h, const Variable& W, const Variable& b,
                              const Variable& targets, const ClassSample& sample,
                              const LossOptions& options = {});

}  // namespace unroll
