// The LSTM with layer normalisation (Ba et al. 2016). Its step is compiled with the library, like
// the LSTM's.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

/// Gates in the order i, f, g, o. LN is layer_norm over all of a step's gates (4 hidden), with gains
/// gx and gh, or over c' (hidden), with gain gc and bias bc:
///
///     (i, f, g, o) = LN(x W^T) + LN(h U^T) + b,
///     c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(LN(c'))
struct LayerNormLSTM : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {4 * hidden, in}), b = parameter("b", {4 * hidden}, init::forget_bias);
  Parameter U = parameter("U", {4 * hidden, hidden}, init::orthogonal);
  Parameter gx = parameter("gx", {4 * hidden}, init::ones),
            gh = parameter("gh", {4 * hidden}, init::ones);
  Parameter gc = parameter("gc", {hidden}, init::ones), bc = parameter("bc", {hidden}, init::zeros);

  struct State {
    Variable h, c;
  };

  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
