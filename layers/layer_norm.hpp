// LayerNorm: the last axis at mean 0 and variance 1, then scaled. The op is ops/nn.hpp's.
#pragma once

#include <unroll/layers/layer_outputs.hpp>
#include <unroll/ops/nn.hpp>

namespace unroll {

/// y = (x - mean) / sqrt(variance + epsilon) gain + bias over the last axis (Ba et al. 2016).
struct LayerNorm : Module {
  explicit LayerNorm(Size size, double epsilon = 1e-5) : size(size), epsilon(epsilon) {}

  Size size;
  double epsilon;
  Parameter gain = parameter("gain", {size}, init::ones);
  Parameter bias = parameter("bias", {size}, init::zeros);

  Variable operator()(const Variable& x) const {
    return layer_output(*this, layer_norm(x, gain, bias, {.epsilon = epsilon}));
  }
};

}  // namespace unroll
