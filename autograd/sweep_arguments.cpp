// What a gradient function sees of the sweep and of its node. The sweep itself is in sweep.cpp.
#include <unroll/autograd/node.hpp>

namespace unroll {

Variable Backward::dy(int k) const {
  if (const Variable* dy = given(k)) return *dy;
  const Slot& s = sweep_.tape_.slots[node_.first_slot + k];
  return zeros(s.shape, s.type);
}

const Variable* Backward::given(int k) const {
  int slot = node_.first_slot + k;
  return sweep_.in_range(slot) && !sweep_.gradient(slot).empty() ? &sweep_.gradient(slot) : nullptr;
}

const Variable& Backward::x(int k) const {
  const NodeInput& in = node_.inputs[k];
  const Variable& x = sweep_.tape_.value_of(in);
  if (x.empty()) fail(node_.name, "its gradient asks for input ", k, ", which was not kept.");
  if (x.value().version() != in.version)
    fail(node_.name, "input ", k, " ", x.shape(), " was changed after it was recorded; call ",
         "backward before the change (an optimiser step, assign), or record a copy.");
  return x;
}

Variable Backward::take_x(int k) {
  const Variable& kept = x(k);
  Variable& own = node_.inputs[k].value;
  // An error message may still want to show it.
  if (sweep_.retain_ || sweep_.tape_.options.anomaly || own.empty()) return kept;
  return std::move(own);
}

const Variable& Backward::y(int k) const {
  if (!node_.keeps_results) fail(node_.name, "its gradient asks for its result, which was not kept.");
  const Variable& y = node_.results()[k];
  if (y.value().version() != sweep_.tape_.slots[node_.first_slot + k].version)
    fail(node_.name, "its result ", y.shape(), " was changed after it was recorded; call backward ",
         "before the change, or change a copy.");
  return y;
}

const Shape& Backward::x_shape(int k) const {
  const NodeInput& in = node_.inputs[k];
  return in.slot >= 0 ? sweep_.tape_.slots[in.slot].shape : in.value.shape();
}
Type Backward::x_type(int k) const {
  const NodeInput& in = node_.inputs[k];
  return in.slot >= 0 ? sweep_.tape_.slots[in.slot].type : in.value.type();
}
int Backward::inputs() const { return node_.n_inputs; }
bool Backward::is_recorded(int k) const { return node_.inputs[k].slot >= 0; }
int Backward::results() const { return node_.n_results; }
bool Backward::wants(int k) const { return sweep_.needed(node_.inputs[k].slot); }
bool Backward::wants_dy(int k) const {
  const int slot = node_.first_slot + k;
  return sweep_.in_range(slot) && sweep_.flags(slot) & Sweep::kTarget;
}
void Backward::set_dy(int k, Variable&& gradient) {
  sweep_.gradient(node_.first_slot + k) = std::move(gradient);
}
bool Backward::create_graph() const { return sweep_.graph_; }
void Backward::give(int k, Variable&& gradient) { sweep_.give(node_, k, std::move(gradient)); }
void Backward::give(int k, const Variable& gradient) {
  if (!sweep_.is_in_place(node_, k)) give(k, Variable(gradient));
}
Backward::Target Backward::target(int k) { return sweep_.target(node_.inputs[k].slot); }
bool Backward::has_sum(int k) const { return sweep_.has_sum(node_.inputs[k].slot); }
void Backward::complete(int k) {
  const int slot = node_.inputs[k].slot;
  if (sweep_.in_range(slot) && sweep_.flags(slot) & Sweep::kDeferred) sweep_.flush(slot);
}
const Array& Backward::dy_in_parts() { return sweep_.own_if_small(node_.first_slot); }
void Backward::give_part(int k, Array&& part) { sweep_.give_part(node_, k, std::move(part)); }

// Relative to the node's input, where Alias counts from the root.
Array Backward::geometry(int k) const {
  const int slot = node_.first_slot + k, input = node_.inputs[0].slot;
  const Slot& s = sweep_.tape_.slots[slot];
  const bool nested = s.alias->root >= 0 && s.alias->root != input;
  const Size start = nested ? sweep_.tape_.slots[input].alias->offset_of(input) : 0;
  return Array::layout(s.shape, s.alias->strides, s.alias->offset_of(slot) - start, s.type);
}

Deferred* Backward::find_deferred(int k, const void* tag) const {
  int slot = node_.inputs[k].slot;
  if (!(sweep_.flags(slot) & Sweep::kDeferred)) return nullptr;
  for (const Sweep::Pending& p : sweep_.pending_)
    if (p.slot == slot && p.tag == tag) return p.deferred.get();
  return nullptr;
}

void Backward::add_deferred(int k, const void* tag, Ref<Deferred> deferred) {
  int slot = node_.inputs[k].slot;
  sweep_.flags(slot) |= Sweep::kDeferred;
  sweep_.pending_.push_back({slot, tag, std::move(deferred)});
}

}  // namespace unroll
