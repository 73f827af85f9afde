// Which elements of a padded batch are real: by lengths, or by a mask. Ops that leave padding out
// take either as an option; loops over time have theirs in layers.
#pragma once

#include <vector>

#include <unroll/autograd/variable.hpp>

namespace unroll {

/// int64 (steps, B): 1 where t < lengths[b], 0 in the padding. Throws Error for lengths that are
/// not in [0, steps].
Array length_mask(const std::vector<Size>& lengths, Size steps);

/// The real elements of a batch (T, B, ...) that an op was given. Internal.
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
