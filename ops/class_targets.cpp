// Checks of class numbers and class weights; see class_targets.hpp.
#include <unroll/ops/class_targets.hpp>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>

namespace unroll {

namespace {

/// (1, 2) for element 5 of a (2, 3).
Shape position(const Shape& shape, Size element) {
  Shape at = shape;
  for (int k = shape.rank() - 1; k >= 0; --k) {
    at[k] = element % shape[k];
    element /= shape[k];
  }
  return at;
}

}  // namespace

Array checked_class_weights(const char* op, const Variable& weights, Size classes) {
  if (weights.shape() != Shape{classes})
    fail(op, "weights have shape ", weights.shape(), "; expected (", classes, ",), one per class.");
  return weights.value().to(float64).copy();  // kept, while the user may go on to change them
}

Array checked_classes(const char* op, const Variable& targets, const Shape& shape, Size classes,
                      const RealElements& real, Size padding) {
  if (targets.type() != int64 || targets.shape() != shape)
    fail(op, "targets are ", targets.type(), " ", targets.shape(), "; expected int64 classes ",
         shape, ".");
  Array result = targets.value().copy();
  Size* y = result.mutable_data<Size>();
  for (Size i = 0; i < result.size(); ++i) {
    if (!real[i])
      y[i] = padding;
    else if (y[i] < 0 || y[i] >= classes)
      fail(op, "target ", y[i], " at ", position(shape, i), " is not in [0, ", classes, ").");
  }
  return result;
}

ClassTargets::ClassTargets(const char* op, const Shape& scores, const Array& targets,
                           Size ignore_index, const Variable& weights)
    : index(targets.contiguous()),
      ignore_index(ignore_index),
      classes(scores.rank() ? scores.back() : 0),
      weighted(!weights.empty()) {
  if (scores.rank() == 0) fail(op, "scores are a scalar (); expected (..., V).");
  Shape rows = scores;
  rows.erase(rows.rank() - 1);
  if (targets.type() != int64 || targets.shape() != rows)
    fail(op, "scores are ", scores, ", targets ", targets.type(), " ", targets.shape(),
         "; expected int64 class numbers of shape ", rows, ".");
  if (weighted) class_weights = checked_class_weights(op, weights, classes);
}

void ClassTargets::ignore_padding(const RealElements& real) {
  if (real.all()) return;
  index = index.copy();
  Size* y = index.mutable_data<Size>();
  for (Size r = 0; r < count(); ++r)
    if (!real[r]) y[r] = ignore_index;
}

void ClassTargets::check(const char* op) const {
  for (Size r = 0; r < count(); ++r) {
    Size y = index.data<Size>()[r];
    if (y != ignore_index && (y < 0 || y >= classes))
      fail(op, "target ", y, " at ", position(index.shape(), r), " is not in [0, ", classes,
           "); expected a class number, or ignore_index ", ignore_index, ".");
  }
}

double ClassTargets::total() const {
  double sum = 0;
  for (Size r = 0; r < count(); ++r)
    if ((*this)[r] != kIgnored) sum += weight((*this)[r]);
  return sum;
}

Variable reduced(const Variable& losses, Reduction reduction) {
  if (reduction == Reduction::none) return losses;
  if (reduction == Reduction::sum) return sum(losses);
  return losses.size() > 0 ? mean(losses) : sum(losses) / 0.0;
}

Variable reduced(const Variable& losses, Reduction reduction, const RealElements& real) {
  if (real.all()) return reduced(losses, reduction);
  Variable counted = real.cleared(losses);
  if (reduction != Reduction::mean) return reduced(counted, reduction);
  return sum(counted) / static_cast<double>(real.count());
}

}  // namespace unroll
