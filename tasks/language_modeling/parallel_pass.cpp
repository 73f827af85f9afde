// One window on several threads: forward, backward, gradients added. The order of adding is fixed.
#include "language_modeling/parallel_pass.hpp"

#include <algorithm>

namespace tasks {

using namespace unroll;

ParallelPass::ParallelPass(const LanguageModel& net, const TextWindows& windows, Workers& workers)
    : net_(net), windows_(windows), workers_(workers),
      shares_(static_cast<std::size_t>(workers.count())) {
  const Size batch = windows.batch(), count = workers.count();
  for (Size k = 0; k < count; ++k) {
    Share& share = shares_[static_cast<std::size_t>(k)];
    share.from = batch * k / count;
    share.to = batch * (k + 1) / count;
    share.weight = static_cast<double>(share.to - share.from) / static_cast<double>(batch);
  }
}

// The share's part of the mean. The state moves on; on the next tape it is a constant, which is
// what truncates backpropagation through time.
Variable ParallelPass::loss_of(Share& share, Size w) const {
  const auto window = windows_.at(w, share.from, share.to);
  const auto result = net_(window.x, share.state);
  const Variable loss = cross_entropy(result.logits, window.y) * share.weight;
  share.state = result.state;
  share.loss = loss.item();
  return loss;
}

double ParallelPass::total() const {
  double loss = 0;
  for (const Share& share : shares_) loss += share.loss;
  return loss;
}

double ParallelPass::loss(Size w) {
  workers_.run([&](int k) {
    Share& share = shares_[static_cast<std::size_t>(k)];
    if (share.weight > 0) loss_of(share, w);
  });
  return total();
}

double ParallelPass::backward(Size w, Generator& generator) {
  std::vector<Generator> generators;
  for (std::size_t k = 0; k < shares_.size(); ++k) generators.push_back(generator.split());
  workers_.run([&](int k) {
    Share& share = shares_[static_cast<std::size_t>(k)];
    if (share.weight == 0) return;
    Tape tape(generators[static_cast<std::size_t>(k)]);
    share.gradients = grad(loss_of(share, w), net_);
  });
  const std::vector<Parameter> parameters = net_.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    Variable sum;
    for (const Share& share : shares_) {
      if (share.weight == 0) continue;
      sum = sum.empty() ? share.gradients[p] : sum + share.gradients[p];
    }
    parameters[p].set_grad(sum.value());
  }
  return total();
}

}  // namespace tasks
