// Plain structs of Variables, seen field by field: the states and inputs of cells. Which fields a
// cell has is its own business; nothing here knows of cells.
#pragma once

#include <array>
#include <type_traits>

#include <unroll/autograd/tape.hpp>

namespace unroll {

namespace detail {

// Stands for a field of any type when the fields of a struct are counted.
struct AnyField {
  template <class T>
  operator T() const;
};
// Stands for a base class only.
template <class S>
struct AnyBase {
  template <class T>
  requires(std::is_base_of_v<T, S> && !std::is_same_v<T, S>) operator T() const;
};

template <class S, class... Any>
constexpr int count_fields() {
  if constexpr (sizeof...(Any) <= 12 && requires { S{Any{}..., AnyField{}}; })
    return count_fields<S, Any..., AnyField>();
  else
    return static_cast<int>(sizeof...(Any));
}

template <class T>
inline constexpr bool is_list = false;
template <class T, class A>
inline constexpr bool is_list<std::vector<T, A>> = true;
template <class T, std::size_t N>
inline constexpr bool is_list<std::array<T, N>> = true;

// How many fields a struct has, told once a type, so that one that does not do is refused once.
template <class S>
struct Fields {
  static constexpr bool plain = std::is_aggregate_v<S> && !requires { S{AnyBase<S>{}}; };
  static constexpr int count = plain ? count_fields<S>() : 0;
  static_assert(plain,
                "[state] a State or Input must be a plain struct of Variables, numbers, such "
                "structs, std::array and std::vector: no constructor, private member or base "
                "class; a constant Array is a Variable there");
  static_assert(count <= 12,
                "[state] a struct has up to 12 fields; put some into a struct of their own");
};

// Calls f with all fields of s at once: f(s.h, s.c).
template <class S, class F>
void with_fields(S& s, F&& f) {
  constexpr int n = Fields<std::remove_const_t<S>>::count;
  if constexpr (n == 1) {
    auto& [a] = s;
    f(a);
  } else if constexpr (n == 2) {
    auto& [a, b] = s;
    f(a, b);
  } else if constexpr (n == 3) {
    auto& [a, b, c] = s;
    f(a, b, c);
  } else if constexpr (n == 4) {
    auto& [a, b, c, d] = s;
    f(a, b, c, d);
  } else if constexpr (n == 5) {
    auto& [a, b, c, d, e] = s;
    f(a, b, c, d, e);
  } else if constexpr (n == 6) {
    auto& [a, b, c, d, e, g] = s;
    f(a, b, c, d, e, g);
  } else if constexpr (n == 7) {
    auto& [a, b, c, d, e, g, h] = s;
    f(a, b, c, d, e, g, h);
  } else if constexpr (n == 8) {
    auto& [a, b, c, d, e, g, h, i] = s;
    f(a, b, c, d, e, g, h, i);
  } else if constexpr (n == 9) {
    auto& [a, b, c, d, e, g, h, i, j] = s;
    f(a, b, c, d, e, g, h, i, j);
  } else if constexpr (n == 10) {
    auto& [a, b, c, d, e, g, h, i, j, k] = s;
    f(a, b, c, d, e, g, h, i, j, k);
  } else if constexpr (n == 11) {
    auto& [a, b, c, d, e, g, h, i, j, k, l] = s;
    f(a, b, c, d, e, g, h, i, j, k, l);
  } else if constexpr (n == 12) {
    auto& [a, b, c, d, e, g, h, i, j, k, l, m] = s;
    f(a, b, c, d, e, g, h, i, j, k, l, m);
  }
}

// A type that hands out its Variables itself, as the state of an erased cell does.
template <class S>
concept HasValues = requires(S& s, const S& c, void (*f)(void*, Variable&),
                             void (*read)(void*, const Variable&)) {
  s.each_value(f, nullptr);
  c.each_value(read, nullptr);  // the values where they are, not copies of them
  Variables(c.values());
};

template <class T>
inline constexpr bool is_number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

template <class S, class F>
void each_value(S& s, F& f) {
  using Plain = std::remove_const_t<S>;
  if constexpr (is_number<Plain>) {
  } else if constexpr (std::is_base_of_v<Variable, Plain>) {
    f(s);
  } else if constexpr (is_list<Plain>) {
    for (auto& element : s) each_value(element, f);
  } else if constexpr (HasValues<Plain>) {
    using Value = std::conditional_t<std::is_const_v<S>, const Variable, Variable>;
    s.each_value([](void* g, Value& x) { (*static_cast<F*>(g))(x); }, &f);
  } else {
    with_fields(s, [&](auto&... field) { (each_value(field, f), ...); });
  }
}

/// Calls f(value, the start's in the same place) for each value of a state, nullptr where the start
/// has none.
template <class S, class F>
void each_with_start(const S& now, const S* start, const F& f) {
  auto each_of = [&](const auto& list, const auto* first) {
    for (std::size_t k = 0; k < list.size(); ++k)
      each_with_start(list[k], first && k < first->size() ? &(*first)[k] : nullptr, f);
  };
  if constexpr (is_number<S>) {
  } else if constexpr (std::is_base_of_v<Variable, S>) {
    f(now, start);
  } else if constexpr (is_list<S>) {
    each_of(now, start);
  } else if constexpr (HasValues<S>) {
    const std::vector<Variable> list = now.values(),
                                first = start ? start->values() : std::vector<Variable>();
    each_of(list, &first);
  } else {
    with_fields(now, [&](const auto&... a) {
      if (!start) return (each_with_start(a, static_cast<decltype(&a)>(nullptr), f), ...);
      with_fields(*start, [&](const auto&... b) { (each_with_start(a, &b, f), ...); });
    });
  }
}

}  // namespace detail

/// True for what the functions below take: plain structs, and lists of them.
template <class S>
concept PlainState = std::is_aggregate_v<S> || detail::is_list<S> || detail::HasValues<S>;

/// Calls f(Variable&) for every Variable in a plain struct, in order of declaration; structs,
/// std::array and std::vector inside are entered, numbers left out.
template <PlainState S, class F>
void for_each_value(S& s, F&& f) {
  detail::each_value(s, f);
}

/// The Variables of a plain struct, in order of declaration.
template <PlainState S>
Variables values_of(const S& s) {
  Variables list;
  auto collect = [&](const Variable& x) { list.push_back(x); };
  detail::each_value(s, collect);
  return list;
}

/// A copy in which every Variable x is replaced by f(x).
template <PlainState S, class F>
S map_values(S s, F&& f) {
  for_each_value(s, [&](Variable& x) { x = f(static_cast<const Variable&>(x)); });
  return s;
}

/// The same state without history: constants. To carry a state to the next tape it is not needed.
template <PlainState S>
S detach(const S& s) {
  return map_values(s, [](const Variable& x) { return x.empty() ? x : detach(x); });
}

/// A copy whose values are inputs with gradients: tape.watch(state). Indices have none and stay.
template <PlainState S>
S watch_values(Tape& tape, const S& s) {
  return map_values(
      s, [&](const Variable& x) { return x.empty() || !is_float(x.type()) ? x : tape.watch(x); });
}

}  // namespace unroll
