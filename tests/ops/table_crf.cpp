// Op table: linear-chain CRFs against all paths, one by one. Masks with holes, many paths and
// errors are in crf.cpp.
#include <algorithm>
#include <cmath>

#include <unroll/ops/crf.hpp>

#include "op_table.hpp"

namespace op_table {
namespace {

const std::vector<Size> lengths{4, 2, 0};
constexpr Size kLabels = 3;

/// Emissions (T, B, K), transitions (K, K), start (K), end (K).
double score(const NumbersList& x, Size b, const Index& path) {
  if (path.empty()) return 0;
  double sum = x[2](path.front()) + x[3](path.back());
  for (std::size_t t = 0; t < path.size(); ++t) {
    sum += x[0](t, b, path[t]);
    if (t > 0) sum += x[1](path[t - 1], path[t]);
  }
  return sum;
}

void each_path(const NumbersList& x, Size b, const std::function<void(const Index&)>& f) {
  const Size n = std::min(lengths[static_cast<std::size_t>(b)], x[0].size(0));
  each_index(Index(static_cast<std::size_t>(n), kLabels), f);
}

double log_partition(const NumbersList& x, Size b) {
  double sum = 0;
  each_path(x, b, [&](const Index& path) { sum += std::exp(score(x, b, path)); });
  return std::log(sum);
}

Numbers log_partitions(const NumbersList& x) {
  return build({x[0].size(1)}, [&](const Index& i) { return log_partition(x, i[0]); });
}

Numbers scores(const NumbersList& x) {
  return build({x[0].size(1)}, [&](const Index& i) {
    Index path;
    for (Size t = 0; t < lengths[static_cast<std::size_t>(i[0])]; ++t)
      path.push_back(static_cast<Size>(x[4](t, i[0])));
    return score(x, i[0], path);
  });
}

NumbersList marginals(const NumbersList& x) {
  const Size T = x[0].size(0), B = x[0].size(1);
  Numbers labels(x[0].shape), pairs(Index{T - 1, B, kLabels, kLabels});
  for (Size b = 0; b < B; ++b)
    each_path(x, b, [&](const Index& path) {
      const double p = std::exp(score(x, b, path) - log_partition(x, b));
      for (std::size_t t = 0; t < path.size(); ++t) {
        labels.at({static_cast<Size>(t), b, path[t]}) += p;
        if (t > 0) pairs.at({static_cast<Size>(t) - 1, b, path[t - 1], path[t]}) += p;
      }
    });
  return {labels, pairs};
}

/// Paths (n, T, B) and scores (n, B).
NumbersList best(const NumbersList& x, Size n) {
  const Size T = x[0].size(0), B = x[0].size(1);
  Numbers paths(Index{n, T, B}), scores(Index{n, B});
  std::fill(paths.data.begin(), paths.data.end(), -1.0);
  std::fill(scores.data.begin(), scores.data.end(), -INFINITY);
  for (Size b = 0; b < B; ++b) {
    std::vector<Index> all;
    each_path(x, b, [&](const Index& path) { all.push_back(path); });
    std::sort(all.begin(), all.end(),
              [&](const Index& p, const Index& q) { return score(x, b, p) > score(x, b, q); });
    for (std::size_t k = 0; k < std::min(all.size(), static_cast<std::size_t>(n)); ++k) {
      scores.at({static_cast<Size>(k), b}) = score(x, b, all[k]);
      for (std::size_t t = 0; t < all[k].size(); ++t)
        paths.at({static_cast<Size>(k), static_cast<Size>(t), b}) = static_cast<double>(all[k][t]);
    }
  }
  return {paths, scores};
}

std::vector<Input> chain_and(std::vector<Input> more = {}) {
  std::vector<Input> inputs{empty_as(real({4, 3, kLabels}), {4, 0, kLabels}),
                            empty_as(real({kLabels, kLabels}), {kLabels, kLabels}),
                            empty_as(real({kLabels}), {kLabels}),
                            empty_as(real({kLabels}), {kLabels})};
  for (Input& one : more) inputs.push_back(std::move(one));
  return inputs;
}

unroll::LinearChain chain(const Variables& x) { return {x[0], x[1], x[2], x[3]}; }
unroll::CrfOptions options(const Variables& x) {
  if (x[0].size() == 0) return {};
  return {.lengths = lengths};
}

const Rows rows{
    {.name = "crf_score",
     .f = [](const Variables& x) { return unroll::crf_score(chain(x), x[4], options(x)); },
     .reference = scores,
     .inputs = chain_and({empty_as(index({4, 3}, kLabels), {4, 0})})},
    {.name = "crf_log_partition",
     .f = [](const Variables& x) { return unroll::crf_log_partition(chain(x), options(x)); },
     .reference = log_partitions,
     .inputs = chain_and(),
     .also_empty = {{{0, 3, kLabels}, {kLabels, kLabels}, {kLabels}, {kLabels}}}},
    {.name = "crf_log_likelihood",
     .f = [](const Variables& x) { return unroll::crf_log_likelihood(chain(x), x[4], options(x)); },
     .reference =
         [](const NumbersList& x) {
           const Numbers all = log_partitions(x), one = scores(x);
           return build(one.shape, [&](const Index& i) { return one.at(i) - all.at(i); });
         },
     .inputs = chain_and({empty_as(index({4, 3}, kLabels), {4, 0})})},
    {.name = "crf_marginals",
     .f = [](const Variables& x) -> Variables {
       const auto result = unroll::crf_marginals(chain(x), options(x));
       return {result.labels, result.pairs};
     },
     .reference = marginals,
     .inputs = chain_and()},
    {.name = "crf_viterbi",
     .f = [](const Variables& x) -> Variables {
       const auto result = unroll::crf_viterbi(chain(x), options(x));
       return {result.paths, result.scores};
     },
     .reference =
         [](const NumbersList& x) {
           NumbersList result = best(x, 1);
           for (Numbers& y : result) y.shape.erase(y.shape.begin());
           return result;
         },
     .inputs = chain_and(),
     .constant = true},
    {.name = "crf_viterbi_best",
     .f = [](const Variables& x) -> Variables {
       const auto result = unroll::crf_viterbi_best(chain(x), 20, options(x));
       return {result.paths, result.scores};
     },
     .reference = [](const NumbersList& x) { return best(x, 20); },
     .inputs = chain_and(),
     .constant = true},
};

}  // namespace
}  // namespace op_table
