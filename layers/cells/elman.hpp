// Elman's network (1990). With a memory of several steps it is in elman_of_order.hpp.
#pragma once

#include <unroll/layers/over_time.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>

namespace unroll {

struct ElmanOptions {
  /// Any function of one Variable: tanh, relu, ...
  Variable (*activation)(const Variable&) = tanh;
  bool bias = true;
};

/// h' = tanh(x W^T + h U^T + b); W (hidden, in), U (hidden, hidden), b (hidden).
struct Elman : Cell {
  Elman(Size in, Size hidden, const ElmanOptions& options = {})
      : Cell(in, hidden), activation(options.activation) {
    if (options.bias) b = parameter("b", {hidden}, init::zeros);
  }

  Variable (*activation)(const Variable&);
  Parameter W = parameter("W", {hidden, in}),
            U = parameter("U", {hidden, hidden}, init::orthogonal);
  Parameter b;

  struct State {
    Variable h;
  };

  State step(const Variable& x, const State& s) const {
    return {activation(affine(x, W, s.h, U, b))};
  }
};

}  // namespace unroll
