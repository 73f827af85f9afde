// Reading label sequences off the frames of a network that was trained with ctc_loss (loss.hpp):
// greedily, or by prefix beam search. Constants, without gradient.
#pragma once

#include <vector>

#include <unroll/autograd/function.hpp>
#include <unroll/autograd/variable.hpp>

namespace unroll {

/// What a sequence of frames may read as.
struct CtcReading {
  std::vector<Size> labels = {};
  double log_probability = 0;
  double score = 0;  ///< log_probability, and what the language model adds
};

struct CtcGreedyOptions {
  /// The class that stands for no label.
  Size blank = 0;
  /// How many frames of each sequence are real; empty: all.
  std::vector<Size> lengths = {};
};

/// The likeliest class of every frame (Graves et al. 2006), with repeats merged and blanks dropped;
/// log_probability is that of this one path. log_probabilities (T, B, V); returns a reading for
/// each sequence. Throws Error for lengths or a blank that do not fit, or NaN.
std::vector<CtcReading> ctc_greedy(const Variable& log_probabilities,
                                   const CtcGreedyOptions& options = {});

struct CtcBeamOptions {
  /// How many prefixes are kept at every frame, and returned.
  Size beams = 16;
  Size blank = 0;
  /// What a label adds to the score of the prefix that it continues: alpha log p(label | prefix) +
  /// beta, for example.
  Function<double(const std::vector<Size>& prefix, Size label)> language = {};
  std::vector<Size> lengths = {};
};

/// Prefix beam search (Hannun et al. 2014): the probability of a prefix is summed over all of its
/// paths, those that end in a blank and those that do not apart. Returns up to `beams` readings
/// for each sequence, best score first; their probabilities lack the paths through prefixes that
/// were dropped. Errors as for ctc_greedy.
std::vector<std::vector<CtcReading>> ctc_beam_search(const Variable& log_probabilities,
                                                     const CtcBeamOptions& options = {});

}  // namespace unroll
