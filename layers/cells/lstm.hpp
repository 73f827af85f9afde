// The LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000). Its step is
// compiled with the library: user programs neither wait for its kernel nor run it without -O2.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

struct LSTMOptions {
  bool bias = true;
};

/// Gates in the order i, f, g, o: W (4 hidden, in), U (4 hidden, hidden), b (4 hidden), the sum of
/// PyTorch's two biases; the forget gate's starts at 1.
///
///     c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c')
struct LSTM : Cell {
  LSTM(Size in, Size hidden, const LSTMOptions& options = {}) : Cell(in, hidden) {
    if (options.bias) b = parameter("b", {4 * hidden}, init::forget_bias);
  }

  Parameter W = parameter("W", {4 * hidden, in}), b;
  Parameter U = parameter("U", {4 * hidden, hidden}, init::orthogonal);

  struct State {
    Variable h, c;
  };

  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
