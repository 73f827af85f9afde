// The simple recurrent unit (Lei et al. 2018): all its products are of inputs, so those of a whole
// sequence are one. Its step is compiled with the library, like the LSTM's.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

/// Rows of W (4 hidden, in) in the order z, f, r, s, so that (z, f, r, s) = x W^T; vf, vr, bf, br
/// (hidden). s is what the output shows of the input (the paper takes x itself, of size hidden).
///
///     c' = F c + (1 - F) z,  F = sigmoid(f + vf c + bf)
///     y  = R c' + (1 - R) s,  R = sigmoid(r + vr c + br)
struct SRU : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {4 * hidden, in});
  Parameter vf = parameter("vf", {hidden}), bf = parameter("bf", {hidden}, init::zeros);
  Parameter vr = parameter("vr", {hidden}), br = parameter("br", {hidden}, init::zeros);

  struct State {
    Variable y, c;  ///< y is what others see; only c is remembered
  };

  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
