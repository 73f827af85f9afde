// Functions of one element at a time: operators, comparisons, mathematics and activations. Shapes
// broadcast as in NumPy; several of them in one pass over memory are fuse's (fuse.hpp).
#pragma once

#include <concepts>
#include <limits>

#include <unroll/autograd/operand.hpp>

namespace unroll {

// Every function takes float32 or float64 of any shape and stride, passes NaN on, has gradients of
// any order, and follows torch where the derivative jumps. Shapes that do not broadcast, int64
// elements and mixed element types throw Error. But a float32 constant beside float64 is widened,
// and a double beside a Variable takes its element type.

/// -x.
Variable operator-(const Variable& x);
/// x.
Variable operator+(const Variable& x);
Variable operator+(const Variable& a, const Variable& b);
Variable operator+(const Variable& a, double b);
Variable operator+(double a, const Variable& b);
Variable operator-(const Variable& a, const Variable& b);
Variable operator-(const Variable& a, double b);
Variable operator-(double a, const Variable& b);
Variable operator*(const Variable& a, const Variable& b);
Variable operator*(const Variable& a, double b);
Variable operator*(double a, const Variable& b);
Variable operator/(const Variable& a, const Variable& b);
Variable operator/(const Variable& a, double b);
Variable operator/(double a, const Variable& b);

// a += b is a = a + b, another value under the same name; a Parameter has p.assign(x) instead.
template <std::same_as<Variable> A, class B>
A& operator+=(A& a, const B& b) {
  return a = a + b;
}
template <std::same_as<Variable> A, class B>
A& operator-=(A& a, const B& b) {
  return a = a - b;
}
template <std::same_as<Variable> A, class B>
A& operator*=(A& a, const B& b) {
  return a = a * b;
}
template <std::same_as<Variable> A, class B>
A& operator/=(A& a, const B& b) {
  return a = a / b;
}

/// a - b.
inline Variable subtract(const Variable& a, const Variable& b) { return a - b; }
/// a b.
inline Variable multiply(const Variable& a, const Variable& b) { return a * b; }
/// a / b.
inline Variable divide(const Variable& a, const Variable& b) { return a / b; }
// The same where one of the two is a number; add(a, b) of two Variables is in autograd/op.hpp.
template <class A, class B>
  requires detail::OneNumber<A, B>
Variable add(const A& a, const B& b) {
  return a + b;
}
template <class A, class B>
  requires detail::OneNumber<A, B>
Variable subtract(const A& a, const B& b) {
  return a - b;
}
template <class A, class B>
  requires detail::OneNumber<A, B>
Variable multiply(const A& a, const B& b) {
  return a * b;
}
template <class A, class B>
  requires detail::OneNumber<A, B>
Variable divide(const A& a, const B& b) {
  return a / b;
}
/// -x.
inline Variable negative(const Variable& x) { return -x; }

// Comparisons are constants: 1 where it holds, 0 elsewhere, of the operands' element type (float32
// for int64 operands, which may be compared too). With NaN only not_equals holds.
Variable operator<(const Variable& a, const Variable& b);
Variable operator<(const Variable& a, double b);
Variable operator<(double a, const Variable& b);
Variable operator<=(const Variable& a, const Variable& b);
Variable operator<=(const Variable& a, double b);
Variable operator<=(double a, const Variable& b);
Variable operator>(const Variable& a, const Variable& b);
Variable operator>(const Variable& a, double b);
Variable operator>(double a, const Variable& b);
Variable operator>=(const Variable& a, const Variable& b);
Variable operator>=(const Variable& a, double b);
Variable operator>=(double a, const Variable& b);
/// 1 where a == b.
Variable equals(const Variable& a, const Variable& b);
Variable equals(const Variable& a, double b);
/// 1 where a != b.
Variable not_equals(const Variable& a, const Variable& b);
Variable not_equals(const Variable& a, double b);
/// 1 where both are nonzero, for masks.
Variable operator&&(const Variable& a, const Variable& b);
/// 1 where at least one is nonzero.
Variable operator||(const Variable& a, const Variable& b);
/// 1 where x is zero.
Variable operator!(const Variable& x);

/// The greater of a and b; where they are equal each gets half of the gradient.
Variable maximum(const Variable& a, const Variable& b);
Variable maximum(const Variable& a, double b);
Variable maximum(double a, const Variable& b);
/// The smaller of a and b; where they are equal each gets half of the gradient.
Variable minimum(const Variable& a, const Variable& b);
Variable minimum(const Variable& a, double b);
Variable minimum(double a, const Variable& b);
/// The angle of the point (x, y), in (-pi, pi].
Variable atan2(const Variable& y, const Variable& x);
/// sqrt(a^2 + b^2), gradient 0 at the origin.
Variable hypot(const Variable& a, const Variable& b);
/// x^p; the gradient is 0 for p = 0.
Variable pow(const Variable& x, double p);
/// a^b; db is 0 where a = 0 (and b >= 0).
Variable pow(const Variable& a, const Variable& b);

// The same where one of the two is a number.
template <class A, class B>
  requires detail::NumberFirst<A, B>
Variable equals(A a, const B& b) {
  return equals(b, static_cast<double>(a));
}
template <class A, class B>
  requires detail::NumberFirst<A, B>
Variable not_equals(A a, const B& b) {
  return not_equals(b, static_cast<double>(a));
}
template <class A, class B>
  requires detail::OneNumber<A, B>
Variable atan2(const A& a, const B& b) {
  const auto [y, x] = detail::alike(a, b);
  return atan2(y, x);
}
template <class A, class B>
  requires detail::OneNumber<A, B>
Variable hypot(const A& a, const B& b) {
  const auto [x, y] = detail::alike(a, b);
  return hypot(x, y);
}
template <class A, class B>
  requires detail::NumberFirst<A, B>
Variable pow(const A& a, const B& b) {
  const auto [x, p] = detail::alike(a, b);
  return pow(x, p);
}

/// |x|, gradient 0 at 0.
Variable abs(const Variable& x);
/// -1, 0 or 1; gradient 0.
Variable sign(const Variable& x);
/// The greatest whole number <= x; gradient 0.
Variable floor(const Variable& x);
/// x^2.
Variable square(const Variable& x);
/// 1 / x.
Variable reciprocal(const Variable& x);
/// sqrt(x).
Variable sqrt(const Variable& x);
/// 1 / sqrt(x).
Variable rsqrt(const Variable& x);
/// e^x.
Variable exp(const Variable& x);
/// e^x - 1, accurate near 0.
Variable expm1(const Variable& x);
/// Natural logarithm.
Variable log(const Variable& x);
/// log(1 + x), accurate near 0.
Variable log1p(const Variable& x);
Variable log2(const Variable& x);
Variable log10(const Variable& x);
Variable sin(const Variable& x);
Variable cos(const Variable& x);
Variable sinh(const Variable& x);
Variable cosh(const Variable& x);
Variable atan(const Variable& x);
Variable tanh(const Variable& x);
/// The error function, 2/sqrt(pi) times the integral of exp(-t^2) over 0..x.
Variable erf(const Variable& x);

/// 1 / (1 + e^-x).
Variable sigmoid(const Variable& x);
/// log(sigmoid(x)), accurate for large |x|.
Variable log_sigmoid(const Variable& x);
/// max(x, 0), gradient 0 at 0.
Variable relu(const Variable& x);
/// min(max(x, 0), 6), gradient 0 at both bounds.
Variable relu6(const Variable& x);
/// log(1 + e^x), accurate for large |x|.
Variable softplus(const Variable& x);
/// x sigmoid(x).
Variable silu(const Variable& x);
/// x (1 + erf(x / sqrt(2))) / 2.
Variable gelu(const Variable& x);
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
Variable gelu_tanh(const Variable& x);
/// x tanh(softplus(x)).
Variable mish(const Variable& x);
/// x for x > 0, else alpha (e^x - 1); gradient alpha at 0.
Variable elu(const Variable& x, double alpha = 1);
/// scale (x for x > 0, else alpha (e^x - 1)), with the constants that keep variance 1.
Variable selu(const Variable& x);
/// x for x > 0, else slope x; gradient `slope` at 0.
Variable leaky_relu(const Variable& x, double slope = 0.01);
/// x / (1 + |x|).
Variable softsign(const Variable& x);
/// relu6(x + 3) / 6, as in torch; Keras's is clamp(0.2 * x + 0.5, 0, 1).
Variable hard_sigmoid(const Variable& x);
/// min(max(x, low), high), gradient 0 at the bounds.
Variable hardtanh(const Variable& x, double low = -1, double high = 1);
/// min(max(x, low), high), gradient 1 at the bounds; an infinite bound is none.
Variable clamp(const Variable& x, double low = -std::numeric_limits<double>::infinity(),
               double high = std::numeric_limits<double>::infinity());

/// a where the condition is nonzero, else b, both of the same type; int64 has no gradient. The
/// condition may be of any type, and has none either.
Variable where(const Variable& condition, const Variable& a, const Variable& b);
Variable where(const Variable& condition, const Variable& a, double b);
Variable where(const Variable& condition, double a, const Variable& b);
/// Of the condition's element type (float32 if that is int64).
Variable where(const Variable& condition, double a, double b);
/// x, with `value` where the mask is nonzero; gradient 0 there.
Variable masked_fill(const Variable& x, const Variable& mask, double value);
/// x with elements of another type, itself if it has that type; the gradient is converted back. An
/// int64 result is a constant, towards zero: 2.7 becomes 2.
Variable to(const Variable& x, Type type);
/// x as a constant: gradient 0.
Variable stop_gradient(const Variable& x);

}  // namespace unroll
