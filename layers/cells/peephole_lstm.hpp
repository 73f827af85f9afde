// The LSTM whose gates see the memory (Gers and Schmidhuber 2000). Its step is compiled with the
// library, like the LSTM's.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

/// As LSTM, gates in the order i, f, g, o; pi, pf, po (hidden) weigh the memory, element by element:
///
///     c' = sigmoid(f + pf c) c + sigmoid(i + pi c) tanh(g),  h' = sigmoid(o + po c') tanh(c')
struct PeepholeLSTM : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {4 * hidden, in}), b = parameter("b", {4 * hidden}, init::forget_bias);
  Parameter U = parameter("U", {4 * hidden, hidden}, init::orthogonal);
  Parameter pi = parameter("pi", {hidden}), pf = parameter("pf", {hidden}),
            po = parameter("po", {hidden});

  struct State {
    Variable h, c;
  };

  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
