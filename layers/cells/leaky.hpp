// Leaky integrators (Jaeger et al. 2007), and the echo state network, whose recurrent weights are
// drawn once and never trained.
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

struct EchoStateOptions {
  bool bias = true;
  double leak = 1;            ///< a, in (0, 1]
  bool learned_leak = false;  ///< one a for each unit, trained from a start below 1
  /// The largest absolute eigenvalue of U; below 1 the network forgets its start.
  double spectral_radius = 0.9;
  bool train_input = false;  ///< whether W and b are trained, which echo state networks do not do
};

/// A LeakyIntegrator whose U is drawn with that spectral radius and frozen: what reads its states
/// is trained.
struct EchoState : LeakyIntegrator {
  EchoState(Size in, Size hidden, const EchoStateOptions& options = {});
};

}  // namespace unroll
