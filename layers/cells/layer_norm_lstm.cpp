// The equations of the layer-normalised LSTM.
#include <unroll/layers/cells/layer_norm_lstm.hpp>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

LayerNormLSTM::State LayerNormLSTM::step(const Variable& x, const State& s) const {
  Variable gates = layer_norm(linear(x, W), gx, b) + layer_norm(linear(s.h, U), gh);
  auto [i, f, g, o] = chunk<4>(gates);
  Variable c = fuse([](auto i, auto f, auto g, auto c0) {
    return sigmoid(f) * c0 + sigmoid(i) * tanh(g);
  }, i, f, g, s.c);
  Variable h = fuse([](auto o, auto c) { return sigmoid(o) * tanh(c); }, o, layer_norm(c, gc, bc));
  return {h, c};
}

}  // namespace unroll
