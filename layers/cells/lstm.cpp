// The equations of the LSTM, its gates in one fused kernel.
#include <unroll/layers/cells/lstm.hpp>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

LSTM::State LSTM::step(const Variable& x, const State& s) const {
  auto gates = b.empty() ? affine(x, W, s.h, U) : affine(x, W, s.h, U, b);
  auto [i, f, g, o] = chunk<4>(gates);
  auto [h, c] = fuse(
      [](auto i, auto f, auto g, auto o, auto c0) {
        auto c = sigmoid(f) * c0 + sigmoid(i) * tanh(g);
        return std::tuple(sigmoid(o) * tanh(c), c);
      },
      i, f, g, o, s.c);
  return {h, c};
}

}  // namespace unroll
