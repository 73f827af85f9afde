// fuse: a lambda of one element at a time becomes one op, computed in one pass over memory, with
// its gradient taken from the same lambda. It may use the functions of elementwise.hpp.
#pragma once

#include <algorithm>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/lane_kernel.hpp>
#include <unroll/ops/micro_functions.hpp>

namespace unroll {

namespace detail {

/// The gradient of F over Lanes: given dy of each result, then x of each input, the dx.
template <class F, int outputs, int inputs>
struct FusedGradient {
  F f;

  template <class T, unsigned A, std::same_as<Lane<T, A>>... More>
  std::array<Lane<T, A>, inputs> operator()(Lane<T, A> first, More... more) const {
    const std::array<Lane<T, A>, outputs + inputs> given{first, more...};
    typename MicroTape<T, A>::Node nodes[kUnrolled];
    Lane<T, A> sums[kUnrolled];
    MicroTape<T, A> tape{nodes, kUnrolled};
    Adjoints<T, A, FewFlags> adjoints{sums, {}};
    if (std::array<Lane<T, A>, inputs> dx; run(tape, adjoints, given.data(), dx)) return dx;
    return run_long(tape.size, given.data());
  }

 private:
  static constexpr int kUnrolled = 64;  // entries of the tape that becomes registers

  /// The place on the tape of a result; -1 if it depends on no input.
  template <class T, unsigned A>
  static int place(Traced<T, A> y) { return y.id; }
  static int place(...) { return -1; }

  /// False if the tape is too short; its size is then the one to take.
  template <class T, unsigned A, class Flags>
  bool run(MicroTape<T, A>& tape, Adjoints<T, A, Flags>& adjoints, const Lane<T, A>* given,
           std::array<Lane<T, A>, inputs>& dx) const {
    tape.size = inputs;
    auto y = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return kernel::as_tuple(f(Traced<T, A>{given[outputs + I], &tape, static_cast<int>(I)}...));
    }(std::make_index_sequence<inputs>());
    if (tape.size > tape.capacity) return false;
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      auto seed = [&](int k, Lane<T, A> dy) {
        if (k >= 0) adjoints.add(k, dy);
      };
      (seed(place(std::get<K>(y)), given[K]), ...);
    }(std::make_index_sequence<outputs>());
    if constexpr (std::is_same_v<Flags, FewFlags>)
      adjoints.template sweep_unrolled<inputs, kUnrolled>(tape);
    else
      adjoints.sweep(tape, inputs);
    for (std::size_t k = 0; k < inputs; ++k)
      dx[k] = adjoints.touched.has(static_cast<int>(k)) ? adjoints.sums[k] : Lane<T, A>(0);
    return true;
  }

  /// The same for lambdas of many operations, with the tape on the heap.
  template <class T, unsigned A>
  [[gnu::noinline]] std::array<Lane<T, A>, inputs> run_long(int size,
                                                            const Lane<T, A>* given) const {
    using Node = typename MicroTape<T, A>::Node;
    auto n = static_cast<std::size_t>(size);
    Ref<Buffer> nodes = Buffer::take(n * sizeof(Node));
    Ref<Buffer> sums = Buffer::take(n * (sizeof(Lane<T, A>) + 1));
    MicroTape<T, A> tape{reinterpret_cast<Node*>(nodes->data()), size};
    auto* touched = reinterpret_cast<bool*>(sums->data() + n * sizeof(Lane<T, A>));
    std::fill(touched, touched + n, false);
    Adjoints<T, A, ManyFlags> adjoints{reinterpret_cast<Lane<T, A>*>(sums->data()), {touched}};
    std::array<Lane<T, A>, inputs> dx;
    run(tape, adjoints, given, dx);
    return dx;
  }
};

/// x as another value on the tape, so that a sweep from f(x) back to x stops there.
Variable recorded_again(const Variable& x);
/// Gives the inputs their gradients: `outputs` were computed from `inputs` by recorded ops.
void give_recorded(Backward& b, const Variables& inputs, const Variables& outputs);

template <class F, std::size_t... I>
void fused_graph(Backward& b, const F& f, std::index_sequence<I...>) {
  const Variables inputs{recorded_again(b.x(static_cast<int>(I)))...};
  auto results = kernel::as_tuple(f(inputs[I]...));
  std::apply([&](const auto&... y) { give_recorded(b, inputs, Variables{Variable(y)...}); },
             results);
}

/// True if a tape wants to know which op a value comes from: then a lambda is read over Variables.
bool composes();
/// What a fused lambda gives: results of that type and shape.
struct FusedResult {
  Type type;
  Shape shape;
  /// Of those inputs. Throws Error as fuse does.
  explicit FusedResult(const Variables& x);
  /// A result of the lambda read over Variables, which may depend on some inputs only, or on none.
  Variable of(const Variable& y) const;
};

