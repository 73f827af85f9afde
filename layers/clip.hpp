// Clipping of gradients between backward() and step(), by their common norm or element by element.
// All functions take a Module, a list of them, or Parameters such as optimiser.parameters().
#pragma once

#include <unroll/layers/module.hpp>

namespace unroll {

struct ClipOptions {
  /// Which norm; infinity (std::numeric_limits or INFINITY) for the largest magnitude.
  double p = 2;
};

/// (sum |g|^p)^(1/p) over all elements of all gradients together, summed in float64; 0 if there is
/// no gradient. Parameters without gradient and frozen ones are left out. Not finite if a gradient
/// is not: ask std::isfinite before step() and zero_grad() instead, if you want to go on.
/// Throws Error unless p > 0.
double global_norm(const ParameterList& parameters, const ClipOptions& options = {});

/// Multiplies all gradients by min(1, max_norm / (norm + 1e-6)) and returns the norm before
/// (Pascanu, Mikolov, Bengio 2013). If the norm is not finite, the gradients stay as they are.
/// Throws Error unless max_norm >= 0 and p > 0.
double clip_global_norm(const ParameterList& parameters, double max_norm,
                        const ClipOptions& options = {});

/// g = min(max(g, -limit), limit); NaN stays NaN. Throws Error unless limit >= 0.
void clip_value(const ParameterList& parameters, double limit);

}  // namespace unroll
