// Class numbers as targets, checked once: what cross_entropy and nll_loss share. Internal; it knows
// neither logits nor gradients.
#pragma once

#include <unroll/autograd/op.hpp>
#include <unroll/ops/loss.hpp>
#include <unroll/ops/real_elements.hpp>

namespace unroll {

/// Targets (...) for scores (..., V), with a weight per class.
struct ClassTargets {
  static constexpr Size kIgnored = -1;

  Array index;          ///< int64, contiguous
  Array class_weights;  ///< float64 (V), contiguous, if weighted
  Size ignore_index, classes;
  bool weighted;

  /// Options are those of cross_entropy or nll_loss. Throws Error naming op if shapes do not fit
  /// or a target is no class.
  template <class Options>
  ClassTargets(const char* op, const Shape& scores, const Array& targets, const Options& options)
      : ClassTargets(op, scores, targets, options.ignore_index, options.weights) {
    ignore_padding({op, index.shape(), options.lengths, options.mask});
    check(op);
  }

  Size count() const { return index.size(); }
  /// The class of row r, or kIgnored.
  Size operator[](Size r) const {
    Size y = index.data<Size>()[r];
    return y == ignore_index ? kIgnored : y;
  }
  double weight(Size c) const { return weighted ? class_weights.data<double>()[c] : 1; }
  /// Sum of the weights of all targets that count.
  double total() const;

 private:
  ClassTargets(const char* op, const Shape& scores, const Array& targets, Size ignore_index,
               const Variable& weights);
  void ignore_padding(const RealElements& real);
  void check(const char* op) const;
};

/// Targets int64 of that shape, a copy with `padding` where padded. Throws Error naming op if a
/// real one is not in [0, classes).
Array checked_classes(const char* op, const Variable& targets, const Shape& shape, Size classes,
                      const RealElements& real, Size padding);

/// The class weights (V) as a float64 constant; throws Error naming op for any other shape.
Array checked_class_weights(const char* op, const Variable& weights, Size classes);

/// The losses of all elements, their sum or their mean.
Variable reduced(const Variable& losses, Reduction reduction);
/// The same of the real elements; the others are 0 where each stands by itself.
Variable reduced(const Variable& losses, Reduction reduction, const RealElements& real);

}  // namespace unroll
