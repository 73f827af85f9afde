// The equations of the peephole LSTM.
#include <unroll/layers/cells/peephole_lstm.hpp>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

PeepholeLSTM::State PeepholeLSTM::step(const Variable& x, const State& s) const {
  auto [i, f, g, o] = chunk<4>(affine(x, W, s.h, U, b));
  auto [h, c] = fuse(
      [](auto i, auto f, auto g, auto o, auto c0, auto pi, auto pf, auto po) {
        auto c = sigmoid(f + pf * c0) * c0 + sigmoid(i + pi * c0) * tanh(g);
        return std::tuple(sigmoid(o + po * c) * tanh(c), c);
      },
      i, f, g, o, s.c, pi, pf, po);
  return {h, c};
}

}  // namespace unroll
