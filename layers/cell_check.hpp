// What a class needs to be a cell, the sentences that refuse others, and what is read off a cell
// without calling it. Internal: cells themselves are told about in over_time.hpp.
#pragma once

#include <concepts>

#include <unroll/layers/module.hpp>
#include <unroll/layers/state.hpp>

namespace unroll::detail {

struct NoState {};  // stands in, so that a wrong cell reaches the sentences of check_cell

template <class C>
struct CellTypes {
  static auto input() {
    if constexpr (requires { typename C::Input; })
      return std::type_identity<typename C::Input>();
    else
      return std::type_identity<Variable>();
  }
  static auto state() {
    if constexpr (requires { requires PlainState<typename C::State>; })
      return std::type_identity<typename C::State>();
    else
      return std::type_identity<NoState>();
  }
  using Input = typename decltype(input())::type;
  using State = typename decltype(state())::type;
};

template <class C>
concept HasState = requires {
  typename C::State;
};
template <class C, class S = typename CellTypes<C>::State>
concept HasOutput = requires(const C& c, const S& s) {
  Variable(c.output(s));
};
template <class C, class X = typename CellTypes<C>::Input, class S = typename CellTypes<C>::State>
concept HasZeroState = requires(const C& c, const X& x) {
  { c.zero_state(x) } -> std::convertible_to<S>;
};
// A function of that name, which may be none that the loop can call. One of several is not seen.
template <class C>
concept NamesOutput = std::is_member_function_pointer_v<decltype(&C::output)>;
template <class C>
concept NamesZeroState = std::is_member_function_pointer_v<decltype(&C::zero_state)>;

template <class C, class X = typename CellTypes<C>::Input, class S = typename CellTypes<C>::State>
concept Steppable = requires(const C& c, const X& x, const S& s) {
  { c.step(x, s) } -> std::convertible_to<S>;
};

/// Refuses what is no cell, in a sentence.
template <class C>
constexpr void check_cell() {
  using X = typename CellTypes<C>::Input;
  using S = typename CellTypes<C>::State;
  static_assert(HasState<C>,
                "[cell] declare its memory, in public: `struct State { Variable h; };`");
  static_assert(!HasState<C> || !std::is_same_v<S, NoState>,
                "[cell] State must be a plain struct, without constructors, private members or "
                "virtual functions: `struct State { Variable h; };`");
  if constexpr (!std::is_same_v<S, NoState>) {
    constexpr bool callable = requires(C & c, const X& x, const S& s) { c.step(x, s); };
    constexpr bool constant = requires(const C& c, const X& x, const S& s) { c.step(x, s); };
    static_assert(callable,
                  "[cell] needs `State step(const Variable& x, const State& s) const` (with "
                  "its Input instead of Variable, if it declares one)");
    static_assert(
        constant || !callable,
        "[cell] step must be const: `State step(const Variable& x, const State& s) const`");
    static_assert(
        Steppable<C> || !constant,
        "[cell] step must return State: `State step(const Variable& x, const State& s) const`");
    static_assert(HasOutput<C> || !NamesOutput<C>,
                  "[cell] output must be `Variable output(const State& s) const`");
    static_assert(HasZeroState<C> || !NamesZeroState<C>,
                  "[cell] zero_state must be `State zero_state(const Variable& x) const` (with its "
                  "Input instead of Variable, if it declares one)");
  }
}

/// "MyCell" from the compiler's text of the type.
template <class C>
std::string type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("C = ") + 4);
  std::size_t end = text.find_first_of("<;]");
  text = text.substr(0, end);
  std::size_t scope = text.rfind(':');
  return std::string(scope == text.npos ? text : text.substr(scope + 1));
}

/// The name under which a cell is registered, else its type's.
template <class C>
std::string label_of(const C& cell) {
  if constexpr (std::is_base_of_v<Module, C>)
    if (!cell.name().empty()) return cell.name();
  return type_name<C>();
}

/// What a cell shows of a state: a value of that, or one `made` of it.
template <class C, class S>
const Variable& output_of(const C& cell, const S& s, Variable& made) {
  if constexpr (HasOutput<C>) {
    return made = cell.output(s);
  } else {
    const Variable* first = nullptr;
    auto take = [&](const Variable& x) {
      if (!first) first = &x;
    };
    each_value(s, take);
    if (!first)
      fail(label_of(cell),
           "its State has no Variable to show; add `Variable output(const State&) const`.");
    return *first;
  }
}
template <class C, class S>
Variable output_of(const C& cell, const S& s) {
  Variable made;
  return output_of(cell, s, made);
}

template <class X>
Variables values_of_input(const X& x) {
  if constexpr (std::is_base_of_v<Variable, X>)
    return {x};
  else
    return values_of(x);
}

}  // namespace unroll::detail