template <class F, class... X>
auto fuse(const F& f, const X&... x) {
  constexpr int n = sizeof...(X);
  using R = decltype(f(std::declval<std::conditional_t<true, Lane<float>, X>>()...));
  constexpr kernel::LaneKernel values = kernel::kernel_of<n, false, F>();
  if (composes()) {
    const FusedResult result(Variables{x...});
    auto y = kernel::as_tuple(f(x...));
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      if constexpr (kernel::is_tuple<R>) return std::tuple{result.of(std::get<K>(y))...};
      else return result.of(std::get<0>(y));
    }(std::make_index_sequence<values.outputs>());
  }
  using Gradient = FusedGradient<F, values.outputs, n>;
  auto backward = [gradient = Gradient{f}](Backward& b) {
    if (b.create_graph())
      fused_graph(b, gradient.f, std::make_index_sequence<n>());
    else
      kernel::backward(b, kernel::kernel_of<values.outputs + n, true, Gradient>(), &gradient,
                       Keep::inputs);
  };
  Op op("fuse", x...);
  std::array<Array, values.outputs> y;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const Array* in[] = {&op[static_cast<int>(I)]...};
    kernel::forward("fuse", values, &f, op.type(), in, y);
  }(std::make_index_sequence<n>());
  if constexpr (!kernel::is_tuple<R>) {
    return op.record(std::move(y[0]), backward, Keep::inputs);
  } else {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      Variable results[] = {Variable(std::move(y[K]))...};
      op.record(std::span<Variable>(results), backward, Keep::inputs);
      return std::tuple{std::move(results[K])...};
    }(std::make_index_sequence<values.outputs>());
  }
}

}  // namespace detail

/// y = f(x...) for each element, in one pass over memory, forward and backward. f is a generic
/// lambda on numbers that returns one, or a tuple of several: operators, comparisons and `where`,
/// and the functions of elementwise.hpp, also max and min of two. It is called again later, so it
/// captures numbers by value, nothing else. The xs are Variables, Arrays or doubles and broadcast.
/// Returns a Variable, or a tuple of them, all of the common shape, with gradients of any order;
/// only the inputs are kept, values within the lambda are computed again. Under anomaly detection the
/// lambda's operations are ops of their own, so that the one to blame is named. Throws Error if
/// shapes do not broadcast, or for int64.
///
///     auto [h, c] = fuse([](auto i, auto f, auto g, auto o, auto c0) {
///       auto c = sigmoid(f) * c0 + sigmoid(i) * tanh(g);
///       return std::tuple(sigmoid(o) * tanh(c), c);
///     }, i, f, g, o, s.c);
template <class F, class... X>
auto fuse(F f, const X&... x) {
  static_assert(sizeof...(X) > 0, "[fuse] pass the lambda's inputs after it: fuse(lambda, x, y)");
  static_assert(std::is_standard_layout_v<F>,
                "[fuse] the lambda runs again in backward, when what it captured by reference is "
                "gone: capture numbers by value ([a], not [&]), pass Variables as inputs");
  static_assert(std::is_trivially_copyable_v<F>,
                "[fuse] the lambda may capture numbers only: pass Variables and Arrays as inputs");
  static_assert(std::is_invocable_v<const F&, std::conditional_t<true, Lane<float>, X>...>,
                "[fuse] the lambda must take one `auto` argument for each input, choose with `where` "
                "instead of ?:, and call functions without std::");
  Type type = detail::type_beside(x...);
  return detail::fuse(f, detail::as_variable(x, type)...);
}

/// The greater of two, for lambdas of fuse; max(x) over axes is in reduce.hpp. Of two of the same
/// class, std::max would fit better than what takes any two.
template <detail::ArrayOperand A>
Variable max(const A& a, const A& b) {
  return maximum(a, b);
}
template <class A, class B>
  requires detail::OneNumber<A, B> || (detail::ArrayOperand<A> && detail::ArrayOperand<B>)
Variable max(const A& a, const B& b) {
  return maximum(a, b);
}
/// The smaller of two, for lambdas of fuse.
template <detail::ArrayOperand A>
Variable min(const A& a, const A& b) {
  return minimum(a, b);
}
template <class A, class B>
  requires detail::OneNumber<A, B> || (detail::ArrayOperand<A> && detail::ArrayOperand<B>)
Variable min(const A& a, const B& b) {
  return minimum(a, b);
}

}  // namespace unroll
