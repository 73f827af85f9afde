// The parts of over_time that do not depend on the cell: rows of inputs, padding, the loop,
// stacking; and the few that do, kept small, because every user's program compiles them. Internal.
#pragma once

#include <unroll/layers/cell_check.hpp>

namespace unroll {
struct Truncation;
}

namespace unroll::detail {

// ---- initial states ----------------------------------------------------------------------------

/// Zeros for one step's input: (B, hidden).
Array zeros_for(const std::string& label, const Variables& x, Size hidden);
/// The given start of a value: zero where empty, broadcast over the batch where it has no such
/// axis. Throws Error if its batch differs from zero's.
Variable start_of(const std::string& label, const Variable& given, const Variable& zero);
[[noreturn]] void fail_list(const std::string& label, std::size_t given, std::size_t zero);
void check_start(const std::string& label, const Variables& values, const Variables& x);

/// Puts the zero state where `given` is empty.
template <class S>
void fill_start(const std::string& label, S& given, const S& zero) {
  if constexpr (is_number<S>) {
  } else if constexpr (std::is_base_of_v<Variable, S>) {
    given = start_of(label, given, zero);
  } else if constexpr (is_list<S>) {
    if (given.empty()) given = zero;
    if (given.size() != zero.size()) fail_list(label, given.size(), zero.size());
    for (std::size_t k = 0; k < given.size(); ++k) fill_start(label, given[k], zero[k]);
  } else if constexpr (HasValues<S>) {
    given.fill_start(label, zero);
  } else {
    with_fields(given, [&](auto&... a) {
      with_fields(zero, [&](auto&... b) { (fill_start(label, a, b), ...); });
    });
  }
}

template <class C, class X, class S>
S start_state(const C& cell, const X& x, const S& given) {
  std::string label = label_of(cell);
  bool none = true;
  auto look = [&](const Variable& v) { none &= v.empty(); };
  each_value(given, look);
  S start = given;
  if constexpr (HasZeroState<C>) {
    S zero = cell.zero_state(x);
    if (none)
      start = zero;  // its numbers too
    else
      fill_start(label, start, zero);
  } else if constexpr (std::is_base_of_v<Cell, C>) {
    Variable zero = zeros_for(label, values_of_input(x), cell.hidden);
    for_each_value(start, [&](Variable& v) { v = start_of(label, v, zero); });
  } else {
    check_start(label, values_of(start), values_of_input(x));
  }
  return start;
}

// ---- the loop ----------------------------------------------------------------------------------

/// Which steps of which sequence are real.
class Padding {
 public:
  /// All of them.
  Padding() = default;
  /// By lengths (B) or a mask (T, B), empty for all. Throws Error if they do not fit.
  Padding(const std::string& label, const std::vector<Size>& lengths, const Variable& mask,
          Size steps, Size batch);

  bool none() const { return active_.empty(); }
  /// How many sequences are real at step t, of those that there are.
  Size active(Size t) const { return active_[static_cast<std::size_t>(t)]; }
  Size batch() const { return mask_.size(1); }
  /// 1 where real, else 0: (B, 1, ...) of that rank.
  Variable at(Size t, int rank) const;
  /// (T, B, 1, ...).
  Variable all(int rank) const;

 private:
  void read(const std::string& label, const std::vector<Size>& lengths);
  void read(const std::string& label, const Variable& mask);

  Array mask_;                // (T, B)
  std::vector<Size> active_;  // by step; empty without padding
};

/// The rows of one or several sequences (T, B, ...), by value and step; 0 where padded, so that
/// nothing of the padding gets into products and gradients.
class InputRows {
 public:
  InputRows(const std::string& label, const Variables& sequences,
            const std::vector<Size>& lengths = {}, const Variable& mask = {});
  Size steps() const { return steps_; }
  const Padding& padding() const { return padding_; }
  /// Value k at step t; t = -1 stands for any one step, also where there is none.
  const Variable& at(std::size_t k, Size t) const {
    return t < 0 ? some_[k] : rows_[k][static_cast<std::size_t>(t)];
  }

 private:
  Size steps_ = 0;
  Padding padding_;
  std::vector<std::vector<Variable>> rows_;
  Variables some_;
};

/// The steps of a cell, without its type.
struct Steps {
  virtual ~Steps() = default;
  /// state = cell.step(xs[t], state).
  virtual void step(Size t) = 0;
  /// Remembers the state as that of step t, if states are kept.
  virtual void keep(Size t) = 0;
  /// Where the values of the state are now.
  virtual void values(std::vector<Variable*>& list) = 0;
};

struct RunOptions {
  const std::string& label;
  const Padding& padding;
  bool reverse;
  Size steps;
  const Truncation& truncation;
  const std::vector<double>& zoneout;
};
/// The loop over time.
void run(Steps& steps, const RunOptions& options);

/// Zoneout of a state: `now` points to its values after a step, `before` are those before it.
/// Throws Error if there are not as many, or probabilities do not fit.
void zone_out(const std::string& label, const std::vector<double>& probabilities,
              const Variables& before, const std::vector<Variable*>& now);

template <class C>
struct CellSteps final : Steps {
  using X = typename CellTypes<C>::Input;
  using S = typename CellTypes<C>::State;

  CellSteps(const C& cell, const X& xs, const InputRows& rows, std::vector<S>& kept)
      : cell(cell), x(xs), rows(rows), kept(kept) {}

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
  void keep(Size t) override {
    if (!kept.empty()) kept[static_cast<std::size_t>(t)] = state;
  }
  void values(std::vector<Variable*>& list) override {
    list.clear();
    for_each_value(state, [&](Variable& v) { list.push_back(&v); });
  }

  const C& cell;
  X x;
  const InputRows& rows;
  std::vector<S>& kept;
  S state = {};
};

// ---- what is asked of the states ---------------------------------------------------------------

/// The serial number of the tape that records now, 0 if none does.
std::uint64_t recording_serial();

/// A value made when first asked for, and again on another tape: there it would be a constant.
template <class T>
class Cached {
 public:
  template <class F>
  const T& get(F&& make) const {
    std::uint64_t tape = recording_serial();
    if (!made_ || tape_ != tape) value_ = make();
    made_ = true;
    tape_ = tape;
    return value_;
  }

 private:
  mutable bool made_ = false;
  mutable std::uint64_t tape_ = 0;
  mutable T value_;
};

/// Throws unless states were kept, and t is one of them.
void check_kept(const std::string& label, std::size_t kept, Size steps, Size t = 0);
/// The outputs output(0), ..., output(steps - 1) as (T, B, ...), 0 where padded; output(-1) is
/// asked for the shape if there are no steps.
Variable stack_outputs(const std::string& label, Size steps, const Padding& padding,
                       Function<Variable(Size)> output);
/// Each of the values over all steps; `last` stands for the shapes if there are no steps.
Variables stack_values(const std::string& label, const Variables& last, Size steps,
                       Function<Variables(Size)> values);

}  // namespace unroll::detail
