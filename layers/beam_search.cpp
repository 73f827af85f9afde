// The bookkeeping of beam search: which continuations are kept. What a step computes is the
// caller's; see beam_search.hpp.
#include <unroll/layers/beam_search.hpp>

#include <algorithm>
#include <cmath>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/keep_best.hpp>
#include <unroll/ops/softmax.hpp>

namespace unroll::detail {

namespace {

/// A hypothesis with one more token, or a complete one as it was.
struct Continuation {
  double score;        // log-probability
  Size parent, token;  // token -1: it was complete
};

/// A hypothesis while the search goes on. Its tokens are told by its last one, as in a tree: copied
/// at every step they would take the square of the length.
struct Growing {
  bool complete = false;
  double log_probability = 0;
  Size last = -1;  // where it stands in the tree, -1 for no token
};

/// The hypotheses of a batch; number k of sequence b is in row b * beams + k.
class Beams {
 public:
  Beams(const char* name, const Variable& first, const BeamOptions& options)
      : name_(name), options_(options) {
    if (first.type() != int64 || first.rank() != 1)
      fail(name, "the first tokens are ", first.type(), " ", first.shape(),
           "; expected int64 (B).");
    if (options.longest < 1)
      fail(name, "longest is ", options.longest, "; expected 1 or more tokens.");
    if (!std::isfinite(options.length_power))
      fail(name, "length_power is ", options.length_power, "; expected a finite number.");
    rows = repeated_rows(first.size(), options.beams);
    tokens = index_select(first, 0, rows).value().copy();
    for (Size k = 0; k < rows.size(); ++k) rows.mutable_data<Size>()[k] = k;
    growing_.assign(static_cast<std::size_t>(first.size()), std::vector<Growing>(1));
  }

  Array rows, tokens;  ///< (B * beams): what follows what

  bool running() const {
    return length_ < options_.longest &&
           std::any_of(growing_.begin(), growing_.end(), [](const std::vector<Growing>& list) {
             return std::any_of(list.begin(), list.end(), [](auto& h) { return !h.complete; });
           });
  }

  void advance(const Variable& logits) {
    Array log_p = checked(logits);
    ++length_;
    rows = rows.copy(), tokens = tokens.copy();  // the caller may have kept the old ones
    for (std::size_t b = 0; b < growing_.size(); ++b) {
      const Size row = static_cast<Size>(b) * options_.beams;
      const double* from = log_p.data<double>() + row * log_p.size(1);
      growing_[b] = continued(growing_[b], best_of(growing_[b], from, log_p.size(1)), row);
    }
  }

  /// In order.
  Hypotheses result() const {
    Hypotheses found;
    for (const std::vector<Growing>& list : growing_) {
      std::vector<Hypothesis>& ended = found.emplace_back();
      for (const Growing& h : list) {
        ended.push_back({h.complete, h.log_probability, 0, tokens_of(h)});
        ended.back().score =
            h.log_probability /
            std::pow(static_cast<double>(ended.back().tokens.size()), options_.length_power);
      }
      std::stable_sort(ended.begin(), ended.end(), [](const Hypothesis& a, const Hypothesis& b) {
        return a.complete != b.complete ? a.complete : a.score > b.score;
      });
    }
    return found;
  }

 private:
  /// Log-probabilities, float64.
  Array checked(const Variable& logits) const {
    if (logits.rank() != 2 || logits.size(0) != rows.size() || !is_float(logits.type()))
      fail(name_, "a step returned logits ", logits.type(), " ", logits.shape(),
           "; expected float (", rows.size(), ", V), a row for each hypothesis.");
    if (options_.end < 0 || options_.end >= logits.size(1))
      fail(name_, "the end token is ", options_.end, ", the logits are ", logits.shape(),
           "; expected a token in [0, ", logits.size(1), ").");
    Array log_p = log_softmax(logits).value().to(float64).contiguous();
    for (Size i = 0; i < log_p.size(); ++i)
      if (std::isnan(log_p.data<double>()[i]) && is_growing(i / log_p.size(1)))
        fail(name_, "the logits of token ", length_ + 1, " in row ", i / log_p.size(1),
             " are no distribution: NaN, +inf, or nothing but -inf.");
    return log_p;
  }
  /// True if the row is that of a hypothesis which is not complete.
  bool is_growing(Size row) const {
    const std::vector<Growing>& list = growing_[static_cast<std::size_t>(row / options_.beams)];
    const auto k = static_cast<std::size_t>(row % options_.beams);
    return k < list.size() && !list[k].complete;
  }

