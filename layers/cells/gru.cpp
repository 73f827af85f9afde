// The equations of the GRU, its gates in one fused kernel.
#include <unroll/layers/cells/gru.hpp>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

GRU::State GRU::step(const Variable& x, const State& s) const {
  auto [r, z, n] = chunk<3>(linear(x, W, b));
  auto [rh, zh, nh] = chunk<3>(linear(s.h, U, bh));
  return {fuse(
      [](auto r, auto z, auto n, auto rh, auto zh, auto nh, auto h) {
        auto u = sigmoid(z + zh);
        return (1 - u) * tanh(n + sigmoid(r + rh) * nh) + u * h;
      },
      r, z, n, rh, zh, nh, s.h)};
}

}  // namespace unroll
