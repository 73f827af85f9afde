// Dropout as a module, for models that are put together from parts. One mask for all steps of a
// sequence is an option of recurrent.hpp.
#pragma once

#include <unroll/layers/layer_outputs.hpp>
#include <unroll/ops/random.hpp>

namespace unroll {

/// Zeros with probability p, the rest times 1 / (1 - p), while a tape records: `Tape
/// tape(generator)`. Without a tape it is the identity.
struct Dropout : Module {
  explicit Dropout(double p) : p(p) {}

  double p;

  Variable operator()(const Variable& x) const { return layer_output(*this, dropout(x, p)); }
};

}  // namespace unroll
