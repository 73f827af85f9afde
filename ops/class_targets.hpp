// Class numbers as targets, checked once: what cross_entropy and nll_loss share. Internal; it knows
// neither logits nor gradients.
#pragma once

#include <unroll/autograd/op.hpp>
#include <unroll/ops/loss.hpp>

namespace unroll {

/// Targets (...) for scores (..., V), with a weight per class.
struct ClassTargets {
  static constexpr Size kIgnored = -1;

  Array index;          ///< int64, contiguous
  Array class_weights;  ///< float64 (V), contiguous, if weighted
  Size ignore_index, classes;
  bool weighted;

  /// Throws Error naming op if shapes do not fit or a target is no class.
  ClassTargets(const char* op, const Shape& scores, const Array& targets, Size ignore_index,
               const Variable& weights);

  Size count() const { return index.size(); }
  /// The class of row r, or kIgnored.
  Size operator[](Size r) const {
    Size y = index.data<Size>()[r];
    return y == ignore_index ? kIgnored : y;
  }
  double weight(Size c) const { return weighted ? class_weights.data<double>()[c] : 1; }
  /// Sum of the weights of all targets that count.
  double total() const;
};

/// The class weights (V) as a float64 constant; throws Error naming op for any other shape.
Array checked_class_weights(const char* op, const Variable& weights, Size classes);

/// The losses of all elements, their sum or their mean.
Variable reduced(const Variable& losses, Reduction reduction);

}  // namespace unroll
