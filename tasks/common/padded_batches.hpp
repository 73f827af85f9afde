// Sequences of different lengths as batches: which go together, and how the shorter ones are filled
// up. Windows of a running text, which need no padding, are in batches.hpp.
#pragma once

#include <vector>

#include <unroll/autograd/array.hpp>
#include <unroll/autograd/generator.hpp>

namespace tasks {

using unroll::Array;
using unroll::Size;

/// All rows 0 ... n - 1 once, in batches of `batch` (the last ones may be smaller), ordered by
/// length: for evaluation. Throws Error if batch < 1.
std::vector<std::vector<Size>> batches_by_length(const std::vector<Size>& lengths, Size batch);

/// The same for an epoch of training: batches of similar lengths, new ones each time, in random
/// order. The rows are shuffled and sorted by length within pools of 50 batches, so that little is
/// padded and yet a row meets others in every epoch.
std::vector<std::vector<Size>> batches_by_length(const std::vector<Size>& lengths, Size batch,
                                                 unroll::Generator& generator);

struct PadOptions {
  /// True pads before the sequence instead of after it: all end at the same step.
  bool before = false;
  /// What padding is filled with: Lexicon::kPadding, or what a loss ignores.
  Size value = 0;
};

/// T is the longest length, at least 1. over_time takes the lengths where padding comes after the
/// sequences and the mask where it comes before.
///
///     after:  a b c      before:  a b c     columns of (T, B), written as rows
///             d 0 0               0 0 d
struct Padded {
  std::vector<Size> lengths;
  Array mask;    // (T, B) float32, 1 where a step is real
  Array tokens;  // (T, B) int64
};

/// These rows of the sequences as a batch. Throws Error if there are none.
Padded pad(const std::vector<std::vector<Size>>& sequences, const std::vector<Size>& rows,
           const PadOptions& options = {});

}  // namespace tasks
