// Activation and other functions of Lanes that are put together from those of lane_math.hpp.
// Their gradients are in elementwise*.cpp for whole ops, and in micro_tape.hpp for fuse.
#pragma once

#include <unroll/ops/lane_math.hpp>

namespace unroll {

template <class T, unsigned A>
Lane<T, A> square(Lane<T, A> x) {
  return x * x;
}
template <class T, unsigned A>
Lane<T, A> reciprocal(Lane<T, A> x) {
  return T(1) / x;
}
template <class T, unsigned A>
Lane<T, A> rsqrt(Lane<T, A> x) {
  return T(1) / sqrt(x);
}
/// e^-x grows to infinity on the far left: the negative tail keeps its relative accuracy.
template <class T, unsigned A>
Lane<T, A> sigmoid(Lane<T, A> x) {
  return T(1) / (exp(-x) + 1);
}
template <class T, unsigned A>
Lane<T, A> relu(Lane<T, A> x) {
  return where(x < 0, T(0), x);
}
template <class T, unsigned A>
Lane<T, A> softplus(Lane<T, A> x) {
  return relu(x) + log1p(exp(-abs(x)));
}
template <class T, unsigned A>
Lane<T, A> log_sigmoid(Lane<T, A> x) {
  return -softplus(-x);
}
template <class T, unsigned A>
Lane<T, A> silu(Lane<T, A> x) {
  return x * sigmoid(x);
}
template <class T, unsigned A>
Lane<T, A> gelu(Lane<T, A> x) {
  return x * T(0.5) * (erf(x * T(0.7071067811865475244)) + 1);
}
template <class T, unsigned A>
Lane<T, A> gelu_tanh(Lane<T, A> x) {
  return x * T(0.5) * (tanh(T(0.7978845608028653559) * (x + T(0.044715) * x * x * x)) + 1);
}
template <class T, unsigned A>
Lane<T, A> mish(Lane<T, A> x) {
  return x * tanh(softplus(x));
}
template <class T, unsigned A>
Lane<T, A> softsign(Lane<T, A> x) {
  return x / (abs(x) + 1);
}
template <class T, unsigned A>
Lane<T, A> elu(Lane<T, A> x, double alpha = 1) {
  return where(x > 0, x, expm1(x) * alpha);
}
inline constexpr double kSeluScale = 1.0507009873554804934193349852946;
inline constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
template <class T, unsigned A>
Lane<T, A> selu(Lane<T, A> x) {
  return elu(x, kSeluAlpha) * kSeluScale;
}
template <class T, unsigned A>
Lane<T, A> leaky_relu(Lane<T, A> x, double slope = 0.01) {
  return where(x > 0, x, x * slope);
}
template <class T, unsigned A>
Lane<T, A> clamp(Lane<T, A> x, double low = -std::numeric_limits<double>::infinity(),
                 double high = std::numeric_limits<double>::infinity()) {
  Lane<T, A> a(low), b(high);
  x = where(x < a, a, x);
  return where(x > b, b, x);
}
template <class T, unsigned A>
Lane<T, A> hardtanh(Lane<T, A> x, double low = -1, double high = 1) {
  return clamp(x, low, high);
}
template <class T, unsigned A>
Lane<T, A> relu6(Lane<T, A> x) {
  return clamp(x, 0, 6);
}
template <class T, unsigned A>
Lane<T, A> hard_sigmoid(Lane<T, A> x) {
  return relu6(x + 3) / 6;
}
template <class T, unsigned A>
Lane<T, A> atan2(Lane<T, A> y, Lane<T, A> x) {
  return lane::map([](T a, T b) { return std::atan2(a, b); }, y, x);
}
template <class T, unsigned A>
Lane<T, A> hypot(Lane<T, A> a, Lane<T, A> b) {
  return lane::map([](T x, T y) { return std::hypot(x, y); }, a, b);
}
template <class T, unsigned A>
Lane<T, A> pow(Lane<T, A> a, Lane<T, A> b) {
  return lane::map([](T x, T y) { return std::pow(x, y); }, a, b);
}
// Numbers beside Lanes; pow(x, double) is in lane_math.hpp.
template <class T, unsigned A, Arithmetic N>
Lane<T, A> atan2(Lane<T, A> y, N x) {
  return atan2(y, Lane<T, A>(x));
}
template <class T, unsigned A, Arithmetic N>
Lane<T, A> atan2(N y, Lane<T, A> x) {
  return atan2(Lane<T, A>(y), x);
}
template <class T, unsigned A, Arithmetic N>
Lane<T, A> hypot(Lane<T, A> a, N b) {
  return hypot(a, Lane<T, A>(b));
}
template <class T, unsigned A, Arithmetic N>
Lane<T, A> hypot(N a, Lane<T, A> b) {
  return hypot(b, a);
}
template <class T, unsigned A, Arithmetic N>
Lane<T, A> pow(N a, Lane<T, A> b) {
  return pow(Lane<T, A>(a), b);
}
/// A constant to gradients; the same number here.
template <class T, unsigned A>
Lane<T, A> stop_gradient(Lane<T, A> x) {
  return x;
}

}  // namespace unroll
