// Functions of Traced: value and derivative of each, one line where that is possible.
// Derivatives at jumps are torch's, as in elementwise*.cpp.
#pragma once

#include <unroll/ops/micro_tape.hpp>

namespace unroll {

template <class T, unsigned A>
Traced<T, A> abs(Traced<T, A> x) {
  return x.then(abs(x.v), sign(x.v));
}
template <class T, unsigned A>
Traced<T, A> sign(Traced<T, A> x) {
  return x.then(sign(x.v), 0);
}
template <class T, unsigned A>
Traced<T, A> floor(Traced<T, A> x) {
  return x.then(floor(x.v), 0);
}
template <class T, unsigned A>
Traced<T, A> square(Traced<T, A> x) {
  return x.then(x.v * x.v, x.v + x.v);
}
template <class T, unsigned A>
Traced<T, A> reciprocal(Traced<T, A> x) {
  auto y = reciprocal(x.v);
  return x.then(y, -y * y);
}
template <class T, unsigned A>
Traced<T, A> sqrt(Traced<T, A> x) {
  auto y = sqrt(x.v);
  return x.then(y, 0.5 / y);
}
template <class T, unsigned A>
Traced<T, A> rsqrt(Traced<T, A> x) {
  auto y = rsqrt(x.v);
  return x.then(y, -0.5 * y * y * y);
}
template <class T, unsigned A>
Traced<T, A> exp(Traced<T, A> x) {
  auto y = exp(x.v);
  return x.then(y, y);
}
template <class T, unsigned A>
Traced<T, A> expm1(Traced<T, A> x) {
  auto y = expm1(x.v);
  return x.then(y, y + 1);
}
template <class T, unsigned A>
Traced<T, A> log(Traced<T, A> x) {
  return x.then(log(x.v), 1 / x.v);
}
template <class T, unsigned A>
Traced<T, A> log1p(Traced<T, A> x) {
  return x.then(log1p(x.v), 1 / (x.v + 1));
}
template <class T, unsigned A>
Traced<T, A> log2(Traced<T, A> x) {
  return x.then(log2(x.v), 1 / (x.v * 0.69314718055994530942));
}
template <class T, unsigned A>
Traced<T, A> log10(Traced<T, A> x) {
  return x.then(log10(x.v), 1 / (x.v * 2.30258509299404568402));
}
template <class T, unsigned A>
Traced<T, A> sin(Traced<T, A> x) {
  return x.then(sin(x.v), cos(x.v));
}
template <class T, unsigned A>
Traced<T, A> cos(Traced<T, A> x) {
  return x.then(cos(x.v), -sin(x.v));
}
template <class T, unsigned A>
Traced<T, A> sinh(Traced<T, A> x) {
  return x.then(sinh(x.v), cosh(x.v));
}
template <class T, unsigned A>
Traced<T, A> cosh(Traced<T, A> x) {
  return x.then(cosh(x.v), sinh(x.v));
}
template <class T, unsigned A>
Traced<T, A> atan(Traced<T, A> x) {
  return x.then(atan(x.v), 1 / (x.v * x.v + 1));
}
template <class T, unsigned A>
Traced<T, A> atan2(Traced<T, A> y, Traced<T, A> x) {
  auto r = 1 / (x.v * x.v + y.v * y.v);
  return y.with(x, atan2(y.v, x.v), x.v * r, -y.v * r);
}
template <class T, unsigned A>
Traced<T, A> hypot(Traced<T, A> a, Traced<T, A> b) {
  auto y = hypot(a.v, b.v), r = where(equals(y, 0), 0, 1 / y);
  return a.with(b, y, a.v * r, b.v * r);
}
// Beside constants: numbers, or Lanes without a place on the tape.
template <class T, unsigned A>
Traced<T, A> atan2(Traced<T, A> y, std::type_identity_t<Lane<T, A>> x) {
  return y.then(atan2(y.v, x), x / (x * x + y.v * y.v));
}
template <class T, unsigned A>
Traced<T, A> atan2(std::type_identity_t<Lane<T, A>> y, Traced<T, A> x) {
  return x.then(atan2(y, x.v), -y / (x.v * x.v + y * y));
}
template <class T, unsigned A>
Traced<T, A> hypot(Traced<T, A> a, std::type_identity_t<Lane<T, A>> b) {
  auto y = hypot(a.v, b);
  return a.then(y, where(equals(y, 0), 0, a.v / y));
}
template <class T, unsigned A>
Traced<T, A> hypot(std::type_identity_t<Lane<T, A>> a, Traced<T, A> b) {
  return hypot(b, a);
}
template <class T, unsigned A>
Traced<T, A> erf(Traced<T, A> x) {
  return x.then(erf(x.v), exp(-(x.v * x.v)) * 1.12837916709551257390);
}
template <class T, unsigned A>
Traced<T, A> pow(Traced<T, A> x, double p) {
  return x.then(pow(x.v, p), p == 0 ? Lane<T, A>(0) : pow(x.v, p - 1) * p);
}
template <class T, unsigned A>
Traced<T, A> pow(Traced<T, A> a, Traced<T, A> b) {
  auto y = pow(a.v, b.v);
  auto da = where(equals(b.v, 0), 0, b.v * pow(a.v, b.v - 1));
  return a.with(b, y, da, where(equals(a.v, 0) && b.v >= 0, 0, y * log(a.v)));
}
template <class T, unsigned A>
Traced<T, A> pow(Traced<T, A> a, Lane<T, A> b) {
  return a.then(pow(a.v, b), where(equals(b, 0), 0, b * pow(a.v, b - 1)));
}
template <class T, unsigned A>
Traced<T, A> pow(std::type_identity_t<Lane<T, A>> a, Traced<T, A> b) {
  auto y = pow(a, b.v);
  return b.then(y, where(equals(a, 0) && b.v >= 0, 0, y * log(a)));
}

template <class T, unsigned A>
Traced<T, A> tanh(Traced<T, A> x) {
  auto y = tanh(x.v);
  return x.then(y, 1 - y * y);
}
template <class T, unsigned A>
Traced<T, A> sigmoid(Traced<T, A> x) {
  auto y = sigmoid(x.v);
  return x.then(y, y * (1 - y));
}
template <class T, unsigned A>
Traced<T, A> log_sigmoid(Traced<T, A> x) {
  return x.then(log_sigmoid(x.v), sigmoid(-x.v));
}
template <class T, unsigned A>
Traced<T, A> relu(Traced<T, A> x) {
  return x.then(relu(x.v), where(x.v <= 0, 0, 1));
}
template <class T, unsigned A>
Traced<T, A> softplus(Traced<T, A> x) {
  return x.then(softplus(x.v), sigmoid(x.v));
}
template <class T, unsigned A>
Traced<T, A> silu(Traced<T, A> x) {
  auto s = sigmoid(x.v);
  return x.then(x.v * s, s * (x.v * (1 - s) + 1));
}
template <class T, unsigned A>
Traced<T, A> gelu(Traced<T, A> x) {
  auto p = (erf(x.v * 0.70710678118654752440) + 1) * 0.5;
  return x.then(x.v * p, p + x.v * exp(x.v * x.v * -0.5) * 0.39894228040143267794);
}
template <class T, unsigned A>
Traced<T, A> gelu_tanh(Traced<T, A> x) {
  const double a = 0.79788456080286535588, b = 0.044715;
  auto s = x.v * x.v, t = tanh((x.v + s * x.v * b) * a), half = (t + 1) * 0.5;
  return x.then(x.v * half, half + x.v * (1 - t * t) * ((s * (3 * b) + 1) * (a / 2)));
}
template <class T, unsigned A>
Traced<T, A> mish(Traced<T, A> x) {
  auto t = tanh(softplus(x.v));
  return x.then(x.v * t, t + x.v * sigmoid(x.v) * (1 - t * t));
}
template <class T, unsigned A>
Traced<T, A> elu(Traced<T, A> x, double alpha = 1) {
  auto y = elu(x.v, alpha);
  return x.then(y, where(x.v > 0, 1, y + alpha));
}
template <class T, unsigned A>
Traced<T, A> selu(Traced<T, A> x) {
  return elu(x, kSeluAlpha) * kSeluScale;
}
template <class T, unsigned A>
Traced<T, A> leaky_relu(Traced<T, A> x, double slope = 0.01) {
  return x.then(leaky_relu(x.v, slope), where(x.v > 0, 1, slope));
}
template <class T, unsigned A>
Traced<T, A> softsign(Traced<T, A> x) {
  return x.then(softsign(x.v), 1 / square(abs(x.v) + 1));
}
template <class T, unsigned A>
Traced<T, A> clamp(Traced<T, A> x, double low = -std::numeric_limits<double>::infinity(),
                   double high = std::numeric_limits<double>::infinity()) {
  return x.then(clamp(x.v, low, high), where(x.v >= low && x.v <= high, 1, 0));
}
template <class T, unsigned A>
Traced<T, A> hardtanh(Traced<T, A> x, double low = -1, double high = 1) {
  return x.then(clamp(x.v, low, high), where(x.v > low && x.v < high, 1, 0));
}
template <class T, unsigned A>
Traced<T, A> relu6(Traced<T, A> x) {
  return hardtanh(x, 0, 6);
}
template <class T, unsigned A>
Traced<T, A> hard_sigmoid(Traced<T, A> x) {
  return hardtanh(x + 3, 0, 6) / 6;
}
/// A constant.
template <class T, unsigned A>
Lane<T, A> stop_gradient(Traced<T, A> x) {
  return x.v;
}

}  // namespace unroll
