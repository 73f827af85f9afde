// The loop that the updates of optimisers run in: one pass over memory in SIMD lanes, in place and
// without temporaries. Internal: updates.cpp and updates_adam.cpp have the kernels.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <type_traits>
#include <utility>

#include <unroll/autograd/strided.hpp>
#include <unroll/layers/optimiser.hpp>
#include <xsimd/xsimd.hpp>

namespace unroll::updates {

// f(gradient, a[0], a[1], ...) for all lanes, in place. The tail runs through the same code on a
// padded copy, so that an element's new value does not depend on where in the array it lies.
template <class T, class F, std::size_t N>
void lanes(Size n, const T* gradient, std::array<T*, N> a, const F& f) {
  using Lane = xsimd::batch<T>;
  constexpr Size kLane = static_cast<Size>(Lane::size);
  auto one = [&f](const T* g, const std::array<T*, N>& p) {
    std::array<Lane, N> x;
    for (std::size_t j = 0; j < N; ++j) x[j] = Lane::load_unaligned(p[j]);
    std::apply([&](auto&... x) { f(Lane::load_unaligned(g), x...); }, x);
    for (std::size_t j = 0; j < N; ++j) x[j].store_unaligned(p[j]);
  };
  Size i = 0;
  for (; i + kLane <= n; i += kLane) {
    one(gradient + i, a);
    for (T*& p : a) p += kLane;
  }
  if (i == n) return;
  T padded[N + 1][kLane] = {};
  std::array<T*, N> p;
  std::copy(gradient + i, gradient + n, padded[N]);
  for (std::size_t j = 0; j < N; ++j) std::copy(a[j], a[j] + (n - i), p[j] = padded[j]);
  one(padded[N], p);
  for (std::size_t j = 0; j < N; ++j) std::copy(p[j], p[j] + (n - i), a[j]);
}

// The larger, NaN if x is: max instructions would swallow it.
template <class Lane>
Lane larger(const Lane& kept, const Lane& x) {
  return xsimd::select(kept > x, kept, x);
}

// True if a kernel takes the gradient, the value and N buffers.
template <class F, class Lane, std::size_t... J>
constexpr bool takes(std::index_sequence<J...>) {
  return std::is_invocable_v<const F&, Lane, Lane&, decltype((void(J), std::declval<Lane&>()))...>;
}
template <class F, class Lane, std::size_t N = 0>
constexpr std::size_t buffers_of() {
  if constexpr (takes<F, Lane>(std::make_index_sequence<N>()))
    return N;
  else
    return buffers_of<F, Lane, N + 1>();
}

// Calls f.template operator()<T>(pass) for the element type T, where pass(kernel) is the loop over
// the elements: kernel(gradient, value, buffer 0, buffer 1, ...), with as many as it takes.
template <class U, class F>
void fused(const U& u, F&& f) {
  dispatch_float("step", u.value.type(), [&]<class T>() {
    auto pass = [&](const auto& kernel) {
      constexpr std::size_t n = buffers_of<std::decay_t<decltype(kernel)>, xsimd::batch<T>>();
      std::array<T*, 1 + n> a{u.value.template mutable_data<T>()};
      for (std::size_t j = 0; j < n; ++j) a[1 + j] = u.buffers[j].template mutable_data<T>();
      lanes(u.value.size(), u.gradient.template data<T>(), a, kernel);
    };
    f.template operator()<T>(pass);
  });
}

}  // namespace unroll::updates
