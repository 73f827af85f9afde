// The label paths of connectionist temporal classification: what ctc_loss sums over. Internal; the
// kernels are in ctc.cpp, the form for higher orders in ctc_composed.cpp.
#pragma once

#include <limits>
#include <vector>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/loss.hpp>

namespace unroll {

/// Labels with a blank before, between and after: a path goes through them state by state, and may
/// skip a blank between two different labels.
struct CtcPaths {
  Size frames, batch, classes, blank;
  Size states;                      ///< 2 * longest target + 1, the same for all sequences
  Array labels;                     ///< int64 (B, states); blanks beyond a target's end
  std::vector<Size> input_lengths;  ///< B
  std::vector<Size> target_lengths;
  bool zero_infinity;

  /// Throws Error for labels and lengths that do not fit.
  CtcPaths(const Shape& log_probabilities, const Array& targets,
           const std::vector<Size>& input_lengths, const std::vector<Size>& target_lengths,
           const CtcOptions& options);

  Size label(Size b, Size s) const { return labels.data<Size>()[b * states + s]; }
  Size length(Size b) const { return input_lengths[static_cast<std::size_t>(b)]; }
  Size target(Size b) const { return target_lengths[static_cast<std::size_t>(b)]; }
  /// States of sequence b.
  Size count(Size b) const { return 2 * target(b) + 1; }
  /// True if a path may come to state s from s - 2.
  bool skips(Size b, Size s) const {
    return s >= 2 && label(b, s) != blank && label(b, s) != label(b, s - 2);
  }
  /// True if a path may end in state s.
  bool ends(Size b, Size s) const { return s < count(b) && s >= count(b) - 2; }
};

/// The gradient of the losses (B) with respect to log_probabilities, in public ops: dy times minus
/// the probability, given the labels, that a path is at a class in a frame.
Variable ctc_gradient(const CtcPaths& paths, const Variable& log_probabilities,
                      const Variable& dy);

}  // namespace unroll
