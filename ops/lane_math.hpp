// Mathematical functions of Lanes, written where xsimd's are slow or inaccurate. Errors are about 1
// to 2.5 units in the last place; activation functions are in lane_functions.hpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include <unroll/ops/lane.hpp>

namespace unroll {

namespace lane {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

/// The bits of each number, moved by n places; the compiler's own vectors, since the intrinsics of
/// AVX-512 warn in GCC 12.
template <class B>
B shifted_left(B x, int n) {
  using I = Bits<typename B::value_type>;
  typedef std::make_unsigned_t<I> Vector __attribute__((vector_size(sizeof(B))));
  return B(typename B::register_type(Vector(x.data) << n));
}
template <class B>
B shifted_right(B x, int n) {
  using I = Bits<typename B::value_type>;
  typedef std::conditional_t<std::is_signed_v<typename B::value_type>, I, std::make_unsigned_t<I>>
      Vector __attribute__((vector_size(sizeof(B))));
  return B(typename B::register_type(Vector(x.data) >> n));
}

/// c0 + c1 x + c2 x^2 + ...
template <class L>
L polynomial(L, typename L::Number c) {
  return L(c);
}
template <class L, class... C>
L polynomial(L x, typename L::Number c0, C... c) {
  return xsimd::fma(polynomial(x, c...).v, x.v, L(c0).v);
}

/// Calls a scalar function of the C library for each number.
template <class T, unsigned A, class F, class... L>
Lane<T, A> map(F f, Lane<T, A> x, L... more) {
  constexpr auto n = static_cast<std::size_t>(Lane<T, A>::width);
  T y[n], xs[1 + sizeof...(L)][n];
  int k = 0;
  x.store(xs[k++]);
  (more.store(xs[k++]), ...);
  for (std::size_t i = 0; i < n; ++i)
    if constexpr (sizeof...(L) == 0) y[i] = f(xs[0][i]);
    else y[i] = f(xs[0][i], xs[1][i]);
  return Lane<T, A>::load(y);
}

/// x = n ln2 + r with |r| <= ln2 / 2: e^r - 1 and 2^(n-1), from which exp and expm1 follow.
template <class T, unsigned A>
struct Exponential {
  using L = Lane<T, A>;
  L minus_one, half_scale;

