// Loops over contiguous rows with the SIMD lanes of xsimd, for the .cpp files of normalisations and
// losses. Internal: including it costs a second, so no public header does.
#pragma once

#include <cmath>
#include <limits>

#include <unroll/autograd/op.hpp>
#include <unroll/autograd/strided.hpp>
#include <xsimd/xsimd.hpp>

namespace unroll::kernel {

template <class T>
using Lanes = xsimd::batch<T>;
template <class T>
inline constexpr Size kLanes = static_cast<Size>(Lanes<T>::size);
template <class T>
inline constexpr T kInfinity = std::numeric_limits<T>::infinity();

/// n <= kLanes numbers, the lanes beyond them filled.
template <class T>
Lanes<T> load(const T* x, Size n, T fill) {
  if (n >= kLanes<T>) return Lanes<T>::load_unaligned(x);
  alignas(64) T part[kLanes<T>];
  for (Size i = 0; i < kLanes<T>; ++i) part[i] = i < n ? x[i] : fill;
  return Lanes<T>::load_aligned(part);
}

template <class T>
void store(T* y, Size n, Lanes<T> lanes) {
  if (n >= kLanes<T>) return lanes.store_unaligned(y);
  alignas(64) T part[kLanes<T>];
  lanes.store_aligned(part);
  for (Size i = 0; i < n; ++i) y[i] = part[i];
}

/// f(offset, lanes in use) over a row of n.
template <class T, class F>
void each_lanes(Size n, F&& f) {
  Size i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) f(i, kLanes<T>);
  if (i < n) f(i, n - i);
}

/// Sum of the lanes that f(offset, lanes in use) returns; unused ones must be 0.
template <class T, class F>
T sum_lanes(Size n, F&& f) {
  Lanes<T> sum(T(0));
  each_lanes<T>(n, [&](Size i, Size m) { sum += f(i, m); });
  alignas(64) T part[kLanes<T>];  // its own sum is spelt differently in each version of xsimd
  sum.store_aligned(part);
  T total = 0;
  for (T p : part) total += p;
  return total;
}

/// The largest number, -inf if there is none. NaN is passed over: sums of exponentials show it.
template <class T>
T max_of(const T* x, Size n) {
  Lanes<T> most(-kInfinity<T>);
  each_lanes<T>(n, [&](Size i, Size m) {
    Lanes<T> v = load(x + i, m, -kInfinity<T>);
    most = xsimd::select(v > most, v, most);
  });
  alignas(64) T part[kLanes<T>];
  most.store_aligned(part);
  T result = part[0];
  for (T p : part) result = p > result ? p : result;
  return result;
}

/// sum exp(x - shift).
template <class T>
T sum_exp(const T* x, Size n, T shift) {
  return sum_lanes<T>(n, [&](Size i, Size m) {
    return xsimd::exp(load(x + i, m, -kInfinity<T>) - shift);
  });
}

/// log sum exp(x): -inf for nothing but -inf.
template <class T>
T log_sum_exp(const T* x, Size n) {
  T most = max_of(x, n);
  if (std::isfinite(most)) return most + std::log(sum_exp(x, n, most));
  for (Size i = 0; i < n; ++i)
    if (std::isnan(x[i])) return x[i];
  return most;
}

/// dx = f(offset, lanes in use), or dx += it.
template <class T, class F>
void write_lanes(T* dx, Size n, bool accumulate, F&& f) {
  if (accumulate)
    each_lanes<T>(n, [&](Size i, Size m) { store(dx + i, m, load(dx + i, m, T(0)) + f(i, m)); });
  else
    each_lanes<T>(n, [&](Size i, Size m) { store<T>(dx + i, m, f(i, m)); });
}

/// f(T* dx, bool accumulate) with the gradient of input k as a contiguous array, to write or to
/// add to.
template <class T, class F>
void into_target(Backward& b, int k, F&& f) {
  Backward::Target target = b.target(k);
  if (target.array.is_contiguous()) return f(target.array.mutable_data<T>(), target.accumulate);
  Array own = Array::uninitialised(target.array.shape(), target.array.type());
  f(own.mutable_data<T>(), false);
  if (target.accumulate) add_into(target.array, own);
  else target.array.assign(own);
}

}  // namespace unroll::kernel
