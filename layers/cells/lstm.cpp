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
  return {std::move(h1), std::move(c1)};
}

LSTM::LSTM(Size in, Size hidden, const LSTMOptions& options)
    : Cell(in, hidden), projection(options.projection) {
  if (projection < 0)
    fail("lstm", "projection is ", projection, "; expected a size, or 0 for none.");
  if (options.bias) b = parameter("b", {4 * hidden}, init::forget_bias);
  if (projection > 0) P = parameter("P", {projection, hidden});
}

LSTM::State LSTM::zero_state(const Variable& x) const {
  return {zeros({x.size(0), output_size()}, x.type()), zeros({x.size(0), hidden}, x.type())};
}

LSTM::State LSTM::step(const Variable& x, const State& s) const {
  auto gates = affine(x, W, s.h, U, b);
  auto [h, c] = detail::lstm_gates(gates, s.c, -1);
  if (!P.empty()) h = linear(h, P);
  return {std::move(h), std::move(c)};
}

}  // namespace unroll
