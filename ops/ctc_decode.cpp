// Greedy and prefix beam search over CTC frames: loops over numbers. The loss is in ctc.cpp.
#include <unroll/ops/ctc_decode.hpp>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <unroll/ops/keep_best.hpp>

namespace unroll {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();  // log 0

/// log_probabilities (T, B, V) as checked float64 rows.
struct Frames {
  Array log_p;
  Size batch, classes;
  std::vector<Size> lengths;

  Frames(const char* op, const Variable& x, const std::vector<Size>& given, Size blank)
      : lengths(given) {
    if (x.rank() != 3 || !is_float(x.type()))
      fail(op, "log_probabilities are ", x.type(), " ", x.shape(), "; expected float (T, B, V).");
    batch = x.size(1), classes = x.size(2);
    if (blank < 0 || blank >= classes)
      fail(op, "blank is ", blank, "; expected a class in [0, ", classes, ").");
    if (lengths.empty()) lengths.assign(static_cast<std::size_t>(batch), x.size(0));
    if (static_cast<Size>(lengths.size()) != batch)
      fail(op, lengths.size(), " lengths, but a batch of ", batch, "; expected one each.");
    log_p = detach(x).value().to(float64).contiguous();
    for (Size b = 0; b < batch; ++b) check(op, b, x.size(0));
  }

  Size length(Size b) const { return lengths[static_cast<std::size_t>(b)]; }
  const double* at(Size t, Size b) const {
    return log_p.data<double>() + (t * batch + b) * classes;
  }

 private:
  void check(const char* op, Size b, Size frames) const {
    if (length(b) < 0 || length(b) > frames)
      fail(op, "lengths[", b, "] is ", length(b), "; expected a number in [0, ", frames, "].");
    for (Size t = 0; t < length(b); ++t)
      if (std::any_of(at(t, b), at(t, b) + classes, [](double p) { return std::isnan(p); }))
        fail(op, "NaN among the log_probabilities of frame ", t, " of sequence ", b, ".");
  }
};

/// log(exp(a) + exp(b)).
double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kNever ? a : a + std::log1p(std::exp(b - a));
}

/// Prefix beam search over one sequence. Prefixes are nodes of a tree, and stay there when they are
/// dropped, as their continuations may go on.
class PrefixSearch {
 public:
  PrefixSearch(Size classes, const CtcBeamOptions& options) : classes_(classes), options_(options) {
    tree_.push_back({.ends_in_blank = 0, .live = true});  // the empty prefix
    live_.push_back(0);
  }

  void read(const double* log_p) {
    next_.clear();
    for (Size id : live_) stay(node(id), log_p);
    for (Size id : live_) go_on(id, log_p);
    std::vector<Next> best;
    for (Size id : live_) {
      Prefix& p = node(id);
      keep_best(best, options_.beams,
                {log_add(p.next_in_blank, p.next_in_label) + p.language, id, -1, 0, 0});
      p.live = false;
    }
    for (const Next& one : next_) keep_best(best, options_.beams, one);
    live_.clear();
    for (const Next& one : best) live_.push_back(one.label < 0 ? kept(one) : added(one));
  }

  std::vector<CtcReading> result() const {
    std::vector<CtcReading> list;
    for (Size id : live_) {
      const Prefix& p = tree_[static_cast<std::size_t>(id)];
      double log_probability = log_add(p.ends_in_blank, p.ends_in_label);
      list.push_back({labels(id), log_probability, log_probability + p.language});
    }
    return list;
  }

 private:
  /// Log-probabilities of its paths so far, by how they end; `next` are those with one more frame.
  struct Prefix {
    Size parent = -1, label = -1;
    double language = 0;
    double ends_in_blank = kNever, ends_in_label = kNever;
    double next_in_blank = kNever, next_in_label = kNever;
    bool live = false;
  };
  /// A prefix in the next frame: one that stays, or one that is longer by a label.
  struct Next {
    double score;
    Size prefix, label;  // label -1: it stays
    double log_probability, language;
  };

