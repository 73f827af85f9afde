// The LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).
#pragma once

#include <unroll/layers/over_time.hpp>
#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

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

  struct State { Variable h, c; };

  State step(const Variable& x, const State& s) const {
    auto gates = b.empty() ? affine(x, W, s.h, U) : affine(x, W, s.h, U, b);
    auto [i, f, g, o] = chunk<4>(gates);
    auto [h, c] = fuse([](auto i, auto f, auto g, auto o, auto c0) {
      auto c = sigmoid(f) * c0 + sigmoid(i) * tanh(g);
      return std::tuple(sigmoid(o) * tanh(c), c);
    }, i, f, g, o, s.c);
    return {h, c};
  }
};

}  // namespace unroll
