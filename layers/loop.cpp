// The loop over time, for any cell: padded steps, zoneout, and where gradients stop. What goes into
// it and comes out of it is in over_time.cpp.
#include <algorithm>
#include <deque>

#include <unroll/autograd/op.hpp>
#include <unroll/autograd/substitution.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/random.hpp>

namespace unroll::detail {

namespace {

/// Throws unless padding can keep value number k of the State as it was before step t; if `partly` it
/// is to, for some sequences, of which it then has rows.
void check_rows(const RunOptions& options, Size t, std::size_t k, const Variable& after,
                const Variable& before, bool partly) {
  if (is_same(after, before)) return;
  if (before.empty() || after.empty())
    fail(options.label, "value ", k, " of the State is empty ", before.empty() ? "before" : "after",
         " step ", t, " and not ", before.empty() ? "after" : "before",
         " it; with padding it must be there from the start, in the zero_state or the initial "
         "state, and after each step.");
  const bool has_rows = after.rank() > 0 && after.size(0) == options.padding.batch();
  if (after.shape() != before.shape() || (partly && !has_rows))
    fail(options.label, "value ", k, " of the State is ", before.shape(), " before step ", t,
         " and ", after.shape(),
         " after it; with padding it must keep its shape from zero_state or the initial state on, ",
         "and its first axis must be the batch (", options.padding.batch(), ").");
}

/// The state after a step of which only some sequences took part.
Variable select_rows(const RunOptions& options, Size t, const Variable& after,
                     const Variable& before) {
  if (is_same(after, before)) return after;
  return where(options.padding.at(t, after.rank()), after, before);
}

Variables copies(const std::vector<Variable*>& values) {
  Variables list;
  for (const Variable* v : values) list.push_back(*v);
  return list;
}

void check_count(const std::string& label, std::size_t before, std::size_t after,
                 const char* with) {
  if (before != after)
    fail(label, "its State holds ", before, " values before a step and ", after, " after it; with ",
         with, " their number must stay.");
}

/// The steps of a run, in the order in which they are taken.
class Loop {
 public:
  Loop(Steps& steps, const RunOptions& options) : steps_(steps), options_(options) {}

  /// Makes what the first `taken` steps have made of the state a constant. Sequences that have not
  /// begun have nothing to cut, and the state of one that has ended is no longer on any way back
  /// but that of its own last window.
  void cut(Size taken) {
    const std::vector<bool> carried = steps_.unchanged();
    const Padding& padding = options_.padding;
    const Size count = padding.none() ? -1 : padding.count(Padding::Which::under_way, taken,
                                                           options_.reverse);
    if (count == 0) return;
    const bool all = padding.none() || count == padding.batch();
    steps_.values(now_);
    const Variables before = copies(now_);
    for (std::size_t k = 0; k < now_.size(); ++k) {
      Variable& v = *now_[k];
      if (carried[k] || v.empty()) continue;
      std::size_t first = 0;  // one value that is cut in two places stays one
      while (first < k && (carried[first] || !(before[first].record() == v.record()))) ++first;
      if (first < k) {
        v = *now_[first];
        continue;
      }
      const Variable constant = detach(v);
      v = all || !has_rows(v) ? constant
                              : where(padding.those(Padding::Which::under_way, taken,
                                                    options_.reverse, v.rank()),
                                      constant, v);
    }
  }

  void step(Size k) {
    Size t = options_.time(k);
    scope_.step(t);
    const Padding& padding = options_.padding;
    Size active = padding.none() ? -1 : padding.active(t);
    if (active == 0) return;
    const bool partly = active > 0 && active < padding.batch();
    // Whether a cell can be padded must not depend on which steps are.
    const bool first = active > 0 && !std::exchange(padded_before_, true);
    if (partly || first || !options_.zoneout.empty())
      step_with_state_before(t, partly);
    else
      call(t);
    if (options_.truncation.k1 > 0) steps_.start_from(steps_.unchanged());
  }
  void keep(Size k) { steps_.keep(options_.time(k)); }
  /// Remembers what it takes to run on from here.
  void save() {
    Generator* g = Tape::generator();
    moments_.push_back({steps_.fork(), g ? g->state() : Generator::State()});
  }
  /// Takes steps number from..end - 1, the last ones taken, again from what was remembered first.
  /// Sequences that have ended are as they were: theirs is the window of their last step.
  void run_again(Size from, Size end) {
    steps_.values(now_);
    const Variables before = copies(now_);
    steps_.join(*moments_.front().steps);
    if (Generator* g = Tape::generator()) g->set_state(moments_.front().generator);
    moments_.pop_front();
    cut(from);
    for (Size k = from; k < end; ++k) step(k);
    const Padding& padding = options_.padding;
    if (padding.none() || padding.count(Padding::Which::ended, end, options_.reverse) == 0) return;
    steps_.values(now_);
    for (std::size_t k = 0; k < now_.size(); ++k) {
      Variable& v = *now_[k];
      if (v.empty() || !has_rows(v) || is_same(v, before[k])) continue;
      v = where(padding.those(Padding::Which::ended, end, options_.reverse, v.rank()), before[k], v);
    }
  }

