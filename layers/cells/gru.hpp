// The gated recurrent unit (Cho et al. 2014), with the reset gate after the product as in PyTorch.
#pragma once

#include <unroll/layers/over_time.hpp>
#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

struct GRUOptions {
  bool bias = true;
};

/// Gates in the order r, z, n: W (3 hidden, in) and b (3 hidden) for x, U (3 hidden, hidden) and bh
/// (3 hidden) for h. With (r, z, n) = x W^T + b and (r', z', n') = h U^T + bh:
///
///     u = sigmoid(z + z'),  h' = (1 - u) tanh(n + sigmoid(r + r') n') + u h
struct GRU : Cell {
  GRU(Size in, Size hidden, const GRUOptions& options = {}) : Cell(in, hidden) {
    if (!options.bias) return;
    b = parameter("b", {3 * hidden}, init::zeros);
    bh = parameter("bh", {3 * hidden}, init::zeros);
  }

  Parameter W = parameter("W", {3 * hidden, in}), b;
  Parameter U = parameter("U", {3 * hidden, hidden}, init::orthogonal), bh;

  struct State { Variable h; };

  State step(const Variable& x, const State& s) const {
    auto [r, z, n] = chunk<3>(b.empty() ? linear(x, W) : linear(x, W, b));
    auto [rh, zh, nh] = chunk<3>(b.empty() ? linear(s.h, U) : linear(s.h, U, bh));
    return {fuse([](auto r, auto z, auto n, auto rh, auto zh, auto nh, auto h) {
      auto u = sigmoid(z + zh);
      return (1 - u) * tanh(n + sigmoid(r + rh) * nh) + u * h;
    }, r, z, n, rh, zh, nh, s.h)};
  }
};

}  // namespace unroll
