// elementwise(): an op from two lambdas, its value and its gradient, each read over Lanes for speed
// and the gradient over Variables for higher orders. Internal to ops with known gradients.
#pragma once

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/lane_kernel.hpp>

namespace unroll {

/// Gradients that need no kernel: dx = dy, and none at all.
struct PassOn {};
struct NoGradient {};
inline constexpr PassOn kPassOn;
inline constexpr NoGradient kNoGradient;

namespace kernel {

/// Calls the gradient with Variables and gives what it returns.
template <Keep keep, std::size_t... I, class G>
void graph_backward(Backward& b, const G& gradient, std::index_sequence<I...>) {
  auto results = as_tuple([&] {
    if constexpr (keep == Keep::nothing) return gradient(b.dy());
    else if constexpr (keep == Keep::results) return gradient(b.dy(), b.y());
    else if constexpr (keep == Keep::inputs) return gradient(b.dy(), b.x(I)...);
    else return gradient(b.dy(), b.y(), b.x(I)...);
  }());
  (b.give(static_cast<int>(I), std::get<I>(results)), ...);
}

/// The value of a function of Lanes for arrays of that type that broadcast.
template <class F, class... X>
Array value_of(const char* name, const F& f, Type type, const X&... x) {
  const Array* in[] = {&x...};
  Array y;
  forward(name, kernel_of<sizeof...(X), false, F>(), &f, type, in, {&y, 1});
  return y;
}

}  // namespace kernel

/// The op y = value(x...), dx... = gradient(dy, ...): the gradient is given dy and what `keep`
/// names, the result y for Keep::results, then the inputs x... for Keep::inputs, and returns dx, or
/// a tuple for several inputs. Shapes broadcast.
template <Keep keep, class Value, class Gradient, class... X>
Variable elementwise(const char* name, Value value, Gradient gradient, const X&... x) {
  constexpr int n = sizeof...(X);
  [[maybe_unused]] constexpr int given = 1 + (keep == Keep::results || keep == Keep::all ? 1 : 0) +
                        (keep == Keep::inputs || keep == Keep::all ? n : 0);
  Op op(name, x...);
  Array y = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return kernel::value_of(name, value, op.type(), op[static_cast<int>(I)]...);
  }(std::make_index_sequence<n>());
  if constexpr (std::is_same_v<Gradient, PassOn>)
    return op.record(std::move(y), [](Backward& b) { b.give(0, b.dy()); }, keep);
  else if constexpr (std::is_same_v<Gradient, NoGradient>)
    return op.record(std::move(y), [](Backward&) {}, keep);
  else
    return op.record(std::move(y), [gradient](Backward& b) {
      if (b.create_graph())
        kernel::graph_backward<keep>(b, gradient, std::make_index_sequence<n>());
      else
        kernel::backward(b, kernel::kernel_of<given, true, Gradient>(), &gradient, keep);
    }, keep);
}

}  // namespace unroll