  std::vector<Size> tokens_of(const Growing& h) const {
    std::vector<Size> list;
    for (Size k = h.last; k >= 0; k = tree_[static_cast<std::size_t>(k)].parent)
      list.push_back(tree_[static_cast<std::size_t>(k)].token);
    std::reverse(list.begin(), list.end());
    return list;
  }

  std::vector<Continuation> best_of(const std::vector<Growing>& list, const double* log_p,
                                    Size words) const {
    std::vector<Continuation> best;
    for (Size k = 0; k < static_cast<Size>(list.size()); ++k, log_p += words) {
      const Growing& h = list[static_cast<std::size_t>(k)];
      if (h.complete) keep_best(best, options_.beams, {h.log_probability, k, -1});
      for (Size w = 0; !h.complete && w < words; ++w)
        keep_best(best, options_.beams, {h.log_probability + log_p[w], k, w});
    }
    return best;
  }

  /// The hypotheses that follow, and which rows they come from.
  std::vector<Growing> continued(const std::vector<Growing>& list,
                                 const std::vector<Continuation>& best, Size row) {
    std::vector<Growing> next;
    Size *from = rows.mutable_data<Size>() + row, *last = tokens.mutable_data<Size>() + row;
    for (const Continuation& one : best) {
      Growing& h = next.emplace_back(list[static_cast<std::size_t>(one.parent)]);
      h.log_probability = one.score;
      if (one.token >= 0) {
        tree_.push_back({h.last, one.token});
        h.last = static_cast<Size>(tree_.size()) - 1;
      }
      *from++ = row + one.parent;
      *last++ = tree_[static_cast<std::size_t>(h.last)].token;
      h.complete = *(last - 1) == options_.end;
    }
    return next;
  }

  const char* name_;
  BeamOptions options_;
  std::vector<std::vector<Growing>> growing_;
  struct Token {
    Size parent, token;
  };
  std::vector<Token> tree_;  // tokens of all hypotheses, also of those that were given up
  Size length_ = 0;
};

}  // namespace

Array repeated_rows(Size batch, Size beams) {
  if (beams < 1) fail("beam_search", "beams is ", beams, "; expected 1 or more.");
  Array rows({batch * beams}, int64);
  for (Size k = 0; k < rows.size(); ++k) rows.mutable_data<Size>()[k] = k / beams;
  return rows;
}

bool in_order(const Array& rows) {
  for (Size k = 0; k < rows.size(); ++k)
    if (rows.data<Size>()[k] != k) return false;
  return true;
}

Variable state_rows(const char* name, const Variable& x, const Array& rows, Size count) {
  if (x.empty()) return x;
  if (x.rank() == 0 || x.size(0) != count)
    fail(name, "a value of the State is ", x.shape(), "; its first axis must be the batch (", count,
         ").");
  return index_select(x, 0, rows);
}

Hypotheses beam_search(const char* name, const Variable& first, const BeamOptions& options,
                       Function<Variable(const Variable& tokens, const Array& rows)> step) {
  Memos memos;
  Beams beams(name, first, options);
  while (beams.running()) beams.advance(step(beams.tokens, beams.rows));
  return beams.result();
}

std::vector<Hypothesis> only(Hypotheses found) {
  std::vector<Hypothesis> list;
  for (std::vector<Hypothesis>& one : found)
    list.push_back(one.empty() ? Hypothesis() : std::move(one[0]));
  return list;
}

}  // namespace unroll::detail
