// A cell and its state without their types, as the layers of a Recurrent hold them. Users meet
// CellState only, as an element of Recurrent::State.
#pragma once

#include <optional>

#include <unroll/autograd/substitution.hpp>
#include <unroll/layers/over_time.hpp>

namespace unroll {

/// The state of one cell, whatever its type: made from the cell's State, or from the values in it,
/// `{h, c}`. Cheap to copy.
class CellState {
 public:
  /// Stands for zeros.
  CellState() = default;
  template <PlainState S>
  requires(!std::is_same_v<S, CellState>) CellState(S state) : box_(new Box<S>(std::move(state))) {}
  CellState(std::initializer_list<Variable> values) : CellState(std::vector<Variable>(values)) {}
  /// What a cell starts from, or a step has returned: a value that is empty is meant to be.
  template <class S>
  static CellState complete(S state) {
    CellState s(std::move(state));
    s.meant_ = s.count_empty();
    return s;
  }

  bool empty() const { return !box_; }
  /// False once somebody has emptied another one.
  bool is_complete() const { return meant_ >= 0 && meant_ == count_empty(); }
  /// The Variables in it, in order.
  Variables values() const { return box_ ? box_->values() : Variables(); }
  /// The cell's State, nullptr if it is of another type.
  template <class S>
  const S* as() const {
    const auto* box = dynamic_cast<const Box<S>*>(box_.get());
    return box ? &box->state : nullptr;
  }

  // For the functions of state.hpp and for initial states.
  void each_value(void (*f)(void*, Variable&), void* argument) {
    if (!box_) return;
    if (!box_.unique()) box_ = box_->copy();
    box_->each_value(f, argument);
  }
  void each_value(void (*f)(void*, const Variable&), void* argument) const {
    if (box_) static_cast<const AnyBox&>(*box_).each_value(f, argument);
  }
  void fill_start(const std::string& label, const CellState& zero) {
    if (empty()) {
      *this = zero;
    } else if (!zero.empty()) {
      if (!box_.unique()) box_ = box_->copy();
      box_->fill_start(label, *zero.box_);
    }
  }

 private:
  struct AnyBox : Shared {
    virtual Ref<AnyBox> copy() const = 0;
    virtual Variables values() const = 0;
    virtual void each_value(void (*f)(void*, Variable&), void* argument) = 0;
    virtual void each_value(void (*f)(void*, const Variable&), void* argument) const = 0;
    virtual void fill_start(const std::string& label, const AnyBox& zero) = 0;
  };
  template <class S>
  struct Box final : AnyBox {
    explicit Box(S s) : state(std::move(s)) {}
    Ref<AnyBox> copy() const override { return Ref<AnyBox>(new Box(state)); }
    Variables values() const override { return values_of(state); }
    void each_value(void (*f)(void*, Variable&), void* argument) override {
      for_each_value(state, [&](Variable& x) { f(argument, x); });
    }
    void each_value(void (*f)(void*, const Variable&), void* argument) const override {
      auto read = [&](const Variable& x) { f(argument, x); };
      detail::each_value(state, read);
    }
    void fill_start(const std::string& label, const AnyBox& zero) override {
      if (auto* same = dynamic_cast<const Box*>(&zero))
        return detail::fill_start(label, state, same->state);
      const Variables zeros = zero.values();  // of a State, where this is but the values of one
      std::size_t k = 0;
      if (values_of(state).size() == zeros.size())
        for_each_value(state, [&](Variable& x) { x = detail::start_of(label, x, zeros[k++]); });
    }
    S state;
  };
  int count_empty() const {
    int count = 0;
    auto look = [&](const Variable& v) { count += v.empty(); };
    detail::each_value(*this, look);
    return count;
  }
  Ref<AnyBox> box_;
  int meant_ = -1;  ///< how many values are meant to be empty; -1: it may be no whole state
};

namespace detail {

template <class C>
concept IsCell = std::is_base_of_v<Module, C> && HasState<C>;

/// The states of one cell over a sequence.
struct AnyStates : Shared {
  virtual CellState at(Size t) const = 0;
  virtual CellState last() const = 0;
  virtual CellState all() const = 0;
  virtual Variable outputs() const = 0;
};

/// The size of a cell's input, 0 if it does not say.
template <class C>
Size input_size(const C& cell) {
  if constexpr (requires { Size(cell.in); })
    return cell.in;
  else
    return 0;
}

/// A cell.
struct AnyCell : Shared {
  virtual Module& module() = 0;
  /// As the function above.
  virtual Size input_size() const = 0;
  /// The state at the start for one step's input.
  virtual CellState start(const Variable& x, const CellState& given) const = 0;
  virtual CellState step(const Variable& x, const CellState& s,
                         const std::vector<double>& zoneout) const = 0;
  virtual Variable output(const CellState& s) const = 0;
  /// With other values for some of its weights. The states hold the cell.
  virtual Ref<AnyStates> over_time(const Variable& xs, const OverTimeOptions<CellState>& options,
                                   const std::vector<Substitution::Pair>& weights) = 0;
};

/// The Substitution of those weights, none of none: every op looks into it.
inline std::optional<Substitution> in_place_of(const std::vector<Substitution::Pair>& weights) {
  return weights.empty() ? std::nullopt : std::optional<Substitution>(std::in_place, weights);
}

/// Throws because a list of values does not fit a State.
[[noreturn]] void fail_values(const std::string& label, std::size_t given, std::size_t expected);

template <class C>
struct HeldCell final : AnyCell {
  using S = StateOf<C>;

