// The gated recurrent unit (Cho et al. 2014), with the reset gate after the product as in PyTorch.
// Its step is compiled with the library, like the LSTM's.
#pragma once

#include <unroll/layers/over_time.hpp>

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

  struct State {
    Variable h;
  };

  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
