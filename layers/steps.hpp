// The parts of over_time that do not depend on the cell, the loop and stacking, and the few that do,
// kept small, because every user's program compiles them. What a step reads is in input_rows.hpp,
// where states start in starts.hpp. Internal.
#pragma once

#include <unroll/autograd/substitution.hpp>
#include <unroll/layers/input_rows.hpp>
#include <unroll/layers/starts.hpp>

namespace unroll {

/// Truncated backpropagation through time (Williams and Peng 1990): the sequence is cut into
/// windows of k1 steps, and gradients of the states in a window go back to k2 steps before its end,
/// as if the last one had k1 steps too. {k} cuts between windows, {T} and {k, T} nowhere. Where
/// k2 > k1 a window runs the steps before it again, with the same random numbers: k2 / k1 times as
/// many steps in all. What a State only carries from its start, such as an AttentionMemory, is never
/// cut, nor is the state of a sequence of which no real step was taken yet; one that has ended keeps
/// the state of its last window. Windows count the steps that are taken, padded ones too: from
/// t = 0, in reverse from t = T - 1 whatever the lengths. The states that one sees are those of
/// their own window; what later windows run again are copies. With memory_budget or recompute_every
/// k2 = k1; overlapping windows that take little memory have tapes of their own.
struct Truncation {
  Size k1 = 0;  ///< 0: no truncation
  Size k2 = 0;  ///< k1 or more; 0: k1
  /// True if gradients go back over a whole sequence of that length.
  bool reaches_all(Size steps) const { return k2 > k1 && k2 >= steps; }
  /// True if it runs steps of it again.
  bool runs_again(Size steps) const { return k2 > k1 && k2 < steps; }
};

}  // namespace unroll

namespace unroll::detail {

// ---- the loop ----------------------------------------------------------------------------------

/// The steps of a cell, without its type.
struct Steps : Shared {
  explicit Steps(InputRows rows) : rows(std::move(rows)) {}
  /// state = cell.step(xs[t], state).
  virtual void step(Size t) = 0;
  /// Keeps states from now on: those of steps first..first + count - 1.
  virtual void keep_from(Size first, Size count) = 0;
  /// Remembers the state as that of step t, if it is to be kept.
  virtual void keep(Size t) = 0;
  /// Where the values of the state are now.
  virtual void values(std::vector<Variable*>& list) = 0;

  // For parts of a sequence that run again.
  /// The same cell and state, without kept states.
  virtual Ref<Steps> fork() const = 0;
  /// False once the cell has been destroyed or moved.
  virtual bool stands() const = 0;
  virtual bool keeps_states() const = 0;
  /// Where the values of all kept states are.
  virtual void kept_values(std::vector<Variable*>& list) = 0;
  /// Goes on from where a fork has come to, with the states that it kept.
  virtual void join(Steps& fork) = 0;

  /// The values that are there.
  std::vector<Variable*> present();

  // For truncation.
  /// Makes the state the start, of its values only those of which `some` says so.
  virtual void start_from(const std::vector<bool>& some) = 0;
  /// Which of values() are those of the start, in the same places: fields and elements of lists.
  virtual std::vector<bool> unchanged() = 0;

  InputRows rows;
};

/// What the backward pass is to compute again; see OverTimeOptions.
struct Recomputation {
  Size budget = 0, every = 0;
  bool any() const { return budget != 0 || every != 0; }
};

struct RunOptions {
  std::string label;
  Padding padding;
  Recomputation recomputation;
  bool reverse;
  Size steps;
  Truncation truncation;
  std::vector<double> zoneout;

  /// The step that is taken as number k: number 0 is the last one in reverse.
  Size time(Size k) const { return reverse ? steps - 1 - k : k; }
  /// The times of steps number from..end - 1: first, and last + 1.
  std::pair<Size, Size> times(Size from, Size end) const {
    const Size a = time(from), b = time(end - 1);
    return {std::min(a, b), std::max(a, b) + 1};
  }
};
/// The loop over time.
void run(Steps& steps, const RunOptions& options);
/// Steps number from..end - 1 of it.
void run_plainly(Steps& steps, const RunOptions& options, Size from, Size end);
/// The same in parts, of which the tape keeps the states at the start.
void run_recomputed(Steps& steps, const RunOptions& options);

/// Whether two values are the same one, not only equal.
bool is_same(const Variable& a, const Variable& b);

/// Throws what a cell's step has thrown once more, with where it was: "... At encoder t=3."; -1: no
/// step of a sequence.
[[noreturn]] void fail_at(const Error& e, const std::string& label, Size t);

/// Zoneout of a state: `now` points to its values after a step, `before` are those before it.
/// Throws Error if there are not as many, or probabilities do not fit.
void zone_out(const std::string& label, const std::vector<double>& probabilities,
              const Variables& before, const std::vector<Variable*>& now);

template <class C>
struct CellSteps final : Steps {
  using X = typename CellTypes<C>::Input;
  using S = typename CellTypes<C>::State;

