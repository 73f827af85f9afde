// Tape::backward and grad: where a sweep starts, and where its gradients go. The sweep itself is in
// sweep.cpp.
#include <algorithm>
#include <atomic>
#include <mutex>

#include <unroll/autograd/leaf_gradients.hpp>
#include <unroll/autograd/node.hpp>
#include <unroll/autograd/strided.hpp>

namespace unroll {

namespace {

std::atomic<std::uint64_t> next_sweep{1};
std::mutex gradient_mutex;  // two tapes may add to one Parameter's gradient

/// The gradient of `result` that a sweep starts with, in its type.
Variable seed_of(const char* op, const TapeImpl& tape, const Variable& result,
                 const Variable& given) {
  if (given.empty()) {
    if (result.size() != 1)
      fail(op, "the result has shape ", result.shape(), "; expected one number, or pass ",
           "grad_output of that shape.");
    return ones(result.shape(), result.type());
  }
  if (given.shape() != result.shape())
    fail(op, "grad_output has shape ", given.shape(), ", the result ", result.shape(), ".");
  if (tape.options.anomaly && !kernel::all_finite(given.value()))
    fail("anomaly", "the grad_output ", given.shape(), " given to ", op, " is not finite.");
  if (given.type() == result.type()) return given;
  if (given.type() != float32 || result.type() != float64 || given.is_recorded())
    fail(op, "mixed element types: grad_output is ", given.type(), ", the result ", result.type(),
         "; convert it with to(", result.type(), ").");
  return given.value().to(float64);
}

/// The first slot of the results among which the one of this slot is, if some may depend on it.
int first_beside(const TapeImpl& tape, int slot, int last) {
  const int index = tape.slots[slot].node;
  if (index < 0 || !tape.nodes[index].joint) return slot;
  const Node& node = tape.nodes[index];
  if (last >= node.again)
    fail("grad", "asks for the gradient by a result of ", node.name,
         ", which a gradient with create_graph has recorded again since; ask before that, or use ",
         "over_time without recompute_every and memory_budget.");
  return node.first_slot;
}

/// The tape that recorded the outputs.
TapeImpl& tape_of(const char* op, const Variables& outputs) {
  Tape* tape = Tape::current();
  for (const Variable& y : outputs)
    for (Tape* t = tape; t && !y.empty(); t = t->impl().outer)
      if (y.record()->tape == t->impl().serial) return t->impl();
  if (tape) return tape->impl();
  fail(op, outputs.empty() || outputs[0].empty() || outputs[0].record()->tape == 0
               ? "no tape is recording; make one (`Tape tape;`) before computing the result."
               : "the result was recorded on a tape that no longer exists, or of another thread; "
                 "call grad in the thread and scope of its tape.");
}

void add_to_leaf(const Record& record, Variable g, std::uint64_t sweep) {
  if (g.type() != record.value.type()) g = g.value().to(record.value.type());  // converted since
  std::lock_guard lock(gradient_mutex);
  if (ParameterData* parameter = record.parameter()) parameter->last_backward = sweep;
  Ref<Record>& sum = record.leaf->gradient;
  if (!sum) {
    sum = is_own(g) ? g.record() : Record::make(g.value().copy());
  } else if (sum.unique() && sum->value.buffer().unique()) {
    kernel::add_into(sum->value, g.value());
  } else {
    sum = Record::make(kernel::add(sum->value, g.value()));
  }
}

}  // namespace

std::vector<LeafGradient> leaf_gradients(Tape& tape, const Variable& result,
                                         const BackwardOptions& options) {
  TapeImpl& impl = tape.impl();
  impl.check_thread("backward");
  int last = impl.slot_of("backward", result);
  if (last < 0) fail("backward", "the result is a Parameter that this tape has not used.");
  Variable g = seed_of("backward", impl, result, options.grad_output);
  detail::Pause pause;
  Sweep sweep(impl, false, options.retain_graph, 0, last, {});
  sweep.seed(last, g);
  sweep.run();
  std::vector<LeafGradient> list;
  for (const TapeLeaf& leaf : impl.leaves) {
    Variable gradient = sweep.finish(leaf.slot);
    if (!gradient.empty()) list.push_back({leaf.variable.record(), std::move(gradient)});
  }
  return list;
}

std::uint64_t new_sweep() { return next_sweep++; }

void add_to_leaves(std::vector<LeafGradient> list, std::uint64_t sweep) {
  for (LeafGradient& l : list) add_to_leaf(*l.leaf, std::move(l.gradient), sweep);
}

void Tape::backward(const Variable& result, const BackwardOptions& options) {
  add_to_leaves(leaf_gradients(*this, result, options), new_sweep());
}

std::vector<Variable> grad(const Variables& outputs, const Variables& inputs,
                           const GradOptions& options) {
  if (outputs.empty()) fail("grad", "no outputs; expected at least one value to differentiate.");
  TapeImpl& tape = tape_of("grad", outputs);
  tape.check_thread("grad");
  if (!options.grad_outputs.empty() && options.grad_outputs.size() != outputs.size())
    fail("grad", outputs.size(), " outputs, but ", options.grad_outputs.size(), " grad_outputs.");
  std::vector<int> from, to;
  int first = tape.slots.size(), last = -1;
  for (const Variable& y : outputs) {
    from.push_back(tape.slot_of("grad", y));
    last = std::max(last, from.back());
  }
  std::vector<int> targets;
  for (const Variable& x : inputs) {
    to.push_back(tape.slot_of("grad", x));
    if (to.back() < 0) continue;  // a Parameter that this tape has not used
    first = std::min(first, first_beside(tape, to.back(), last));
    targets.push_back(to.back());
  }
  if (options.create_graph && &tape != &Tape::current()->impl())
    fail("grad", "create_graph records on the youngest tape, but the outputs belong to an outer one.");
  std::vector<Variable> gradients;
  bool before = detail::set_recording(options.create_graph);
  struct Restore {
    bool before;
    ~Restore() { detail::set_recording(before); }
  } restore{before};
  Sweep sweep(tape, options.create_graph, options.create_graph || options.retain_graph, first,
              std::max(last, first - 1), targets);
  if (!targets.empty()) {
    for (std::size_t k = 0; k < from.size(); ++k)
      if (from[k] >= first)
        sweep.seed(from[k], seed_of("grad", tape, outputs[k],
                                    options.grad_outputs.empty() ? Variable()
                                                                 : options.grad_outputs[k]));
    sweep.run();
  }
  for (std::size_t k = 0; k < to.size(); ++k) {
    Variable g = to[k] < 0 ? Variable() : sweep.finish(to[k]);
    gradients.push_back(g.empty() ? Variable(zeros(inputs[k].shape(), inputs[k].type())) : g);
  }
  return gradients;
}

Variable grad(const Variables& outputs, const Variable& input, const GradOptions& options) {
  return grad(outputs, Variables{input}, options)[0];
}

}  // namespace unroll
