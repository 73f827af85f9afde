// The independently recurrent network (Li et al. 2018): each unit remembers only itself.
#pragma once

#include <unroll/layers/over_time.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>

namespace unroll {

/// h' = relu(x W^T + u h + b); W (hidden, in), u (hidden), b (hidden).
struct IndRNN : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), b = parameter("b", {hidden}, init::zeros);
  Parameter u = parameter("u", {hidden}, init::uniform(0, 1));

  struct State {
    Variable h;
  };

  State step(const Variable& x, const State& s) const { return {relu(linear(x, W, b) + u * s.h)}; }
};

}  // namespace unroll
