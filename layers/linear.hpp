// Linear: a weight and a bias. The product itself is ops/linear.hpp's.
#pragma once

#include <unroll/layers/layer_outputs.hpp>
#include <unroll/ops/linear.hpp>

namespace unroll {

struct LinearOptions {
  bool bias = true;
};

/// y = x W^T + b: x (..., in), y (..., out), W (out, in), b (out).
struct Linear : Module {
  Linear(Size in, Size out, const LinearOptions& options = {}) : in(in), out(out) {
    if (options.bias) b = parameter("b", {out}, init::zeros);
  }

  Size in, out;
  Parameter W = parameter("W", {out, in});
  Parameter b;  ///< empty without bias

  Variable operator()(const Variable& x) const { return layer_output(*this, linear(x, W, b)); }
};

}  // namespace unroll
