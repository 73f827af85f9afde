// The equations of the coupled LSTM.
#include <unroll/layers/cells/coupled_lstm.hpp>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

CoupledLSTM::State CoupledLSTM::step(const Variable& x, const State& s) const {
  auto [f, g, o] = chunk<3>(affine(x, W, s.h, U, b));
  auto [h, c] = fuse(
      [](auto f, auto g, auto o, auto c0) {
        auto keep = sigmoid(f), c = keep * c0 + (1 - keep) * tanh(g);
        return std::tuple(sigmoid(o) * tanh(c), c);
      },
      f, g, o, s.c);
  return {h, c};
}

}  // namespace unroll