  Prefix& node(Size id) { return tree_[static_cast<std::size_t>(id)]; }

  void stay(Prefix& p, const double* log_p) const {
    p.next_in_blank = log_add(p.ends_in_blank, p.ends_in_label) + log_p[options_.blank];
    p.next_in_label = p.label < 0 ? kNever : p.ends_in_label + log_p[p.label];
  }

  void go_on(Size id, const double* log_p) {
    const Prefix p = node(id);
    const double total = log_add(p.ends_in_blank, p.ends_in_label);
    std::vector<Size> prefix;
    if (options_.language) prefix = labels(id);
    for (Size c = 0; c < classes_; ++c) {
      // The same label again without a blank between is no new one.
      const double log_probability = (c == p.label ? p.ends_in_blank : total) + log_p[c];
      if (c == options_.blank || log_probability == kNever) continue;
      auto known = children_.find(id * classes_ + c);
      if (known != children_.end() && node(known->second).live) {
        double& in_label = node(known->second).next_in_label;
        in_label = log_add(in_label, log_probability);
        continue;
      }
      double language = p.language;
      if (options_.language) language += options_.language(prefix, c);
      next_.push_back({log_probability + language, id, c, log_probability, language});
    }
  }

  Size kept(const Next& one) {
    Prefix& p = node(one.prefix);
    p.ends_in_blank = p.next_in_blank;
    p.ends_in_label = p.next_in_label;
    p.live = true;
    return one.prefix;
  }

  Size added(const Next& one) {
    auto [found, made] =
        children_.try_emplace(one.prefix * classes_ + one.label, static_cast<Size>(tree_.size()));
    if (made) tree_.push_back({.parent = one.prefix, .label = one.label});
    Prefix& p = node(found->second);
    p.language = one.language;
    p.ends_in_blank = kNever;
    p.ends_in_label = one.log_probability;
    p.live = true;
    return found->second;
  }

  std::vector<Size> labels(Size id) const {
    std::vector<Size> list;
    for (; id > 0; id = tree_[static_cast<std::size_t>(id)].parent)
      list.push_back(tree_[static_cast<std::size_t>(id)].label);
    std::reverse(list.begin(), list.end());
    return list;
  }

  Size classes_;
  const CtcBeamOptions& options_;
  std::vector<Prefix> tree_;
  std::unordered_map<Size, Size> children_;  // parent * classes + label
  std::vector<Size> live_;                   // best first
  std::vector<Next> next_;
};

}  // namespace

std::vector<CtcReading> ctc_greedy(const Variable& log_probabilities,
                                   const CtcGreedyOptions& options) {
  Frames frames("ctc_greedy", log_probabilities, options.lengths, options.blank);
  std::vector<CtcReading> readings(static_cast<std::size_t>(frames.batch));
  for (Size b = 0; b < frames.batch; ++b) {
    CtcReading& reading = readings[static_cast<std::size_t>(b)];
    Size before = options.blank;
    for (Size t = 0; t < frames.length(b); ++t) {
      const double* row = frames.at(t, b);
      Size best = std::max_element(row, row + frames.classes) - row;
      if (best != options.blank && best != before) reading.labels.push_back(best);
      reading.log_probability += row[best];
      before = best;
    }
    reading.score = reading.log_probability;
  }
  return readings;
}

std::vector<std::vector<CtcReading>> ctc_beam_search(const Variable& log_probabilities,
                                                     const CtcBeamOptions& options) {
  if (options.beams < 1)
    fail("ctc_beam_search", "beams is ", options.beams, "; expected 1 or more.");
  Frames frames("ctc_beam_search", log_probabilities, options.lengths, options.blank);
  std::vector<std::vector<CtcReading>> readings;
  for (Size b = 0; b < frames.batch; ++b) {
    PrefixSearch search(frames.classes, options);
    for (Size t = 0; t < frames.length(b); ++t) search.read(frames.at(t, b));
    readings.push_back(search.result());
  }
  return readings;
}

}  // namespace unroll
