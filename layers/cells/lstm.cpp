// The equations of the LSTM, its gates in one fused kernel.
#include <unroll/layers/cells/lstm.hpp>

#include <unroll/layers/cells/lstm_gates.hpp>
#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

std::pair<Variable, Variable> detail::lstm_gates(const Variable& gates, const Variable& c,
                                                 Size axis) {
  auto [i, f, g, o] = chunk<4>(gates, axis);
  auto [h1, c1] = unroll::fuse(
      [](auto i, auto f, auto g, auto o, auto c0) {
        auto c = sigmoid(f) * c0 + sigmoid(i) * tanh(g);
        return std::tuple(sigmoid(o) * tanh(c), c);
      },
      i, f, g, o, c);
  return {h1, c1};
}

LSTM::State LSTM::step(const Variable& x, const State& s) const {
  auto gates = b.empty() ? affine(x, W, s.h, U) : affine(x, W, s.h, U, b);
  auto [h, c] = detail::lstm_gates(gates, s.c, -1);
  return {h, c};
}

}  // namespace unroll
