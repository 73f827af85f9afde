// The minimal gated unit (Zhou et al. 2016): one gate for what a GRU has two for. Its step is
// compiled with the library, like the LSTM's.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

/// f = sigmoid(x Wf^T + h Uf^T + bf),  n = tanh(x Wh^T + (f h) Uh^T + bh),  h' = (1 - f) h + f n
struct MGU : Cell {
  using Cell::Cell;
  Parameter Wf = parameter("Wf", {hidden, in}), bf = parameter("bf", {hidden}, init::zeros);
  Parameter Uf = parameter("Uf", {hidden, hidden}, init::orthogonal);
  Parameter Wh = parameter("Wh", {hidden, in}), bh = parameter("bh", {hidden}, init::zeros);
  Parameter Uh = parameter("Uh", {hidden, hidden}, init::orthogonal);

  struct State {
    Variable h;
  };

  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
