// Best paths of linear chains: Viterbi's algorithm, with the n best ways to each label. Plain loops
// over numbers, without gradient.
#include <limits>

#include <unroll/ops/crf_chain.hpp>
#include <unroll/ops/keep_best.hpp>

namespace unroll {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// One of the best ways to a label at a step, and the way that it continues: one of the label
/// `label` at the real step before, its `rank`-th best.
struct Way {
  double score = kNever;
  Size label = -1, rank = 0;
};
/// One sequence of the batch.
class Viterbi {
 public:
  Viterbi(const CrfSteps& steps, const LinearChain& chain, Size n)
      : steps_(steps), n_(n), emissions_(numbers(chain.emissions)),
        transitions_(numbers(chain.transitions)), start_(numbers(chain.start)),
        end_(numbers(chain.end)) {}

  /// Writes path k of sequence b to paths[k][t][b], its score to scores[k][b].
  void run(Size b, Size* paths, double* scores) {
    ways_.clear();
    real_.clear();
    for (Size t = 0; t < steps_.count; ++t)
      if (steps_.real[t * steps_.batch + b]) step(t, b);
    std::vector<Way> last = ends();
    for (Size k = 0; k < n_; ++k) {
      Size* path = paths + k * steps_.count * steps_.batch + b;
      for (Size t = 0; t < steps_.count; ++t) path[t * steps_.batch] = -1;
      const bool found = k < static_cast<Size>(last.size());
      scores[k * steps_.batch + b] = found ? last[static_cast<std::size_t>(k)].score : kNever;
      if (found) follow(last[static_cast<std::size_t>(k)], path);
    }
  }

 private:
  using Ways = std::vector<std::vector<Way>>;  // by label, best first

  static Array numbers(const Variable& x) {
    return x.empty() ? Array() : detach(x).value().to(float64).contiguous();
  }
  static double at(const Array& scores, Size i) {
    return scores.size() ? scores.data<double>()[i] : 0;
  }

  /// The best n of all ways at the last real step, each with what add(label) adds.
  template <class F>
  std::vector<Way> onwards(F&& add) const {
    std::vector<Way> best;
    for (Size i = 0; i < steps_.labels; ++i) {
      const std::vector<Way>& ways = ways_.back()[static_cast<std::size_t>(i)];
      for (std::size_t rank = 0; rank < ways.size(); ++rank)
        keep_best(best, n_, {ways[rank].score + add(i), i, static_cast<Size>(rank)});
    }
    return best;
  }

  void step(Size t, Size b) {
    const double* e = emissions_.data<double>() + (t * steps_.batch + b) * steps_.labels;
    Ways now;
    for (Size j = 0; j < steps_.labels; ++j) {
      if (ways_.empty())
        keep_best(now.emplace_back(), n_, {at(start_, j) + e[j], -1, 0});
      else
        now.push_back(
            onwards([&](Size i) { return at(transitions_, i * steps_.labels + j) + e[j]; }));
    }
    ways_.push_back(std::move(now));
    real_.push_back(t);
  }

  std::vector<Way> ends() const {
    if (ways_.empty()) return {{0, -1, 0}};  // the empty path
    return onwards([&](Size i) { return at(end_, i); });
  }

  void follow(Way way, Size* path) const {
    for (std::size_t s = ways_.size(); s-- > 0;) {
      path[real_[s] * steps_.batch] = way.label;
      way = ways_[s][static_cast<std::size_t>(way.label)][static_cast<std::size_t>(way.rank)];
    }
  }

  const CrfSteps& steps_;
  Size n_;
  Array emissions_, transitions_, start_, end_;
  std::vector<Ways> ways_;  // by real step
  std::vector<Size> real_;  // which these are
};

}  // namespace

CrfPaths crf_viterbi_best(const LinearChain& chain, Size n, const CrfOptions& options) {
  CrfSteps steps("crf_viterbi_best", chain, options);
  if (n < 1) fail("crf_viterbi_best", "n is ", n, "; expected 1 or more.");
  Array paths({n, steps.count, steps.batch}, int64), scores({n, steps.batch}, float64);
  Viterbi viterbi(steps, chain, n);
  for (Size b = 0; b < steps.batch; ++b)
    viterbi.run(b, paths.mutable_data<Size>(), scores.mutable_data<double>());
  return {paths, scores.to(chain.emissions.type())};
}

CrfPaths crf_viterbi(const LinearChain& chain, const CrfOptions& options) {
  CrfPaths best = crf_viterbi_best(chain, 1, options);
  return {best.paths.value()[0], best.scores.value()[0]};
}

}  // namespace unroll
