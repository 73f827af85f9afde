// The echo state network (Jaeger 2001): a leaky integrator, leaky.hpp, whose recurrent weights are
// drawn once and never trained.
#pragma once

#include <unroll/layers/cells/leaky.hpp>

namespace unroll {

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