 private:
  /// True for a value that has a part of each sequence, with gradients; others are all sequences'.
  bool has_rows(const Variable& v) const {
    return is_float(v.type()) && v.rank() > 0 && v.size(0) == options_.padding.batch();
  }
  void call(Size t) {
    try {
      steps_.step(t);
    } catch (const Error& e) {
      fail_at(e, options_.label, t);
    }
  }
  void step_with_state_before(Size t, bool partly) {
    steps_.values(now_);
    const Variables before = copies(now_);
    call(t);
    steps_.values(now_);
    if (!options_.zoneout.empty()) zone_out(options_.label, options_.zoneout, before, now_);
    if (options_.padding.none()) return;
    check_count(options_.label, before.size(), now_.size(), "padding");
    for (std::size_t k = 0; k < now_.size(); ++k) {
      check_rows(options_, t, k, *now_[k], before[k], partly);
      if (partly) *now_[k] = select_rows(options_, t, *now_[k], before[k]);
    }
  }

  Steps& steps_;
  const RunOptions& options_;
  Scope scope_{""};
  bool padded_before_ = false;
  std::vector<Variable*> now_;
  struct Moment {
    Ref<Steps> steps;
    Generator::State generator;
  };
  std::deque<Moment> moments_;
};

/// Window by window. Each goes on from a constant state some steps before it, from where it is
/// computed again with the same random numbers: gradients stop there, at another place than those
/// of the window before.
void run_overlapping(Loop& loop, const RunOptions& options) {
  const Size k1 = options.truncation.k1, back = options.truncation.k2 - k1;
  for (Size k = 0; k < options.steps; ++k) {
    if (k % k1 == 0 && k > back) loop.run_again(k - back, k);
    loop.step(k);
    loop.keep(k);
    const Size window = k + 1 + back;
    if (window % k1 == 0 && window < options.steps) loop.save();
  }
}

void check_truncation(const std::string& label, const Truncation& t) {
  if (t.k1 < 0 || t.k2 < 0 || (t.k2 > 0 && (t.k1 == 0 || t.k2 < t.k1)))
    fail(label, "truncation has k1 = ", t.k1, ", k2 = ", t.k2,
         "; expected 1 <= k1 <= k2, or k2 = ", "0 for k1.");
}

/// Gives each value of the state a record of its own. One that stands in two places would look as
/// if a step had only carried it, where the step has moved it from one to the other.
void tell_apart(const std::vector<Variable*>& values) {
  for (std::size_t k = 1; k < values.size(); ++k) {
    Variable& v = *values[k];
    const auto same = [&](const Variable* other) { return other->record() == v.record(); };
    if (!v.empty() &&
        std::any_of(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(k), same))
      v = view("start", v, [](const Array& a) { return a; });
  }
}

}  // namespace

std::vector<Variable*> Steps::present() {
  std::vector<Variable*> list;
  values(list);
  std::erase_if(list, [](const Variable* v) { return v->empty(); });
  return list;
}

bool is_same(const Variable& a, const Variable& b) {
  return read(a).record() == read(b).record();
}

void fail_at(const Error& e, const std::string& label, Size t) {
  const std::string place = t < 0 ? label : unroll::join(label, " t=", t);
  const std::string_view said = e.what();  // anomalies say the place themselves
  throw Error(said.find(place) != said.npos ? std::string(said)
                                            : unroll::join(said, " At ", place, "."));
}

void zone_out(const std::string& label, const std::vector<double>& probabilities,
              const Variables& before, const std::vector<Variable*>& now) {
  check_count(label, before.size(), now.size(), "zoneout");
  if (probabilities.size() != 1 && probabilities.size() != now.size())
    fail(label, "zoneout has ", probabilities.size(), " probabilities, the State ", now.size(),
         " values; expected one for all, or one each.");
  for (std::size_t k = 0; k < now.size(); ++k) {
    double p = probabilities[probabilities.size() == 1 ? 0 : k];
    if (!(p >= 0 && p < 1)) fail(label, "zoneout is ", p, "; expected 0 <= p < 1.");
    Variable& after = *now[k];
    if (p == 0 || before[k].empty() || after.empty() || !is_float(after.type())) continue;
    if (after.shape() != before[k].shape())
      fail(label, "a value of the State is ", before[k].shape(), " before a step and ",
           after.shape(), " after it; with zoneout it must keep its shape.");
    const bool moved = !is_same(after, before[k]);
    if (!Tape::recording()) {
      if (moved) after = p * before[k] + (1 - p) * after;
      continue;
    }
    Generator* generator = Tape::generator();
    if (!generator)
      fail(label, "zoneout: ", kNoGenerator);
    // Drawn in any case: what is drawn next must not depend on where a truncation cuts.
    const Array stays = bernoulli(after.shape(), p, *generator, after.type());
    if (moved) after = where(stays, before[k], after);
  }
}

void run(Steps& steps, const RunOptions& options) {
  Memos memos;
  check_truncation(options.label, options.truncation);
  if (options.truncation.reaches_all(options.steps)) {
    RunOptions whole = options;
    whole.truncation = {};
    return run(steps, whole);
  }
  if (options.truncation.k1 > 0 || !options.zoneout.empty()) {
    std::vector<Variable*> values;
    steps.values(values);
    tell_apart(values);
    steps.start_from(std::vector<bool>(values.size(), true));
  }
  if (options.recomputation.any()) return run_recomputed(steps, options);
  if (!options.truncation.runs_again(options.steps) || !Tape::recording())
    return run_plainly(steps, options, 0, options.steps);
  Loop loop(steps, options);
  run_overlapping(loop, options);
}

void run_plainly(Steps& steps, const RunOptions& options, Size from, Size end) {
  const Size window = options.truncation.k1;
  const bool cuts = window > 0 && Tape::recording();
  Loop loop(steps, options);
  for (Size k = from; k < end; ++k) {
    if (cuts && k > 0 && k % window == 0) loop.cut(k);
    loop.step(k);
    loop.keep(k);
  }
}

}  // namespace unroll::detail
