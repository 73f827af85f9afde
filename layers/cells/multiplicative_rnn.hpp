// The multiplicative network (Sutskever et al. 2011): the input chooses the transition.
#pragma once

#include <unroll/layers/over_time.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>

namespace unroll {

/// m = (x Wm^T) (h Um^T),  h' = tanh(x Wh^T + m Uh^T + b)
struct MultiplicativeRNN : Cell {
  using Cell::Cell;
  Parameter Wm = parameter("Wm", {hidden, in}), Wh = parameter("Wh", {hidden, in});
  Parameter Um = parameter("Um", {hidden, hidden}, init::orthogonal),
            Uh = parameter("Uh", {hidden, hidden}, init::orthogonal);
  Parameter b = parameter("b", {hidden}, init::zeros);

  struct State {
    Variable h;
  };

  State step(const Variable& x, const State& s) const {
    Variable m = linear(x, Wm) * linear(s.h, Um);
    return {tanh(affine(x, Wh, m, Uh, b))};
  }
};

}  // namespace unroll
