// Which rows meet which clusters of an adaptive softmax; see adaptive_softmax.hpp.
#include <unroll/layers/adaptive_softmax.hpp>

#include <algorithm>
#include <cmath>

#include <unroll/ops/class_targets.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

namespace unroll {

namespace {

constexpr Size kIgnored = -1;

std::vector<Size> checked_cutoffs(std::vector<Size> cutoffs, Size classes) {
  cutoffs.push_back(classes);
  bool rising = cutoffs.size() > 1 && cutoffs[0] > 0;
  for (std::size_t k = 1; k < cutoffs.size(); ++k) rising &= cutoffs[k - 1] < cutoffs[k];
  if (!rising)
    fail("adaptive_softmax", "cutoffs do not rise from above 0 to below ", classes,
         " classes; expected such as {2000, 10000}.");
  return cutoffs;
}

Array as_array(const std::vector<Size>& numbers) {
  return values(numbers, {static_cast<Size>(numbers.size())});
}

/// The shape without its last axis.
Shape without_last(const Shape& shape) {
  Shape rows = shape;
  rows.erase(rows.rank() - 1);
  return rows;
}

void check(const AdaptiveSoftmax& layer, const Variable& h) {
  if (h.rank() == 0 || h.size(-1) != layer.in)
    fail("adaptive_softmax", "h is ", h.shape(), "; expected (..., ", layer.in, ").");
}

/// (..., n) as (rows, n).
Variable flat(const Variable& h) {
  return reshape(h, {without_last(h.shape()).count(), h.size(-1)});
}

/// Targets as the head and the clusters see them.
struct Placed {
  Array head;                            ///< entry of the head, or kIgnored
  std::vector<std::vector<Size>> rows;   ///< of each cluster
  std::vector<std::vector<Size>> words;  ///< in the cluster, of these rows

  Placed(const AdaptiveSoftmax& layer, const Array& targets)
      : head({targets.size()}, int64), rows(layer.clusters.size()), words(layer.clusters.size()) {
    for (Size r = 0; r < targets.size(); ++r) {
      Size y = targets.data<Size>()[r];
      // The first cutoff above y: 0 for words in the head, and what is ignored.
      auto k =
          std::upper_bound(layer.cutoffs.begin(), layer.cutoffs.end(), y) - layer.cutoffs.begin();
      head.mutable_data<Size>()[r] = k == 0 ? y : layer.cutoffs[0] + k - 1;
      if (k == 0) continue;
      auto cluster = static_cast<std::size_t>(k - 1);
      rows[cluster].push_back(r);
      words[cluster].push_back(y - layer.cutoffs[cluster]);
    }
  }
};

}  // namespace

AdaptiveSoftmax::AdaptiveSoftmax(Size in, Size classes, const std::vector<Size>& given,
                                 const AdaptiveSoftmaxOptions& options)
    : in(in), classes(classes), cutoffs(checked_cutoffs(given, classes)),
      head(submodule("head", Linear(in, cutoffs[0] + static_cast<Size>(given.size()),
                                    {.bias = options.head_bias}))) {
  if (!(options.div_value > 0))
    fail("adaptive_softmax", "div_value is ", options.div_value, "; expected a positive number.");
  for (std::size_t k = 0; k < given.size(); ++k) {
    double size = static_cast<double>(in) / std::pow(options.div_value, static_cast<double>(k + 1));
    clusters.push_back(submodule(
        "cluster" + std::to_string(k),
        Cluster(in, std::max<Size>(1, static_cast<Size>(size)), cutoffs[k + 1] - cutoffs[k])));
  }
}

Variable AdaptiveSoftmax::loss(const Variable& h, const Variable& targets,
                               const LossOptions& options) const {
  check(*this, h);
  Shape shape = without_last(h.shape());
  RealElements real("adaptive_softmax", shape, options.lengths, options.mask);
  Placed placed(*this,
                checked_classes("adaptive_softmax", targets, shape, classes, real, kIgnored));
  Variable x = flat(real.cleared(h));
  Variable losses =
      cross_entropy(head(x), placed.head, {.ignore_index = kIgnored, .reduction = Reduction::none});
  for (std::size_t k = 0; k < clusters.size(); ++k) {
    if (placed.rows[k].empty()) continue;
    Array rows = as_array(placed.rows[k]);
    losses = index_add(losses, 0, rows,
                       cross_entropy(clusters[k](index_select(x, 0, rows)),
                                     as_array(placed.words[k]), {.reduction = Reduction::none}));
  }
  return reduced(reshape(losses, shape), options.reduction, real);
}

Variable AdaptiveSoftmax::log_probabilities(const Variable& h) const {
  check(*this, h);
  Variable top = log_softmax(head(h));
  Variables parts{sliced(top, -1, 0, cutoffs[0])};
  for (std::size_t k = 0; k < clusters.size(); ++k) {
    Size entry = cutoffs[0] + static_cast<Size>(k);
    parts.push_back(log_softmax(clusters[k](h)) + sliced(top, -1, entry, entry + 1));
  }
  return layer_output(*this, concat(parts));
}

Variable AdaptiveSoftmax::predict(const Variable& h) const {
  return no_grad([&]() -> Variable {
    check(*this, h);
    Variable x = flat(h);
    Array best = argmax(head(x)).value().copy();
    std::vector<Size> unsure;
    for (Size r = 0; r < best.size(); ++r)
      if (best.data<Size>()[r] >= cutoffs[0]) unsure.push_back(r);
    if (!unsure.empty()) {
      Array found =
          argmax(log_probabilities(index_select(x, 0, as_array(unsure)))).value().contiguous();
      for (std::size_t k = 0; k < unsure.size(); ++k)
        best.mutable_data<Size>()[unsure[k]] = found.data<Size>()[k];
    }
    return best.reshaped(without_last(h.shape()));
  });
}

}  // namespace unroll