  CellSteps(const C& cell, const X& xs, InputRows rows)
      : Steps(std::move(rows)), cell(cell), x(xs) {
    if constexpr (std::is_base_of_v<Module, C>) standing = Standing(cell);
  }

  CellSteps(const CellSteps& other, InputRows rows)
      : Steps(std::move(rows)), cell(other.cell), standing(other.standing), x(other.x) {}

  const X& input(Size t) {
    if constexpr (std::is_same_v<X, Variable>) {
      return rows.at(0, t);
    } else {
      std::size_t k = 0;
      for_each_value(x, [&](Variable& v) { v = rows.at(k++, t); });
      return x;
    }
  }
  void step(Size t) override { state = cell.step(input(t), state); }
  void keep_from(Size first, Size count) override {
    first_kept = first;
    kept.resize(static_cast<std::size_t>(count));
  }
  void keep(Size t) override {
    if (!kept.empty()) kept[static_cast<std::size_t>(t - first_kept)] = state;
  }
  void values(std::vector<Variable*>& list) override {
    list.clear();
    for_each_value(state, [&](Variable& v) { list.push_back(&v); });
  }
  Ref<Steps> fork() const override {
    auto* copy = new CellSteps(*this, rows.part({}, 0));
    copy->state = state;
    copy->start = start;
    return Ref<Steps>(copy);
  }
  bool stands() const override { return standing.holds(); }
  bool keeps_states() const override { return !kept.empty(); }
  void kept_values(std::vector<Variable*>& list) override {
    list.clear();
    for_each_value(kept, [&](Variable& v) { list.push_back(&v); });
  }
  void join(Steps& fork) override {
    auto& other = static_cast<CellSteps&>(fork);
    state = std::move(other.state);
    start = std::move(other.start);
    for (std::size_t k = 0; k < other.kept.size(); ++k)
      kept[static_cast<std::size_t>(other.first_kept - first_kept) + k] = std::move(other.kept[k]);
  }

  void start_from(const std::vector<bool>& some) override {
    start = state;
    std::size_t k = 0;
    for_each_value(start, [&](Variable& v) { v = some[k++] ? v : Variable(); });
  }
  std::vector<bool> unchanged() override {
    std::vector<bool> list;
    each_with_start(state, &start, [&](const Variable& v, const Variable* first) {
      list.push_back(first && is_same(v, *first));
    });
    return list;
  }

  const C& cell;
  Standing standing;
  X x;
  Size first_kept = 0;
  std::vector<S> kept;  // none if states are not kept
  S state = {}, start = {};
};

// ---- what is asked of the states ---------------------------------------------------------------

/// The serial number of the tape that records now, 0 if none does.
std::uint64_t recording_serial();

/// While it lives no other thread has one.
struct CacheLock {
  CacheLock();
  ~CacheLock();
  CacheLock(const CacheLock&) = delete;
};

/// A value made when first asked for, and again on another tape: there it would be a constant. Several
/// threads may ask.
template <class T>
class Cached {
 public:
  template <class F>
  T get(F&& make) const {
    // What is read in the place of other values belongs to whoever reads so, as a part of a
    // sequence does that is computed again, and to nobody after it.
    if (reading) return make();
    const std::uint64_t tape = recording_serial();
    {
      CacheLock lock;
      if (made_ && tape_ == tape) return value_;
    }
    T value = make();  // which may ask another one
    CacheLock lock;
    made_ = true;
    tape_ = tape;
    return value_ = std::move(value);
  }

 private:
  mutable bool made_ = false;
  mutable std::uint64_t tape_ = 0;
  mutable T value_;
};

/// Throws unless states were kept, and t is one of them.
void check_kept(const std::string& label, std::size_t kept, Size steps, Size t = 0);
/// The outputs output(0, made), ..., output(steps - 1, made) as (T, B, ...), 0 where padded, each
/// somebody's, or `made`; output(-1, made) is asked for the shape if there are no steps.
Variable stack_outputs(const std::string& label, Size steps, const Padding& padding,
                       Function<const Variable&(Size, Variable&)> output);
/// Each of the values over all steps; `last` stands for the shapes if there are no steps.
Variables stack_values(const std::string& label, const Variables& last, Size steps,
                       Function<Variables(Size)> values);

}  // namespace unroll::detail
