// The convolutional LSTM (Shi et al. 2015), for sequences of images. Its step is compiled with the
// library, like the LSTM's.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

struct ConvLSTMOptions {
  Size kernel = 3;  ///< odd, so that images keep their size
};

/// As LSTM with convolutions for products: x (B, in, height, width), states (B, hidden, height,
/// width), W (4 hidden, in, k, k), U (4 hidden, hidden, k, k), b (4 hidden, 1, 1); zeros around.
struct ConvLSTM : Cell {
  ConvLSTM(Size in, Size hidden, const ConvLSTMOptions& options = {});
  Size kernel;
  Parameter W = parameter("W", {4 * hidden, in, kernel, kernel}),
            U = parameter("U", {4 * hidden, hidden, kernel, kernel});
  Parameter b = parameter("b", {4 * hidden, 1, 1}, init::zeros);

  struct State {
    Variable h, c;
  };

  State zero_state(const Variable& x) const;
  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
