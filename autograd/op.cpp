// Recording: the checks every op makes on its inputs, and the node it leaves on the tape.
// The backward side of a node is in sweep.cpp.
#include <unroll/autograd/op.hpp>

#include <algorithm>

#include <unroll/autograd/node.hpp>
#include <unroll/autograd/small.hpp>
#include <unroll/autograd/strided.hpp>
#include <unroll/autograd/substitution.hpp>

namespace unroll {

void* Arena::take_block(std::size_t bytes) {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  blocks_.push_back(Buffer::take(bytes > kBlock ? bytes : kBlock));
  memory_ = blocks_.back()->data();
  size_ = blocks_.back()->bytes;
  used_ = bytes;
  return memory_;
}

void Node::release() {
  if (function && function->destroy) function->destroy(closure);
  for (int k = 0; k < n_inputs; ++k) inputs[k].value = Variable();
  if (keeps_results)
    for (int k = 0; k < n_results; ++k) results()[k] = Variable();
  keeps_results = false;
}

Op::Op(const char* name, std::span<const Variable> inputs) : name_(name) {
  Small<const Variable*, kInline> list(inputs.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) list[k] = &inputs[k];
  check(list.data(), static_cast<int>(inputs.size()));
}

Op::~Op() {
  if (inputs_ != inline_) delete[] inputs_;
  delete widened_;
}

void Op::check(const Variable* const* list, int n) {
  struct Undo {  // an Op that throws here is never destroyed
    Op& op;
    bool armed = true;
    ~Undo() {
      if (!armed) return;
      if (op.inputs_ != op.inline_) delete[] op.inputs_;
      delete op.widened_;
    }
  } undo{*this};
  n_ = n;
  if (n > kInline) inputs_ = new Input[static_cast<std::size_t>(n)];
  TapeImpl* tape = recording_tape();
  const TapeImpl* noting = tape ? nullptr : noting_tape();
  if (tape && tape->options.profile) started_ = seconds_now();
  bool f32 = false, f64 = false;
  for (int k = 0; k < n; ++k) {
    const Variable& v = detail::read(*list[k]);
    if (v.empty()) fail(name_, "input ", k, " is empty; give it a value first.");
    const Record& record = *v.record();
    int slot = -1;
    if (const ParameterData* parameter = record.parameter()) {
      if (tape && !parameter->frozen) slot = tape->slot_of_parameter(v.record());
      noted_ |= noting && !parameter->frozen;
    } else if (record.tape != 0) {
      if (tape && record.tape == tape->serial) {
        slot = record.slot;
        if (slot < 0) fail_noted(name_, record);
      } else {
        check_foreign(name_, record);
      }
      if (noting && record.tape == noting->serial) {
        if (record.slot < 0) check_noted(name_, record);
        noted_ = true;
      }
    }
    inputs_[k] = {&v, slot};
    recorded_ |= slot >= 0;
    f32 |= record.value.type() == float32;
    f64 |= record.value.type() == float64;
  }
  type_ = f64 ? float64 : float32;
  if (f32 && f64) widen();
  undo.armed = false;
}

static thread_local constinit Memos* memos = nullptr;

Memos::Memos() {
  if (!memos) memos = this;
}
Memos::~Memos() {
  if (memos == this) memos = nullptr;
}

Ref<Shared>* Op::memo(int k) const {
  if (int slot = inputs_[k].slot; slot >= 0) {
    TapeImpl& tape = *recording_tape();
    if (!tape.slots[slot].memo) tape.memo_slots.push_back(slot);
    return &tape.slots[slot].memo;
  }
  if (!memos || !input(k).is_parameter()) return nullptr;
  for (Memos::Entry& e : memos->entries_)
    if (e.parameter == input(k).record()) return &e.memo;
  memos->entries_.push_back({input(k).record(), {}});
  return &memos->entries_.back().memo;
}

// A float32 constant among float64 values is exact when widened; anything else is a mistake.
void Op::widen() {
  widened_ = new std::vector<Variable>;
  widened_->reserve(static_cast<std::size_t>(n_));
  for (int k = 0; k < n_; ++k) {
    const Variable& v = input(k);
    if (v.type() != float32) continue;
    bool frozen = v.is_parameter() && v.record()->parameter()->frozen;
    if (inputs_[k].slot >= 0 || (v.is_parameter() && !frozen)) {
      std::string types;
      for (int j = 0; j < n_; ++j)
        types += join(j ? ", " : "", (*this)[j].type(), " ", (*this)[j].shape());
      fail(name_, "mixed element types: ", types, "; convert one side with to(float64).");
    }
    widened_->emplace_back(v.value().to(float64));
    inputs_[k].variable = &widened_->back();
  }
}

void Op::note(std::span<Variable> results) const {
  for (const Variable& y : results) note_value(*y.record());
}

void Op::store(std::span<Variable> results, const GradientFunction& function, void* closure,
               Keep keep) {
  TapeImpl& tape = *recording_tape();
  if (tape.options.keep_values || tape.options.anomaly) keep = Keep::all;
  bool keep_inputs = static_cast<int>(keep) & 1, keep_results = static_cast<int>(keep) & 2;

  // All memory first, in one block: a node that is on the tape is whole.
  auto n = static_cast<std::size_t>(n_);
  std::size_t lists = sizeof(NodeInput) * n + (keep_results ? sizeof(Variable) * results.size() : 0);
  std::size_t alignment = std::max(std::size_t{function.alignment}, alignof(NodeInput));
  std::size_t place = (lists + alignment - 1) & ~(alignment - 1);
  auto* memory = static_cast<std::byte*>(tape.arena.take(place + function.bytes, alignment));
  int index = tape.nodes.size(), slot = tape.slots.size();
  Node& node = tape.nodes.push(name_);
  ++tape.unreleased;
  for (const Variable& y : results) {
    const Array& value = y.record()->value;
    tape.slots.push(index, value.version(), value.shape(), value.type());
    tape.long_shapes |= value.rank() > Shape::kInline;
  }
  node.inputs = reinterpret_cast<NodeInput*>(memory);
  node.closure = memory + place;
  node.first_slot = slot;
  node.scope = tape.scope;
  node.step = static_cast<int>(tape.step);
  node.origin = tape.origin;
  node.keeps_results = keep_results;
  for (int k = 0; k < n_; ++k) {
    NodeInput& in = *new (node.inputs + k) NodeInput;
    const Input& given = inputs_[k];
    in.slot = given.slot;
    if (given.variable->empty()) continue;  // taken by the op
    in.version = given.variable->record()->value.version();
    if (given.slot < 0 || (keep_inputs && tape.slots[given.slot].node >= 0))
      in.value = *given.variable;
  }
  node.n_inputs = n_;
  for (const Variable& y : results) {
    y.record()->tape = tape.serial;
    y.record()->slot = slot++;
    if (keep_results) new (node.results() + node.n_results) Variable(y.record().copy_unseen());
    ++node.n_results;
  }
  function.move(node.closure, closure);
  node.function = &function;
  if (tape.options.profile) {
    tape.times.resize(static_cast<std::size_t>(index) + 1);
    tape.times.back().forward = seconds_now() - started_;
  }
  if (tape.options.anomaly)
    for (const Variable& y : results)
      if (kernel::has_nan(y.value()) || !is_infinity_meant())
        tape.check_finite(node, y.value(), "the value of ");
}

bool Op::is_infinity_meant() const {
  if (infinity_is_meant_) return true;
  const TapeImpl& tape = *recording_tape();
  for (int k = 0; k < n_; ++k) {
    const Input& in = inputs_[k];
    if (in.variable->empty()) continue;
    const Array& a = in.variable->value();
    const bool written = in.slot < 0 && a.rank() == 0,
               computed = in.slot >= 0 && tape.slots[in.slot].node >= 0;
    if ((written || computed) && !kernel::all_finite(a)) return true;
  }
  return false;
}

Variable add(const Variable& a, const Variable& b) {
  Op op("add", a, b);
  return op.record(kernel::add(op[0], op[1]), [](Backward& g) {
    g.give(0, g.dy());
    g.give(1, g.dy());
  }, Keep::nothing);
}

Variable as_read(const char* name, const Variable& x) {
  const Variable& read = detail::read(x);
  if (!detail::reading || !read.is_parameter()) return read;
  return view(name, x, [](const Array& a) { return a; });
}

Variable sum_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return as_read("sum_to", x);
  Op op("sum_to", x);
  return op.record(kernel::sum_to(op[0], shape), [](Backward& g) {
    g.give(0, broadcast_to(g.dy(), g.x_shape()));
  }, Keep::nothing);
}

Variable broadcast_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return as_read("broadcast_to", x);
  Op op("broadcast_to", x);
  return op.record(op[0].broadcast_to(shape), [](Backward& g) { g.give(0, g.dy()); },
                   Keep::nothing);
}

Variable contiguous(const Variable& x) {
  if (x.value().is_contiguous()) return as_read("contiguous", x);
  Op op("contiguous", x);
  return op.record(op[0].copy(), [](Backward& g) { g.give(0, g.dy()); }, Keep::nothing);
}

}  // namespace unroll
