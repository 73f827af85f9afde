// A user's own differentiable function: value and gradient in one place, as two lambdas over
// Variables. Ops with kernels of their own are made with Op, see op.hpp.
#pragma once

#include <array>

#include <unroll/autograd/op.hpp>
#include <unroll/autograd/operand.hpp>

namespace unroll {

namespace detail {

template <class T>
concept TupleLike = requires { std::tuple_size<T>::value; };

template <class T>
inline constexpr bool is_list_of_variables = requires(const T& t) {
  Variable(*t.begin());
  t.size();
};

/// A Variable, a tuple or array of Variables, or a list of them, as one list.
template <class R>
std::vector<Variable> variables_of(const R& r) {
  if constexpr (std::is_convertible_v<const R&, Variable>) {
    return {static_cast<Variable>(r)};
  } else if constexpr (TupleLike<R>) {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      using std::get;
      return std::vector<Variable>{static_cast<Variable>(get<K>(r))...};
    }(std::make_index_sequence<std::tuple_size<R>::value>());
  } else {
    static_assert(is_list_of_variables<R>,
                  "the function must return a Variable, or a std::tuple, std::array or std::vector "
                  "of Variables");
    return {r.begin(), r.end()};
  }
}

/// How many Variables a function returns, 1 for a Variable.
template <class R>
constexpr std::size_t count_of_results() {
  if constexpr (TupleLike<R>) return std::tuple_size<R>::value;
  else return 1;
}

/// Calls f with n inputs from a list.
template <class F, class List, std::size_t... K>
decltype(auto) spread(const F& f, const List& xs, std::index_sequence<K...>) {
  return f(static_cast<const Variable&>(xs[K])...);
}

}  // namespace detail

/// value(x...) with a gradient of one's own:
///
///     differentiable("cube",
///         [](const Variable& x) { return x * x * x; },
///         [](const Variable& dy, const Variable& y, const Variable& x) { return dy * 3 * x * x; },
///         x);
///
/// `value` runs without recording and returns a Variable, or a std::tuple or std::array of several;
/// then `dy` and `y` are std::arrays of as many. `gradient(dy, y, x...)` returns one Variable per
/// input in its shape (or in one that it broadcasts to): alone, or as a std::tuple; an empty one
/// means no gradient. Both may outlive the scope: capture by value. Written in ops, the gradient
/// can be differentiated again, to any order. `name` must be a string literal.
template <class Value, class Gradient, class... X>
  requires(std::is_convertible_v<const X&, Variable> && ...)
auto differentiable(const char* name, const Value& value, Gradient gradient, const X&... x) {
  constexpr std::size_t n = sizeof...(X);
  static_assert(n > 0, "[differentiable] needs at least one input");
  constexpr auto all = std::make_index_sequence<n>();
  const Type type = detail::type_beside(x...);
  const std::array<Variable, n> inputs{detail::as_variable(x, type)...};
  Op op(name, std::span<const Variable>(inputs));
  std::array<Variable, n> given;
  for (std::size_t k = 0; k < n; ++k) given[k] = op.input(static_cast<int>(k));

  using R = std::remove_cvref_t<decltype(detail::spread(value, given, all))>;
  constexpr bool several = detail::TupleLike<R>;
  constexpr std::size_t m = detail::count_of_results<R>();
  std::vector<Array> ys;
  for (const Variable& y : detail::variables_of(
           no_grad([&] { return detail::spread(value, given, all); })))
    ys.push_back(y.value());

  auto results = op.record(std::move(ys), [gradient = std::move(gradient), name](Backward& b) {
    std::array<Variable, m> dy, y;
    std::array<Variable, n> in;
    for (std::size_t k = 0; k < m; ++k) {
      dy[k] = b.dy(static_cast<int>(k));
      y[k] = b.y(static_cast<int>(k));
    }
    for (std::size_t k = 0; k < n; ++k) in[k] = b.x(static_cast<int>(k));
    std::vector<Variable> gradients = detail::variables_of([&]<std::size_t... K>(
        std::index_sequence<K...>) {
      if constexpr (several) return gradient(dy, y, in[K]...);
      else return gradient(dy[0], y[0], in[K]...);
    }(std::make_index_sequence<n>()));
    if (gradients.size() != n)
      fail(name, "its gradient function returned ", gradients.size(), " Variables; expected ", std::size_t{n},
           ", one per input.");
    for (std::size_t k = 0; k < n; ++k)
      if (!gradients[k].empty()) b.give(static_cast<int>(k), gradients[k]);
  });

  if constexpr (several) {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      return R{results[K]...};
    }(std::make_index_sequence<m>());
  } else {
    return results[0];
  }
}

}  // namespace unroll