  struct HeldStates final : AnyStates {
    HeldStates(HeldCell& cell, unroll::States<S> states, std::vector<Substitution::Pair> weights)
        : cell(&cell), states(std::move(states)), weights(std::move(weights)) {}
    CellState at(Size t) const override { return CellState::complete(states[t]); }
    CellState last() const override { return CellState::complete(states.last()); }
    CellState all() const override { return states.all(); }
    Variable outputs() const override {
      const auto in_place = in_place_of(weights);
      return states.outputs();
    }
    Ref<HeldCell> cell;  // is asked by outputs(), when the Recurrent may be gone
    unroll::States<S> states;
    std::vector<Substitution::Pair> weights;
  };

  explicit HeldCell(C c) : cell(std::move(c)) {}

  Module& module() override { return cell; }
  Size input_size() const override { return detail::input_size(cell); }
  CellState start(const Variable& x, const CellState& given) const override {
    return CellState::complete(unroll::initial_state(cell, x, typed(given, x)));
  }
  CellState step(const Variable& x, const CellState& s,
                 const std::vector<double>& zoneout) const override {
    const S* state = s.as<S>();
    const bool goes_on = state && s.is_complete();
    S before = goes_on ? *state : unroll::initial_state(cell, x, typed(s, x));
    S after = cell.step(x, before);
    if (!zoneout.empty()) {
      std::vector<Variable*> now;
      for_each_value(after, [&](Variable& v) { now.push_back(&v); });
      zone_out(label_of(cell), zoneout, values_of(before), now);
    }
    return CellState::complete(std::move(after));
  }
  Variable output(const CellState& s) const override {
    if (const S* state = s.as<S>()) return output_of(cell, *state);
    if constexpr (!HasOutput<C>)
      if (Variables values = s.values(); !values.empty()) return values[0];
    fail(label_of(cell), "output() needs the State that step() returned.");
  }
  Ref<AnyStates> over_time(const Variable& xs, const OverTimeOptions<CellState>& o,
                           const std::vector<Substitution::Pair>& weights) override {
    const auto in_place = in_place_of(weights);
    S initial = {};
    if (const S* given = o.initial.template as<S>())
      initial = *given;
    else if (!o.initial.empty())
      initial = typed(o.initial, InputRows(label_of(cell), {xs}, {}, {}, false).at(0, -1));
    auto states = unroll::over_time(cell, xs,
                                    {.initial = std::move(initial),
                                     .keep_states = o.keep_states,
                                     .lengths = o.lengths,
                                     .mask = o.mask,
                                     .memory_budget = o.memory_budget,
                                     .recompute_every = o.recompute_every,
                                     .reverse = o.reverse,
                                     .truncation = o.truncation,
                                     .zoneout = o.zoneout});
    return Ref<AnyStates>(new HeldStates(*this, std::move(states), weights));
  }

  /// Values without their struct take the places of the values in a State at its start.
  S typed(const CellState& given, const Variable& x) const {
    if (given.empty()) return S{};
    if (const S* state = given.as<S>()) return *state;
    S s = {};
    if constexpr (HasZeroState<C> || std::is_base_of_v<Cell, C>) s = unroll::initial_state(cell, x);
    Variables values = given.values();
    std::size_t count = values_of(s).size(), k = 0;
    if (count != values.size()) fail_values(label_of(cell), values.size(), count);
    for_each_value(s, [&](Variable& v) { v = values[k++]; });
    return s;
  }

  C cell;
};

template <class C>
Ref<AnyCell> any_cell(C cell) {
  check_cell<C>();
  static_assert(std::is_base_of_v<Module, C>,
                "[recurrent] a cell in a Recurrent is a Module: derive it from Cell or Module");
  static_assert(std::is_same_v<InputOf<C>, Variable>,
                "[recurrent] a cell in a Recurrent takes one Variable, not a struct, as its input");
  if constexpr (Steppable<C> && std::is_base_of_v<Module, C>)
    return Ref<AnyCell>(new HeldCell<C>(std::move(cell)));
  else
    return {};
}

}  // namespace detail

}  // namespace unroll
