// Linear-chain conditional random fields (Lafferty et al. 2001): scores of whole sequences of
// labels. The layer with their Parameters is layers/crf.hpp.
#pragma once

#include <vector>

#include <unroll/autograd/variable.hpp>

namespace unroll {

/// What scores a path y_1 .. y_n of labels: start[y_1] + sum_t emissions[t, y_t] + sum_{t > 1}
/// transitions[y_{t-1}, y_t] + end[y_n]. -inf forbids.
struct LinearChain {
  Variable emissions = {};    ///< (T, B, K)
  Variable transitions = {};  ///< (K, K), from row to column
  Variable start = {};        ///< (K), or empty for none
  Variable end = {};          ///< (K), or empty for none
};

/// Which steps are real; the others are skipped, and their emissions may hold anything. A sequence
/// without a step has one path, the empty one, of score 0.
struct CrfOptions {
  /// How many steps of each sequence are real; empty: all.
  std::vector<Size> lengths = {};
  /// (T, B), 1 (anything but 0) where a step is real, instead of lengths.
  Variable mask = {};
};

/// Score of the path `labels`, int64 (T, B), which may hold anything where padded: (B). Throws
/// Error for a label outside [0, K).
Variable crf_score(const LinearChain& chain, const Variable& labels,
                   const CrfOptions& options = {});

/// log of the summed exp(score) of all paths: (B). The gradient is the marginals.
Variable crf_log_partition(const LinearChain& chain, const CrfOptions& options = {});

/// log p(labels) = score - log partition: (B), at most 0.
Variable crf_log_likelihood(const LinearChain& chain, const Variable& labels,
                            const CrfOptions& options = {});

/// Probabilities, given the emissions; 0 where padded.
struct CrfMarginals {
  /// (T, B, K): of a label at a step.
  Variable labels;
  /// (T-1, B, K, K): [t, b, i, j] of label j at step t + 1 after i at the real step before it.
  Variable pairs;
};
/// Forward-backward; differentiable as all else.
CrfMarginals crf_marginals(const LinearChain& chain, const CrfOptions& options = {});

/// Paths of labels, -1 where padded, and their scores; constants.
struct CrfPaths {
  Variable paths;   ///< int64 (T, B), or (N, T, B)
  Variable scores;  ///< (B), or (N, B)
};
/// The path of the largest score of each sequence: (T, B) and (B). Of equal ones the one that is
/// first when compared from the last label to the first.
CrfPaths crf_viterbi(const LinearChain& chain, const CrfOptions& options = {});
/// The n best paths, best first: (n, T, B) and (n, B); where there are fewer, -1 and -inf.
CrfPaths crf_viterbi_best(const LinearChain& chain, Size n, const CrfOptions& options = {});

}  // namespace unroll
