// Initialisers: how the first numbers of a Parameter are drawn. Which Parameter uses which is said
// where it is declared; redrawing is Module::initialise.
#pragma once

#include <unroll/autograd/array.hpp>
#include <unroll/autograd/function.hpp>
#include <unroll/autograd/generator.hpp>

namespace unroll {

/// Writes every element of an Array: the functions below, or any callable of that form.
using Initialiser = Function<void(Array&, Generator&)>;

/// A weight is (out, in, ...): fan_in is the product of the sizes after the first, fan_out the
/// first size times the product of those after the second. For one axis both are its size.
namespace init {

/// The default: uniform in +-1 / sqrt(fan_in).
void fan_in(Array& a, Generator& generator);
/// Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).
void xavier(Array& a, Generator& generator);
/// Normal with variance 2 / fan_in, for relu (He et al. 2015).
void he(Array& a, Generator& generator);
/// Orthonormal rows, or columns if there are more rows than columns; axes after the first count as
/// one. Gates stacked on each other, (k n, n), become k orthogonal matrices, one a gate.
void orthogonal(Array& a, Generator& generator);
void zeros(Array& a, Generator& generator);
void ones(Array& a, Generator& generator);
/// Bias of gates i, f, g, o, (4 hidden): ones for f, the rest zeros (Jozefowicz et al. 2015).
void forget_bias(Array& a, Generator& generator);

/// Normal numbers of a square matrix, scaled so that its largest absolute eigenvalue is `radius`:
/// the recurrent weights of an echo state network (Jaeger 2001).
Initialiser spectral_radius(double radius);

Initialiser constant(double value);
Initialiser uniform(double low, double high);
Initialiser normal(double stddev, double mean = 0);
/// `each` for every one of `count` equal blocks of rows: blocks(4, init::xavier) for an LSTM's W.
Initialiser blocks(Size count, Initialiser each);

}  // namespace init

}  // namespace unroll
