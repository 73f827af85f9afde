// Lane: as many numbers as one SIMD register holds, used like one number; Mask, the result of
// comparing Lanes. Functions of Lanes are in lane_math.hpp, loops over arrays in lane_kernel.hpp.
#pragma once

#include <type_traits>

// GCC 12 warns of its own AVX-512 header (its bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace unroll {

template <class T>
concept Arithmetic = std::is_arithmetic_v<T>;

/// Part of the types below: files compiled for different architectures may meet in a program. As a
/// number, since with xsimd's types the functions of xsimd would be found for Lanes too, by ADL.
constexpr unsigned kArch = xsimd::default_arch::version();

template <class T, unsigned arch>
struct Mask;

template <class T, unsigned arch = kArch>
struct Lane {
  using Number = T;
  using Batch = xsimd::batch<T>;
  static constexpr std::int64_t width = static_cast<std::int64_t>(Batch::size);

  Batch v;

  Lane() = default;
  Lane(Batch batch) : v(batch) {}
  template <Arithmetic N>
  Lane(N number) : v(static_cast<T>(number)) {}

  static Lane load(const T* p) { return Batch::load_unaligned(p); }
  void store(T* p) const { v.store_unaligned(p); }

  friend Lane operator+(Lane a, Lane b) { return a.v + b.v; }
  friend Lane operator-(Lane a, Lane b) { return a.v - b.v; }
  friend Lane operator*(Lane a, Lane b) { return a.v * b.v; }
  friend Lane operator/(Lane a, Lane b) { return a.v / b.v; }
  friend Lane operator-(Lane a) { return a.v ^ Batch(T(-0.0)); }
  friend Lane operator+(Lane a) { return a; }
  Lane& operator+=(Lane b) { return *this = *this + b; }
  Lane& operator-=(Lane b) { return *this = *this - b; }
  Lane& operator*=(Lane b) { return *this = *this * b; }
  Lane& operator/=(Lane b) { return *this = *this / b; }

  friend Mask<T, arch> operator<(Lane a, Lane b) { return {a.v < b.v}; }
  friend Mask<T, arch> operator<=(Lane a, Lane b) { return {a.v <= b.v}; }
  friend Mask<T, arch> operator>(Lane a, Lane b) { return {a.v > b.v}; }
  friend Mask<T, arch> operator>=(Lane a, Lane b) { return {a.v >= b.v}; }
  friend Mask<T, arch> equals(Lane a, Lane b) { return {a.v == b.v}; }
  // Not by !=, which some instruction sets have as "ordered and unequal".
  friend Mask<T, arch> not_equals(Lane a, Lane b) { return {~(a.v == b.v)}; }

  // NaN on either side comes through, which the instructions of that name do not do.
  friend Lane maximum(Lane a, Lane b) {
    return xsimd::select((a.v > b.v) | ~(a.v == a.v), a.v, b.v);
  }
  friend Lane minimum(Lane a, Lane b) {
    return xsimd::select((a.v < b.v) | ~(a.v == a.v), a.v, b.v);
  }
  friend Lane max(Lane a, Lane b) { return maximum(a, b); }
  friend Lane min(Lane a, Lane b) { return minimum(a, b); }
};

/// Where a condition holds; as a number 1 there and 0 elsewhere.
template <class T, unsigned arch = kArch>
struct Mask {
  xsimd::batch_bool<T> v;

  operator Lane<T, arch>() const {
    using Batch = xsimd::batch<T>;
    return xsimd::select(v, Batch(T(1)), Batch(T(0)));
  }
  friend Mask operator&&(Mask a, Mask b) { return {a.v & b.v}; }
  friend Mask operator||(Mask a, Mask b) { return {a.v | b.v}; }
  friend Mask operator!(Mask a) { return {~a.v}; }
  /// a where the mask holds, else b.
  friend Lane<T, arch> where(Mask mask, Lane<T, arch> a, Lane<T, arch> b) {
    return xsimd::select(mask.v, a.v, b.v);
  }
};

/// a where the condition is nonzero, else b.
template <class T, unsigned arch>
Lane<T, arch> where(Lane<T, arch> condition, std::type_identity_t<Lane<T, arch>> a,
                    std::type_identity_t<Lane<T, arch>> b) {
  return where(not_equals(condition, 0), a, b);
}

}  // namespace unroll
