// What the layers of a network give, taken while it computes: the network says nothing of who
// watches. Which weights a network has is told by module.hpp.
#pragma once

#include <utility>

#include <unroll/layers/module.hpp>

namespace unroll {

/// The output of a layer with its path from the outermost module: "encoder.layer0".
struct NamedOutput {
  std::string name;
  Variable value;
};

/// While it lives, takes the outputs of all layers that compute in this thread (PyTorch's forward
/// hooks, Flax's captured intermediates). Of several the youngest takes them.
///
///     LayerOutputs outputs;
///     net(x);
///     outputs.list();        // "embed" (T, B, D), "rnn.layer0" (T, B, H), "readout" (T, B, K)
///
/// A cell is such a layer when over_time has run it; without kept states its output is that of the
/// last step. With a tape the values are those recorded, which grad() takes as inputs; a layer
/// within recomputed() is there once, with a value that has no gradient: to compute with it, detach
/// it.
class LayerOutputs {
 public:
  LayerOutputs();
  ~LayerOutputs();
  LayerOutputs(const LayerOutputs&) = delete;
  LayerOutputs& operator=(const LayerOutputs&) = delete;

  /// In order of computation; a layer that is called twice is there twice.
  const std::vector<NamedOutput>& list() const { return list_; }

 private:
  friend Variable layer_output(const Module&, std::string_view, Variable);
  LayerOutputs* outer_;
  std::vector<NamedOutput> list_;
};

namespace detail {
extern constinit thread_local LayerOutputs* layer_outputs;
}

/// Hands y back, the output of a part of a module that is no module itself: of an activation, or of
/// a Parameter that serves as an embedding.
///
///     Variable h = layer_output(*this, "hidden", sigmoid(linear(x, W, b)));
Variable layer_output(const Module& owner, std::string_view part, Variable y);
/// The same for the module as a whole, within its operator():
///
///     return layer_output(*this, linear(x, W, b));
inline Variable layer_output(const Module& layer, Variable y) {
  return detail::layer_outputs ? layer_output(layer, {}, std::move(y)) : y;
}

}  // namespace unroll
