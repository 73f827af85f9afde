// CRF: the output layer for sequences of labels that depend on each other, a linear-chain
// conditional random field. Likelihoods and best paths are ops/crf.hpp's.
#pragma once

#include <unroll/layers/module.hpp>
#include <unroll/ops/crf.hpp>

namespace unroll {

struct CRFOptions {
  /// Scores for the first and for the last label.
  bool ends = true;
};

/// Lafferty et al. 2001: emissions (T, B, labels), the scores of a network below, and learned
/// scores of each label after each other one. transitions[i, j] is that of label j after i.
///
///     Tape tape;
///     tape.backward(-mean(crf.log_likelihood(emissions, tags, {.lengths = lengths})));
///     Variable tags = crf.viterbi(emissions, {.lengths = lengths}).paths;
struct CRF : Module {
  explicit CRF(Size labels, const CRFOptions& options = {}) : labels(labels) {
    if (!options.ends) return;
    start = parameter("start", {labels}, init::uniform(-0.1, 0.1));
    end = parameter("end", {labels}, init::uniform(-0.1, 0.1));
  }

  Size labels;
  Parameter transitions = parameter("transitions", {labels, labels}, init::uniform(-0.1, 0.1));
  Parameter start, end;  ///< empty without ends

  /// log p(tags | emissions) of each sequence: tags int64 (T, B), result (B).
  Variable log_likelihood(const Variable& emissions, const Variable& tags,
                          const CrfOptions& options = {}) const {
    return crf_log_likelihood(chain(emissions), tags, options);
  }
  CrfMarginals marginals(const Variable& emissions, const CrfOptions& options = {}) const {
    return crf_marginals(chain(emissions), options);
  }
  /// The likeliest labels, (T, B), and their scores.
  CrfPaths viterbi(const Variable& emissions, const CrfOptions& options = {}) const {
    return crf_viterbi(chain(emissions), options);
  }
  /// What scores a path; all of ops/crf.hpp takes it.
  LinearChain chain(const Variable& emissions) const {
    return {emissions, transitions, start, end};
  }
};

}  // namespace unroll
