// The list of who takes outputs in a thread. Who gives them is found by "layer_output(*this".
#include <unroll/layers/layer_outputs.hpp>

#include <unroll/autograd/recomputed.hpp>

namespace unroll {

namespace detail {
constinit thread_local LayerOutputs* layer_outputs = nullptr;
}

LayerOutputs::LayerOutputs() : outer_(std::exchange(detail::layer_outputs, this)) {}

LayerOutputs::~LayerOutputs() {
  LayerOutputs** link = &detail::layer_outputs;  // destroyed out of order: the younger skip this
  while (*link && *link != this) link = &(*link)->outer_;
  if (*link) *link = outer_;
}

Variable layer_output(const Module& owner, std::string_view part, Variable y) {
  if (!detail::layer_outputs || detail::is_computing_again()) return y;
  std::string name = owner.path();
  if (!name.empty() && !part.empty()) name += '.';
  detail::layer_outputs->list_.push_back({name.append(part), y});
  return y;
}

}  // namespace unroll
