// What truncated backpropagation through time should be: windows put together by hand. The option
// itself is compared with them in tests/layers/truncation*.cpp.
#pragma once

#include <algorithm>

#include <unroll/layers/over_time.hpp>
#include <unroll/ops/reshape.hpp>

/// Outputs (T, B, ...) of a cell or Recurrent. Each window goes on from the state k2 - k1 steps
/// before it, from constant(that state), unless that is the start or k2 the whole sequence.
template <class Net, class State, class Constant>
unroll::Variable by_windows(const Net& net, const unroll::Variable& xs, unroll::Truncation t,
                            const unroll::OverTimeOptions<State>& options, Constant&& constant) {
  using unroll::Size;
  if (t.reaches_all(xs.size(0))) return over_time(net, xs, options).outputs();
  const auto whole = unroll::no_grad([&] { return over_time(net, xs, options); });
  const Size steps = xs.size(0), back = std::max(t.k1, t.k2);
  unroll::Variables y;
  for (Size begin = 0; begin < steps; begin += t.k1) {
    const Size from = std::max(Size(0), begin + t.k1 - back), end = std::min(begin + t.k1, steps);
    unroll::OverTimeOptions<State> o{.initial = options.initial};
    if (from > 0) o.initial = constant(whole[from - 1]);
    for (Size n : options.lengths) o.lengths.push_back(std::clamp<Size>(n - from, 0, end - from));
    const auto window = over_time(net, sliced(xs, 0, from, end), o);
    y.push_back(sliced(window.outputs(), 0, begin - from, end - from));
  }
  return concat(y, 0);
}

/// The same from all values of that state.
template <class Net, class State>
unroll::Variable by_windows(const Net& net, const unroll::Variable& xs, unroll::Truncation t,
                            const unroll::OverTimeOptions<State>& options) {
  return by_windows(net, xs, t, options, [](const State& s) { return detach(s); });
}
