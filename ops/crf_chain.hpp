// The steps of a batch of linear chains, checked once: which are real, first and last. Internal:
// what likelihoods (crf.cpp) and best paths (crf_viterbi.cpp) share.
#pragma once

#include <unroll/ops/crf.hpp>
#include <unroll/ops/real_elements.hpp>

namespace unroll {

struct CrfSteps {
  Size count, batch, labels;  ///< T, B, K
  RealElements real;          ///< of (T, B)
  // Masks (T, B, 1) of int64: 1 where a step is real; the first or the last real one of its
  // sequence; real, but not the first.
  Array is_real, first, last, later;
  Array without;  ///< (B): 1 where a sequence has no step

  /// Throws Error naming op if shapes or element types do not fit.
  CrfSteps(const char* op, const LinearChain& chain, const CrfOptions& options);

  /// `after` (B, ...) where step t is real, else `before`.
  Variable where_real(Size t, const Variable& after, const Variable& before) const;
  /// The score with which step t is entered: `start` where it is the first, else `later()`.
  template <class F>
  Variable entering(Size t, const Variable& start, F&& later_score) const {
    if (!any(later, t)) return start;
    Variable score = later_score();
    return any(first, t) ? chosen(first, t, start, score) : score;
  }

 private:
  static bool any(const Array& mask, Size t);
  static Variable chosen(const Array& mask, Size t, const Variable& a, const Variable& b);
};

}  // namespace unroll
