// A pass over a text with the batch dealt to several threads: one tape a thread, gradients added in
// a fixed order, so that runs repeat bit for bit. What is done with the gradients is the caller's.
#pragma once

#include <vector>

#include "common/batches.hpp"
#include "common/workers.hpp"
#include "language_modeling/model.hpp"

namespace tasks {

/// Windows are asked for in order, 0, 1, 2, ...: each goes on with the state of the one before.
/// `net` and `windows` must outlive the pass.
class ParallelPass {
 public:
  ParallelPass(const LanguageModel& net, const TextWindows& windows, Workers& workers);

  /// Mean loss of window w in nats per character, without gradients and dropout.
  double loss(Size w);
  /// The same with dropout, drawn from `generator`; leaves its gradient in the parameters.
  double backward(Size w, unroll::Generator& generator);

 private:
  struct Share {
    Size from, to;  // streams of the batch
    double weight;  // their part of it, from 0 to 1
    LanguageModel::State state = {};
    std::vector<unroll::Variable> gradients = {};
    double loss = 0;
  };
  unroll::Variable loss_of(Share& share, Size w) const;
  double total() const;

  const LanguageModel& net_;
  const TextWindows& windows_;
  Workers& workers_;
  std::vector<Share> shares_;
};

}  // namespace tasks
