// The LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000). Its step is
// compiled with the library: user programs neither wait for its kernel nor run it without -O2.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

struct LSTMOptions {
  bool bias = true;
  /// Size of the state h where it is not hidden, which then is that of the memory c only (Sak et
  /// al. 2014); 0: none.
  Size projection = 0;
};

/// Gates in the order i, f, g, o: W (4 hidden, in), U (4 hidden, hidden), b (4 hidden), the sum of
/// PyTorch's two biases; the forget gate's starts at 1.
///
///     c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c')
///
/// With a projection h' is (sigmoid(o) tanh(c')) P^T, P (projection, hidden), U (4 hidden,
/// projection).
struct LSTM : Cell {
  LSTM(Size in, Size hidden, const LSTMOptions& options = {});

  Size projection;
  Parameter W = parameter("W", {4 * hidden, in}), b;
  Parameter U = parameter("U", {4 * hidden, output_size()}, init::orthogonal);
  Parameter P;  ///< empty without projection

  struct State {
    Variable h, c;
  };

  Size output_size() const { return projection > 0 ? projection : hidden; }
  State zero_state(const Variable& x) const;
  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
