// The gated recurrent unit as it was published (Cho et al. 2014) and as Keras 2 has it by default,
// with the reset gate before the product. Its step is compiled with the library, like the LSTM's.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

/// Gates in the order z, r: W (2 hidden, in), U (2 hidden, hidden), b (2 hidden); candidate Wn
/// (hidden, in), Un (hidden, hidden), bn (hidden).
///
///     (z, r) = sigmoid(x W^T + h U^T + b),  n = tanh(x Wn^T + (r h) Un^T + bn),  h' = z h + (1 - z) n
struct GRUResetBefore : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {2 * hidden, in}), b = parameter("b", {2 * hidden}, init::zeros);
  Parameter U = parameter("U", {2 * hidden, hidden}, init::orthogonal);
  Parameter Wn = parameter("Wn", {hidden, in}), bn = parameter("bn", {hidden}, init::zeros);
  Parameter Un = parameter("Un", {hidden, hidden}, init::orthogonal);

  struct State {
    Variable h;
  };

  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
