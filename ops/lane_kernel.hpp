// Loops of Lanes over arrays of any strides: the inner loop, made for each function, and the driver
// around it, compiled once. Internal to elementwise ops and fuse; gradients are theirs.
#pragma once

#include <array>
#include <span>
#include <tuple>
#include <utility>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/lane_functions.hpp>

// Under AddressSanitizer a flattened loop takes minutes to compile, as every load in it is checked.
#ifdef __SANITIZE_ADDRESS__
#define UNROLL_FLATTEN
#else
#define UNROLL_FLATTEN [[gnu::flatten]]
#endif

namespace unroll::kernel {

/// Calls a function for `lanes` lanes. Operand k of lane i is at in[k] + i * steps[k]; result k
/// goes to out[k] + i * width, is added to what is there if add[k], not wanted if out[k] is null.
template <class T>
using LaneLoop = void (*)(const void* function, const T* const* in, const Size* steps,
                          T* const* out, const bool* add, Size lanes);

/// A function's inner loops, with the numbers in a lane.
struct LaneKernel {
  LaneLoop<float> single;
  LaneLoop<double> twice;
  Size single_width, twice_width;
  int outputs;
};

/// Where an operand's numbers are.
struct Operand {
  enum Layout : std::uint8_t {
    unwanted,  ///< a result that nobody wants
    whole,     ///< row-major in the common shape
    uniform,   ///< one number for all elements
    strided    ///< anything else
  };
  void* data = nullptr;
  Layout layout = unwanted;
  bool add = false;  ///< results: add instead of writing; needed where a stride is 0
  Shape strides;     ///< of strided ones, in elements, along the axes of the common shape

  /// An array that broadcasts to the common shape.
  void set(const Array& array, const Shape& shape);
};

/// Runs the kernel over all elements of the shape; the operands are inputs, then results.
void run(const LaneKernel& kernel, const void* function, Type type, const Shape& shape,
         const Operand* operands, int inputs, int n);

/// The shape that inputs of that type broadcast to. Throws Error naming the op.
Shape common_shape(const char* op, Type type, std::span<const Array* const> in);

/// The results of an op, for inputs that broadcast. Throws Error naming the op.
void forward(const char* op, const LaneKernel& kernel, const void* function, Type type,
             std::span<const Array* const> in, std::span<Array> out);

/// Adds to the gradients of all inputs that are wanted. The kernel gets the gradients of all
/// results, then the results and the inputs that `keep` names, and returns a gradient per input.
void backward(Backward& b, const LaneKernel& kernel, const void* function, Keep keep);

template <class R>
constexpr bool is_tuple = false;
template <class... R>
constexpr bool is_tuple<std::tuple<R...>> = true;
template <class R, std::size_t N>
constexpr bool is_tuple<std::array<R, N>> = true;
template <class A, class B>
constexpr bool is_tuple<std::pair<A, B>> = true;

/// A tuple as it is, anything else as a tuple of one.
template <class R>
constexpr auto as_tuple(R result) {
  if constexpr (is_tuple<R>) return result;
  else return std::tuple<R>(std::move(result));
}
template <class F, class... X>
using Results = decltype(as_tuple(std::declval<const F&>()(std::declval<X>()...)));

template <unsigned arch, bool optional, class T, std::size_t... I, class F>
void lane_loop(const F& function, const T* const* in,
                                             const Size* steps, T* const* out, const bool* add,
                                             Size lanes, std::index_sequence<I...>) {
  using L = Lane<T, arch>;
  using R = Results<F, std::conditional_t<I + 1 != 0, L, void>...>;
  constexpr auto n = std::tuple_size_v<R>;
  // Copies: the stores below might otherwise change them, for all the compiler knows.
  const std::array<const T*, sizeof...(I)> p{in[I]...};
  const std::array<Size, sizeof...(I)> step{steps[I]...};
  std::array<T*, n> q;
  std::array<bool, n> sum{};
  for (std::size_t k = 0; k < n; ++k) q[k] = out[k];
  if constexpr (optional)
    for (std::size_t k = 0; k < n; ++k) sum[k] = add[k];
  for (Size i = 0; i < lanes; ++i) {
    R results = as_tuple(function(L::load(p[I] + i * step[I])...));
    auto put = [&](auto k, L y) {
      T* at = q[k] + i * L::width;
      if constexpr (optional) {
        if (!q[k]) return;
        if (sum[k]) y = y + L::load(at);
      }
      y.store(at);
    };
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      (put(std::integral_constant<std::size_t, K>(), L(std::get<K>(results))), ...);
    }(std::make_index_sequence<n>());
  }
}

/// The inner loop for one element type. arch is in its name, as functions of headers may be
/// compiled for several. flatten keeps all numbers in registers, unless something is always_inline.
template <class T, unsigned arch, int inputs, bool optional, class F>
UNROLL_FLATTEN void lane_loop(const void* function, const T* const* in, const Size* steps,
                                T* const* out, const bool* add, Size lanes) {
  F copy = *static_cast<const F*>(function);
  lane_loop<arch, optional, T>(copy, in, steps, out, add, lanes,
                               std::make_index_sequence<inputs>());
}

/// The kernel of a function of `inputs` lanes; `optional` if results may be unwanted or summed.
template <int inputs, bool optional, class F, unsigned arch = kArch>
constexpr LaneKernel kernel_of() {
  constexpr int outputs = []<std::size_t... I>(std::index_sequence<I...>) {
    using L = Lane<float, arch>;
    return std::tuple_size_v<Results<F, std::conditional_t<I + 1 != 0, L, void>...>>;
  }(std::make_index_sequence<inputs>());
  return {&lane_loop<float, arch, inputs, optional, F>,
          &lane_loop<double, arch, inputs, optional, F>,
          Lane<float, arch>::width, Lane<double, arch>::width, outputs};
}

}  // namespace unroll::kernel
