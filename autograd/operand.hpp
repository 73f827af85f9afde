// Numbers as operands beside Variables: they take the element type of the others, so that 0.1
// beside float64 is 0.1 and not its float32. For functions that take either; nothing is computed.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <unroll/autograd/variable.hpp>

namespace unroll::detail {

inline bool is_float64(const Variable& x) { return !x.empty() && x.type() == float64; }
inline bool is_float64(const Array& x) { return x.type() == float64; }
template <class X>
  requires std::is_arithmetic_v<X>
bool is_float64(X) {
  return false;
}

/// The element type of numbers beside these operands: float64 if one of them has it.
template <class... X>
Type type_beside(const X&... x) {
  return (is_float64(x) || ...) ? float64 : float32;
}

/// What a function of Variables is given: Variables as they are, a number as a constant.
inline const Variable& as_variable(const Variable& x, Type) { return x; }
inline Variable as_variable(const Array& x, Type) { return x; }
template <class X>
  requires std::is_arithmetic_v<X>
Variable as_variable(X number, Type type) {
  return full({}, static_cast<double>(number), type);
}

template <class X>
concept NumberOperand = std::is_arithmetic_v<X>;
template <class X>
concept ArrayOperand = std::derived_from<X, Variable> || std::same_as<X, Array>;
/// A number and a Variable, in this order or in any.
template <class A, class B>
concept NumberFirst = NumberOperand<A> && ArrayOperand<B>;
template <class A, class B>
concept OneNumber = NumberFirst<A, B> || NumberFirst<B, A>;

/// Both as Variables of one type.
template <class A, class B>
std::pair<Variable, Variable> alike(const A& a, const B& b) {
  Type type = type_beside(a, b);
  return {as_variable(a, type), as_variable(b, type)};
}

}  // namespace unroll::detail
