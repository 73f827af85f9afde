// How an echo state is drawn and frozen; its equations are those of leaky integrators.
#include <unroll/layers/cells/echo_state.hpp>

namespace unroll {

EchoState::EchoState(Size in, Size hidden, const EchoStateOptions& options)
    : LeakyIntegrator(in, hidden, {options.bias, options.leak, options.learned_leak},
                      init::spectral_radius(options.spectral_radius)) {
  freeze(U);
  if (options.train_input) return;
  freeze(W);
  if (options.bias) freeze(b);
}

}  // namespace unroll
