// What fuse() does with a lambda read over Variables: gradients that are recorded themselves, and
// operations that are looked at one by one. Loops over lanes are in fuse.cpp.
#include <unroll/ops/fuse.hpp>

#include <unroll/autograd/node.hpp>

namespace unroll::detail {

bool composes() {
  const TapeImpl* tape = recording_tape();
  return tape && tape->options.anomaly;
}

FusedResult::FusedResult(const Variables& x) {
  const Op op("fuse", x);
  std::vector<const Array*> in;
  for (int k = 0; k < op.inputs(); ++k) in.push_back(&op[k]);
  type = op.type();
  shape = kernel::common_shape("fuse", type, in);
}

Variable FusedResult::of(const Variable& y) const {
  if (y.type() == type && y.shape() == shape) return y;
  // Only a constant of the lambda's own can be of another type.
  const Variable typed = y.type() == type ? y : Variable(y.value().to(type));
  return contiguous(broadcast_to(typed, shape));
}

Variable recorded_again(const Variable& x) {
  Op op("fuse_input", x);
  return op.record(op[0], [](Backward& b) { b.give(0, b.dy()); }, Keep::nothing);
}

void give_recorded(Backward& b, const Variables& inputs, const Variables& outputs) {
  Variables ys, dys, xs;
  for (int k = 0; k < b.results(); ++k) {
    const Variable& y = outputs[static_cast<std::size_t>(k)];
    if (!b.has_dy(k) || !y.is_recorded()) continue;
    ys.push_back(y);
    dys.push_back(sum_to(b.dy(k), y.shape()));  // smaller if it is a result of some inputs only
  }
  if (ys.empty()) return;
  for (int k = 0; k < b.inputs(); ++k)
    if (b.wants(k)) xs.push_back(inputs[static_cast<std::size_t>(k)]);
  std::vector<Variable> dxs = grad(ys, xs, {.create_graph = true, .grad_outputs = dys});
  std::size_t next = 0;
  for (int k = 0; k < b.inputs(); ++k)
    if (b.wants(k)) b.give(k, dxs[next++]);
}

}  // namespace unroll::detail
