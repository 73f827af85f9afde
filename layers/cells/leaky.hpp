// Leaky integrators (Jaeger et al. 2007). Those whose recurrent weights are drawn once and never
// trained, echo states, are in echo_state.hpp.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

struct LeakyOptions {
  bool bias = true;
  double leak = 0.5;          ///< a, in (0, 1]
  bool learned_leak = false;  ///< one a for each unit, trained as sigmoid of a Parameter
};

/// h' = (1 - a) h + a tanh(x W^T + h U^T + b); W (hidden, in), U (hidden, hidden), b (hidden).
struct LeakyIntegrator : Cell {
  LeakyIntegrator(Size in, Size hidden, const LeakyOptions& options = {});
  double leak;
  Parameter W = parameter("W", {hidden, in}), U;
  Parameter b;           ///< empty without a bias
  Parameter leak_logit;  ///< (hidden), a = sigmoid of it; empty if a is given

  struct State {
    Variable h;
  };

  State step(const Variable& x, const State& s) const;

 protected:
  LeakyIntegrator(Size in, Size hidden, const LeakyOptions& options, const Initialiser& recurrent);
};

}  // namespace unroll
