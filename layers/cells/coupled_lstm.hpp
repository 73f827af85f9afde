// The LSTM whose input gate is what the forget gate leaves (CIFG, Greff et al. 2017). Its step is
// compiled with the library, like the LSTM's.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

/// Gates in the order f, g, o: W (3 hidden, in), U (3 hidden, hidden), b (3 hidden).
///
///     c' = sigmoid(f) c + (1 - sigmoid(f)) tanh(g),  h' = sigmoid(o) tanh(c')
struct CoupledLSTM : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {3 * hidden, in}), b = parameter("b", {3 * hidden}, init::zeros);
  Parameter U = parameter("U", {3 * hidden, hidden}, init::orthogonal);

  struct State {
    Variable h, c;
  };

  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
