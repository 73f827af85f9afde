// AdaptiveSoftmax: the output layer of a large vocabulary in which frequent words cost little. It
// is exact; on a sample of the classes trains SampledSoftmax (sampled_softmax.hpp).
#pragma once

#include <unroll/layers/linear.hpp>
#include <unroll/ops/loss.hpp>

namespace unroll {

struct AdaptiveSoftmaxOptions {
  /// Each cluster of rarer words sees h in a size smaller by this factor than the one before.
  double div_value = 4;
  bool head_bias = false;
};

/// Grave et al. 2017, as torch's AdaptiveLogSoftmaxWithLoss: classes are numbered by falling
/// frequency; those below cutoffs[0] are in the head with one entry for each cluster, cluster i has
/// those from cutoffs[i] to cutoffs[i + 1]. log p(word) = log p(cluster) + log p(word | cluster).
/// Cluster i is a product with (in / div_value^(i+1), in), then one with (its words, that size).
struct AdaptiveSoftmax : Module {
  /// Throws Error unless cutoffs rise, are positive and below classes, with at least one.
  AdaptiveSoftmax(Size in, Size classes, const std::vector<Size>& cutoffs,
                  const AdaptiveSoftmaxOptions& options = {});

  /// The words of one cluster.
  struct Cluster : Module {
    Cluster(Size in, Size size, Size words) : in(in), size(size), words(words) {}
    Size in, size, words;
    Linear project = submodule("project", Linear(in, size, {.bias = false})),
           readout = submodule("readout", Linear(size, words, {.bias = false}));
    Variable operator()(const Variable& h) const {
      return layer_output(*this, readout(project(h)));
    }
  };

  Size in, classes;
  std::vector<Size> cutoffs;  ///< with classes at the end
  Linear head;
  std::vector<Cluster> clusters;  ///< "cluster0", ...

  /// Minus log p of targets, int64 (...), for h (..., in). A cluster is computed for its own rows
  /// only. Throws Error for a target outside [0, classes).
  Variable loss(const Variable& h, const Variable& targets, const LossOptions& options = {}) const;
  /// log p of all classes, (..., classes): logits for categorical and beam_search too.
  Variable log_probabilities(const Variable& h) const;
  /// The likeliest class, int64 (...); a cluster is computed for rows only whose likeliest entry of
  /// the head it is, as no word of it is likelier than the cluster.
  Variable predict(const Variable& h) const;
};

}  // namespace unroll
