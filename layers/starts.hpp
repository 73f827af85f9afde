// Where the State of a cell starts: what zero_state says, or zeros, in the place of what is not
// given. How steps go on from there is in steps.hpp. Internal.
#pragma once

#include <unroll/layers/cell_check.hpp>

namespace unroll::detail {

/// Zeros for one step's input: (B, hidden).
Array zeros_for(const std::string& label, const Variables& x, Size hidden);
/// The given start of a value: zero where empty, broadcast over the batch where it has no such
/// axis. Throws Error if its batch differs from zero's.
Variable start_of(const std::string& label, const Variable& given, const Variable& zero);
/// The same of all values of a State whose cell does not say how it starts: they are taken to be as
/// `zero`, but for numbers of each sequence, (B). Throws Error too where one of several could be
/// either.
Variables starts_of(const std::string& label, const Variables& given, const Variable& zero);
[[noreturn]] void fail_list(const std::string& label, std::size_t given, std::size_t zero);
[[noreturn]] void fail_empty_list(const std::string& label);
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

/// Whether fill_start finds anything empty.
template <class S>
bool has_gaps(const S& given) {
  bool gap = false;
  if constexpr (is_number<S>) {
  } else if constexpr (std::is_base_of_v<Variable, S>) {
    gap = given.empty();
  } else if constexpr (is_list<S>) {
    gap = given.empty();
    for (const auto& element : given) gap |= has_gaps(element);
  } else if constexpr (HasValues<S>) {
    gap = has_gaps(std::vector<Variable>(given.values()));
  } else {
    with_fields(given, [&](const auto&... field) { gap = (has_gaps(field) || ...); });
  }
  return gap;
}

/// Whether a list is empty of which only zero_state could say how long it is.
template <class S>
bool has_empty_list(const S& given) {
  bool found = false;
  if constexpr (is_list<S>) {
    found = given.empty() && !HasValues<typename S::value_type>;
    for (const auto& element : given) found |= has_empty_list(element);
  } else if constexpr (!is_number<S> && !std::is_base_of_v<Variable, S> && !HasValues<S>) {
    with_fields(given, [&](const auto&... field) { found = (has_empty_list(field) || ...); });
  }
  return found;
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
    if (has_empty_list(start)) fail_empty_list(label);
    const Variables values =
        starts_of(label, values_of(start), zeros_for(label, values_of_input(x), cell.hidden));
    std::size_t k = 0;
    for_each_value(start, [&](Variable& v) { v = values[k++]; });
  } else {
    check_start(label, values_of(start), values_of_input(x));
  }
  return start;
}

}  // namespace unroll::detail