  explicit Exponential(L x) {
    constexpr bool single = sizeof(T) == 4;
    // Adding 1.5 * 2^mantissa rounds to a whole number, which is then read from the low bits.
    constexpr int mantissa = single ? 23 : 52, bias = single ? 127 : 1023;
    const L magic(T(1.5) * T(std::int64_t{1} << mantissa));
    L shifted = xsimd::fma(x.v, L(1.4426950408889634).v, magic.v);
    L n = shifted - magic;
    L r = xsimd::fnma(n.v, L(single ? T(0.693145751953125) : T(6.93147180369123816490e-01)).v, x.v);
    r = xsimd::fnma(n.v, L(single ? T(1.42860682030941723212e-6) : T(1.90821492927058770002e-10)).v,
                    r.v);
    L p;
    if constexpr (single)
      p = polynomial(r, T(5.0000001201e-1), T(1.6666665459e-1), T(4.1665795894e-2),
                     T(8.3334519073e-3), T(1.3981999507e-3), T(1.9875691500e-4));
    else
      p = polynomial(r, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
                     1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600,
                     1.0 / 6227020800);
    minus_one = xsimd::fma((r * r).v, p.v, r.v);
    auto bits = xsimd::bitwise_cast<xsimd::batch<Bits<T>>>(shifted.v);
    half_scale = xsimd::bitwise_cast<xsimd::batch<T>>(
        shifted_left(bits + Bits<T>(bias - 1), mantissa));
  }
};

template <class T>
inline constexpr T kExpLimit = sizeof(T) == 4 ? T(88.72283935546875) : T(709.782712893384);
/// Below this e^x is a denormal number; 0 is given instead.
template <class T>
inline constexpr T kExpLeast = sizeof(T) == 4 ? T(-86.6) : T(-707.7);

/// log(u) + c for a normal or denormal u > 0, NaN or infinity elsewhere as log gives it; c is a
/// small correction. As in fdlibm: log(1 + f) from s = f / (2 + f).
template <class T, unsigned A>
Lane<T, A> log_plus(Lane<T, A> u, Lane<T, A> c) {
  using L = Lane<T, A>;
  constexpr bool single = sizeof(T) == 4;
  constexpr int mantissa = single ? 23 : 52;
  constexpr T least = single ? T(1.17549435e-38) : T(2.2250738585072014e-308);
  const T up = single ? T(33554432.0) : T(18014398509481984.0);
  auto denormal = u < least;
  L x = where(denormal, u * up, u);
  using I = xsimd::batch<Bits<T>>;
  // Relative to sqrt(1/2), so that m lies in [sqrt(1/2), sqrt(2)).
  const I root(single ? Bits<T>(0x3f3504f3) : static_cast<Bits<T>>(0x3fe6a09e667f3bcd));
  I bits = xsimd::bitwise_cast<I>(x.v) - root;
  L m = xsimd::bitwise_cast<xsimd::batch<T>>(
      (bits & I((Bits<T>(1) << mantissa) - 1)) + root);
  L k;
  if constexpr (single) {
    k = L(xsimd::to_float(shifted_right(bits, mantissa)));
  } else {
    // No arithmetic shift of 64 bits before AVX-512: the exponent, raised to be positive, is put
    // into the mantissa of a double.
    using U = xsimd::batch<std::uint64_t>;
    U raised = xsimd::bitwise_cast<U>(bits) + U(std::uint64_t{2048} << 52);
    raised = shifted_right(raised, 52) | U(std::uint64_t{0x4330000000000000});
    k = L(xsimd::bitwise_cast<xsimd::batch<T>>(raised)) - T(4503599627370496.0 + 2048);
  }
  k = k - where(denormal, L(single ? 25 : 54), L(0));
  L f = m - 1, s = f / (f + 2), z = s * s, half = T(0.5) * f * f, r;
  if constexpr (single)
    r = z * polynomial(z, T(0.66666662693), T(0.40000972152), T(0.28498786688), T(0.24279078841));
  else
    r = z * polynomial(z, 6.666666666666735130e-01, 3.999999999940941908e-01,
                       2.857142874366239149e-01, 2.222219843214978396e-01, 1.818357216161805012e-01,
                       1.531383769920937332e-01, 1.479819860511658591e-01);
  const T high = single ? T(6.9313812256e-01) : T(6.93147180369123816490e-01);
  const T low = single ? T(9.0580006145e-06) : T(1.90821492927058770002e-10);
  L y = k * high - ((half - (s * (half + r) + (k * low + c))) - f);
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  y = where(u > 0, y, where(equals(u, L(0)), L(-infinity), L(nan)));
  return where(equals(u, L(infinity)), L(infinity), y);
}

}  // namespace lane

template <class T, unsigned A>
Lane<T, A> exp(Lane<T, A> x) {
  lane::Exponential<T, A> e(x);
  Lane<T, A> y = (e.minus_one * e.half_scale + e.half_scale) * T(2);
  y = where(x > lane::kExpLimit<T>, std::numeric_limits<T>::infinity(), y);
  return where(x < lane::kExpLeast<T>, T(0), y);
}
template <class T, unsigned A>
Lane<T, A> expm1(Lane<T, A> x) {
  lane::Exponential<T, A> e(x);
  Lane<T, A> y = (e.minus_one * e.half_scale + (e.half_scale - T(0.5))) * T(2);
  y = where(x > lane::kExpLimit<T>, std::numeric_limits<T>::infinity(), y);
  return where(x < T(-40), T(-1), y);
}
template <class T, unsigned A>
Lane<T, A> log(Lane<T, A> x) {
  return lane::log_plus(x, Lane<T, A>(0));
}
/// log(1 + x): the rounding error of u = 1 + x is (x - (u - 1)) / u to first order.
template <class T, unsigned A>
Lane<T, A> log1p(Lane<T, A> x) {
  Lane<T, A> u = x + 1;
  Lane<T, A> lost = where(x >= 1, 1 - (u - x), x - (u - 1)) / u;
  auto usual = u > 0 && u < std::numeric_limits<T>::infinity();
  return where(equals(x, Lane<T, A>(0)), x, lane::log_plus(u, where(usual, lost, T(0))));
}
template <class T, unsigned A>
Lane<T, A> log2(Lane<T, A> x) {
  return xsimd::log2(x.v);
}
template <class T, unsigned A>
Lane<T, A> log10(Lane<T, A> x) {
  return xsimd::log10(x.v);
}
template <class T, unsigned A>
Lane<T, A> abs(Lane<T, A> x) {
  return xsimd::abs(x.v);
}
template <class T, unsigned A>
Lane<T, A> floor(Lane<T, A> x) {
  return xsimd::floor(x.v);
}
template <class T, unsigned A>
Lane<T, A> sqrt(Lane<T, A> x) {
  return xsimd::sqrt(x.v);
}
template <class T, unsigned A>
Lane<T, A> sin(Lane<T, A> x) {
  return xsimd::sin(x.v);
}
template <class T, unsigned A>
Lane<T, A> cos(Lane<T, A> x) {
  return xsimd::cos(x.v);
}
template <class T, unsigned A>
Lane<T, A> atan(Lane<T, A> x) {
  return xsimd::atan(x.v);
}
template <class T, unsigned A>
Lane<T, A> sinh(Lane<T, A> x) {
  return xsimd::sinh(x.v);
}
template <class T, unsigned A>
Lane<T, A> cosh(Lane<T, A> x) {
  return xsimd::cosh(x.v);
}
/// With e = expm1(-2|x|): |tanh x| = -e / (2 + e), relatively accurate near 0 too.
template <class T, unsigned A>
Lane<T, A> tanh(Lane<T, A> x) {
  Lane<T, A> e = expm1(abs(x) * T(-2));
  return xsimd::copysign((-e / (e + 2)).v, x.v);
}
/// xsimd's erf is off by up to 70 units in the last place for double.
template <class T, unsigned A>
Lane<T, A> erf(Lane<T, A> x) {
  if constexpr (sizeof(T) == 4) return xsimd::erf(x.v);
  else return lane::map([](T one) { return std::erf(one); }, x);
}
/// NaN stays NaN.
template <class T, unsigned A>
Lane<T, A> sign(Lane<T, A> x) {
  Lane<T, A> one = where(x > 0, T(1), where(x < 0, T(-1), T(0)));
  return where(not_equals(x, x), x, one);
}
/// x^p by multiplications where p is a small whole number, by the C library elsewhere.
template <class T, unsigned A>
Lane<T, A> pow(Lane<T, A> x, double p) {
  if (p == 0) return T(1);
  if (p == 1) return x;
  if (p == 2) return x * x;
  if (p == 3) return x * x * x;
  if (p == -1) return T(1) / x;
  return lane::map([p](T one) { return std::pow(one, static_cast<T>(p)); }, x);
}

}  // namespace unroll
