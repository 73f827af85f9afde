// The equations of leaky integrators.
#include <unroll/layers/cells/leaky.hpp>

#include <cmath>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>

namespace unroll {

static double checked_leak(double leak) {
  if (!(leak > 0 && leak <= 1)) fail("leaky", "leak is ", leak, "; expected 0 < leak <= 1.");
  return leak;
}

LeakyIntegrator::LeakyIntegrator(Size in, Size hidden, const LeakyOptions& options)
    : LeakyIntegrator(in, hidden, options, init::orthogonal) {}

LeakyIntegrator::LeakyIntegrator(Size in, Size hidden, const LeakyOptions& options,
                                 const Initialiser& recurrent)
    : Cell(in, hidden),
      leak(checked_leak(options.leak)),
      U(parameter("U", {hidden, hidden}, recurrent)) {
  if (options.bias) b = parameter("b", {hidden}, init::zeros);
  if (!options.learned_leak) return;
  if (leak == 1) fail("leaky", "a learned leak starts below 1; got 1.");
  leak_logit = parameter("leak_logit", {hidden}, init::constant(std::log(leak / (1 - leak))));
}

LeakyIntegrator::State LeakyIntegrator::step(const Variable& x, const State& s) const {
  const Variable y = affine(x, W, s.h, U, b);
  if (leak_logit.empty())
    return {fuse([a = leak](auto y, auto h) { return (1 - a) * h + a * tanh(y); }, y, s.h)};
  return {fuse([](auto y, auto h, auto logit) {
    auto a = sigmoid(logit);
    return (1 - a) * h + a * tanh(y);
  }, y, s.h, leak_logit)};
}

}  // namespace unroll
