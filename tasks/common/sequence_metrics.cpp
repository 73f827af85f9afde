// BLEU from counts of n-grams. An n-gram that a candidate repeats is not found more often than in
// the reference that has it most often.
#include "common/sequence_metrics.hpp"

#include <cmath>
#include <cstdlib>
#include <map>

#include <unroll/autograd/error.hpp>

namespace tasks {
namespace {

using Tokens = std::vector<Size>;
using Counts = std::map<Tokens, Size>;

Counts ngrams(const Tokens& tokens, Size n) {
  Counts counts;
  for (auto first = tokens.begin(); tokens.end() - first >= n; ++first)
    ++counts[Tokens(first, first + n)];
  return counts;
}

void count_matches(Bleu& sum, const Tokens& candidate, const std::vector<Tokens>& references) {
  for (Size n = 1; n <= Bleu::kOrders; ++n) {
    Counts most;
    for (const Tokens& reference : references)
      for (const auto& [ngram, count] : ngrams(reference, n))
        most[ngram] = std::max(most[ngram], count);
    for (const auto& [ngram, count] : ngrams(candidate, n)) {
      const auto found = most.find(ngram);
      sum.totals[n - 1] += count;
      if (found != most.end()) sum.matches[n - 1] += std::min(count, found->second);
    }
  }
}

Size closest_length(const Tokens& candidate, const std::vector<Tokens>& references) {
  const auto length = static_cast<Size>(candidate.size());
  auto closest = static_cast<Size>(references[0].size());
  for (const Tokens& reference : references) {
    const auto other = static_cast<Size>(reference.size());
    const Size nearer = std::abs(closest - length) - std::abs(other - length);
    if (nearer > 0 || (nearer == 0 && other < closest)) closest = other;
  }
  return closest;
}

}  // namespace

Bleu bleu(const std::vector<Tokens>& candidates,
          const std::vector<std::vector<Tokens>>& references) {
  if (candidates.size() != references.size())
    unroll::fail("bleu", candidates.size(), " candidates, references of ", references.size(),
                 "; expected as many.");
  Bleu result;
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    if (references[k].empty())
      unroll::fail("bleu", "candidate ", k, " has no reference; expected at least one.");
    count_matches(result, candidates[k], references[k]);
    result.candidate_length += static_cast<Size>(candidates[k].size());
    result.reference_length += closest_length(candidates[k], references[k]);
  }
  const auto c = static_cast<double>(result.candidate_length);
  const auto r = static_cast<double>(result.reference_length);
  result.brevity_penalty = c > r ? 1 : c == 0 ? 0 : std::exp(1 - r / c);
  double logs = 0;  // of a precision 0: minus infinity, and exp of that is the score 0
  for (Size k = 0; k < Bleu::kOrders; ++k) {
    if (result.totals[k] > 0)
      result.precisions[k] =
          static_cast<double>(result.matches[k]) / static_cast<double>(result.totals[k]);
    logs += std::log(result.precisions[k]) / Bleu::kOrders;
  }
  result.score = result.brevity_penalty * std::exp(logs);
  return result;
}

}  // namespace tasks
