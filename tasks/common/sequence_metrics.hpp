// Scores of whole sequences against references: edit distance, error rate, BLEU. How text is cut
// into tokens is not decided here: any type with == is a token to the first two.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include <unroll/autograd/shape.hpp>

namespace tasks {

using unroll::Size;

/// The least number of insertions, deletions and substitutions that make one sequence of the other
/// (Levenshtein 1966). Strings, vectors: anything with size() and [].
template <class Tokens>
Size edit_distance(const Tokens& reference, const Tokens& hypothesis) {
  const std::size_t n = hypothesis.size();
  std::vector<Size> row(n + 1);  // distances of the reference's first tokens to each prefix
  for (std::size_t j = 0; j <= n; ++j) row[j] = static_cast<Size>(j);
  for (std::size_t i = 0; i < reference.size(); ++i) {
    Size diagonal = row[0]++;
    for (std::size_t j = 0; j < n; ++j) {
      const Size changed = diagonal + (reference[i] == hypothesis[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row[n];
}

/// Edits a token of the references: the word error rate where tokens are words, the character error
/// rate where they are characters.
struct ErrorRate {
  Size edits = 0, length = 0;  // sums over the pairs

  template <class Tokens>
  void add(const Tokens& reference, const Tokens& hypothesis) {
    edits += edit_distance(reference, hypothesis);
    length += static_cast<Size>(reference.size());
  }
  /// May exceed 1; NaN if there was nothing at all, infinite if only the references are empty.
  double value() const { return static_cast<double>(edits) / static_cast<double>(length); }
};

/// What BLEU is made of; index n - 1 is that of n-grams.
struct Bleu {
  static constexpr Size kOrders = 4;

  double score = 0;  // 0 to 1
  double brevity_penalty = 0;
  std::array<double, kOrders> precisions{};
  std::array<Size, kOrders> matches{}, totals{};
  Size candidate_length = 0, reference_length = 0;
};

/// Corpus BLEU-4 without smoothing (Papineni et al. 2002, "BLEU: a method for automatic evaluation
/// of machine translation"): score = penalty * (p_1 p_2 p_3 p_4)^(1/4), where p_n is the part of
/// the candidates' n-grams that are found in a reference, each at most as often as in the reference
/// that has it most often; penalty = exp(min(0, 1 - r / c)) with the candidates' length c and the
/// sum r of the reference lengths closest to each, the shorter on a tie. Throws Error unless each
/// candidate has at least one reference.
Bleu bleu(const std::vector<std::vector<Size>>& candidates,
          const std::vector<std::vector<std::vector<Size>>>& references);

}  // namespace tasks
