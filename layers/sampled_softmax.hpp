// SampledSoftmax: the output layer of a large vocabulary, trained on a sample of the classes. The
// loss for weights of one's own, such as an embedding's, is ops/sampled_softmax.hpp's.
#pragma once

#include <unroll/layers/layer_outputs.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/sampled_softmax.hpp>

namespace unroll {

struct SampledSoftmaxOptions {
  bool bias = true;
  ClassSampler sampler = ClassSampler::log_uniform;
  /// How many classes stand for the others in a loss.
  Size samples = 64;
};

/// Jean et al. 2015. While a tape records, loss() draws its sample from the tape's generator, `Tape
/// tape(generator)`, the same classes for all rows; when nothing records it is the exact loss.
struct SampledSoftmax : Module {
  SampledSoftmax(Size in, Size classes, const SampledSoftmaxOptions& options = {})
      : in(in), classes(classes), options(options) {
    if (options.bias) b = parameter("b", {classes}, init::zeros);
  }

  Size in, classes;
  SampledSoftmaxOptions options;
  Parameter W = parameter("W", {classes, in});
  Parameter b;  ///< empty without bias

  /// The logits of all classes: h (..., in), result (..., classes).
  Variable operator()(const Variable& h) const { return layer_output(*this, linear(h, W, b)); }
  /// Cross entropy of targets, int64 (...).
  Variable loss(const Variable& h, const Variable& targets, const LossOptions& how = {}) const;
};

}  // namespace unroll
