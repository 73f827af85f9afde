// The real elements of a padded batch, checked once, for ops that leave the others out. Internal;
// users give lengths or a mask (padding.hpp).
#pragma once

#include <unroll/autograd/variable.hpp>
#include <unroll/ops/padding.hpp>

namespace unroll {

/// The real elements of a batch (T, B, ...), as an op was given them.
class RealElements {
 public:
  /// Of values of that shape: by lengths (B), or by a mask of the shape's first axes, (T, B) or
  /// more, with 1 (anything but 0) where real; all elements if both are empty. Throws Error naming
  /// op if they do not fit, or both are given.
  RealElements(const char* op, const Shape& shape, const std::vector<Size>& lengths,
               const Variable& mask);

  /// True if nothing is padding.
  bool all() const { return all_; }
  /// True if element i of the shape, in row-major order, is real.
  bool operator[](Size i) const { return all_ || mask_.data<Size>()[i / repeats_] != 0; }
  /// How many elements of the shape are real.
  Size count() const { return count_; }
  /// x with `value` where padded, whatever stood there; gradient 0 there. x has the mask's axes
  /// first.
  Variable cleared(const Variable& x, double value = 0) const;

 private:
  Array mask_;  // int64, contiguous, 1 or 0; none if all are real
  bool all_ = true;
  Size count_;
  Size repeats_ = 1;  // elements of the shape to one of the mask
};

}  // namespace unroll
