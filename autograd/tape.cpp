// Tapes, their nesting, and what is a leaf. The sweep over a tape is in sweep.cpp, the recording
// of ops in op.cpp.
#include <unroll/autograd/tape.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>

#include <unroll/autograd/node.hpp>
#include <unroll/autograd/strided.hpp>

namespace unroll {

namespace {

struct ThreadState {
  Tape* tape = nullptr;
  bool recording = false;
  const NotingScope* noting = nullptr;
};
thread_local constinit ThreadState state;

// Which tapes are alive, for telling a dead tape's value (a constant) from another thread's.
struct LiveTape {
  std::uint64_t serial;
  const void* thread;
};
std::mutex live_mutex;
std::vector<LiveTape> live_tapes;
std::atomic<std::uint64_t> next_serial{1}, next_noting{1};

const void* thread_of_live(std::uint64_t serial) {
  std::lock_guard lock(live_mutex);
  for (const LiveTape& t : live_tapes)
    if (t.serial == serial) return t.thread;
  return nullptr;
}

}  // namespace

const void* this_thread() { return &state; }

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TapeImpl* recording_tape() {
  return state.recording && !state.noting ? &state.tape->impl() : nullptr;
}

NotingScope::NotingScope() : number(next_noting++), outer(std::exchange(state.noting, this)) {}
NotingScope::~NotingScope() { state.noting = outer; }

std::uint64_t noting() { return state.recording && state.noting ? state.noting->number : 0; }
const TapeImpl* noting_tape() { return noting() ? &state.tape->impl() : nullptr; }
void fail_noted(const char* op, const Record& record) {
  fail(op, "a value ", record.value.shape(), " belongs to what the backward pass computes again, which is ",
       "recorded only then; let it be a result, or part of the State, pass detach(x), or use ",
       "over_time without recompute_every and memory_budget.");
}

namespace {

/// What a noted value has instead of a slot: negative, and its own for the next 2^30 scopes.
int slot_of_noted(const NotingScope& scope) {
  return -2 - static_cast<int>(scope.number % (1 << 30));
}

}  // namespace

void note_value(Record& record) {
  record.tape = state.tape->impl().serial;
  record.slot = slot_of_noted(*state.noting);
}

void check_noted(const char* op, const Record& record) {
  for (const NotingScope* scope = state.noting; scope; scope = scope->outer)
    if (record.slot == slot_of_noted(*scope)) return;
  fail_noted(op, record);
}


void check_foreign(const char* op, const Record& record) {
  const TapeImpl* here = state.tape ? &state.tape->impl() : nullptr;
  if (here && here->serial == record.tape) return;
  const void* owner = thread_of_live(record.tape);
  if (owner && owner != this_thread())
    fail(op, "a value ", record.value.shape(), " belongs to a tape that is alive in another thread; ",
         "pass detach(x), or record it on a tape of this thread.");
  if (here && record.tape > here->serial)
    fail(op, "a value ", record.value.shape(), " was recorded on an inner or younger tape than the one ",
         "that records now, so its gradient would be lost; pass detach(x) if it is a constant.");
}

Tape::Tape(TapeOptions options) : impl_(new TapeImpl) {
  impl_->serial = next_serial++;
  impl_->thread = this_thread();
  impl_->self = this;
  impl_->options = options;
  impl_->outer = state.tape;
  impl_->outer_recording = state.recording;
  impl_->outer_noting = state.noting;
  {
    std::lock_guard lock(live_mutex);
    live_tapes.push_back({impl_->serial, impl_->thread});
  }
  state = {this, true, nullptr};
}

Tape::Tape(Generator& generator, TapeOptions options) : Tape(options) {
  impl_->generator = &generator;
}

Tape::~Tape() {
  if (state.tape == this) {
    state = {impl_->outer, impl_->outer_recording, impl_->outer_noting};
  } else {  // destroyed out of order: the younger tapes skip this one
    for (Tape* t = state.tape; t; t = t->impl_->outer)
      if (t->impl_->outer == this) {
        t->impl_->outer = impl_->outer;
        t->impl_->outer_recording = impl_->outer_recording;
        t->impl_->outer_noting = impl_->outer_noting;
      }
  }
  {
    std::lock_guard lock(live_mutex);
    std::erase_if(live_tapes, [&](const LiveTape& t) { return t.serial == impl_->serial; });
  }
  delete impl_;
}

Tape* Tape::current() { return state.tape; }
bool Tape::recording() { return state.recording; }
Generator* Tape::generator() { return state.recording ? state.tape->impl_->generator : nullptr; }
Size Tape::nodes() const { return impl_->nodes.size(); }

bool detail::set_recording(bool on) {
  bool before = state.recording;
  state.recording = on && state.tape;
  return before;
}

Variable Tape::watch(const Variable& x) {
  impl_->check_thread("watch");
  if (!is_float(x.type())) fail("watch", "elements are int64, which have no gradients.");
  if (x.record()->tape != 0 && x.record()->tape != impl_->serial) check_foreign("watch", *x.record());
  Variable watched(x.value());
  impl_->new_leaf(watched.record());
  return watched;
}

void Tape::hook(const Variable& x, Function<Variable(const Variable&)> f) {
  impl_->check_thread("hook");
  int slot = x.is_parameter() ? impl_->slot_of_parameter(x.record()) : impl_->slot_of("hook", x);
  impl_->slots[slot].hooked = true;
  impl_->hooks.push_back({slot, std::move(f)});
}

// To read a long tape once more takes as long as a part of recording it; most need it not.
TapeImpl::~TapeImpl() {
  for (int k = 0; unreleased > 0; ++k) release(nodes[k]);
  for (int slot : memo_slots) slots[slot].memo = nullptr;
  for (int k = 0; long_shapes && k < slots.size(); ++k) {
    if (Alias* alias = slots[k].alias; alias && alias->first == k) alias->~Alias();
    slots[k].~Slot();
  }
}

void TapeImpl::release(Node& node) {
  if (node.released) return;
  node.released = true;
  --unreleased;
  node.release();
}

int TapeImpl::new_leaf(const Ref<Record>& record) {
  const Array& value = record->value;
  int number = slots.size();
  leaves.push_back({number, Variable(record)});
  slots.push(-static_cast<int>(leaves.size()), value.version(), value.shape(), value.type());
  long_shapes |= value.rank() > Shape::kInline;
  if (record->leaf) return number;  // a Parameter: nothing is written to it, see Record
  record->leaf = new Leaf;
  record->tape = serial;
  record->slot = number;
  return number;
}

int TapeImpl::slot_of_parameter(const Ref<Record>& record) {
  auto number = static_cast<std::size_t>(record->leaf->number);
  if (number >= parameter_slots.size()) parameter_slots.resize(number + 16, -1);
  int& slot = parameter_slots[number];
  // A number is handed out again when its Parameter has gone; a leaf keeps its record alive, so a
  // slot found here is this Parameter's.
  if (slot < 0) slot = new_leaf(record);
  return slot;
}

int TapeImpl::slot_of(const char* op, const Variable& x) const {
  if (x.empty()) fail(op, "the value is empty.");
  const Record& record = *x.record();
  if (const ParameterData* parameter = record.parameter()) {
    auto number = static_cast<std::size_t>(parameter->number);
    if (number < parameter_slots.size()) return parameter_slots[number];
    return -1;
  }
  if (record.tape == serial) {
    if (record.slot < 0) fail_noted(op, record);
    return record.slot;
  }
  if (record.tape == 0)
    fail(op, "a value ", record.value.shape(), " is not recorded: it depends on no Parameter or watched ",
         "input, but for frozen ones, values of another tape, which are constants here, or what has no ",
         "gradient, such as comparisons; was computed while no tape was recording; or is a gradient ",
         "that was asked for without create_graph.");
  check_foreign(op, record);
  fail(op, "a value ", record.value.shape(), " was recorded on a tape that no longer exists; ",
       "call backward or grad while that tape is alive.");
}

void TapeImpl::check_thread(const char* op) const {
  if (thread != this_thread())
    fail(op, "called from another thread than the one that made the tape; a tape belongs to one ",
         "thread, make one in each.");
}

static std::string brief(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

std::string TapeImpl::describe(const Node& node) const {
  std::string text = node.name;
  for (int k = 0; k < node.n_inputs; ++k) {
    const NodeInput& in = node.inputs[k];
    text += k ? ", " : "(";
    const Variable& x = value_of(in);
    if (x.empty()) {
      text += slots[in.slot].shape.text();
      continue;
    }
    if (x.is_parameter()) text += Parameter(x).name() + " ";
    text += x.shape().text();
    if (is_float(x.type()) && x.size() > 0) {
      std::vector<double> v = x.value().to_vector<double>();
      double low = v[0], high = v[0];
      Size bad = 0;
      for (double e : v) {
        if (!(low <= e)) low = e;
        if (!(high >= e)) high = e;
        bad += !(e - e == 0);
      }
      if (bad == 0) text += " in [" + brief(low) + ", " + brief(high) + "]";
      else text += join(" with ", bad, " not finite");
    }
  }
  if (node.n_inputs) text += ")";
  if (node.origin >= 0) text += join(" in the gradient of ", nodes[node.origin].name);
  const std::string& scope_name = scopes[static_cast<std::size_t>(node.scope)];
  if (!scope_name.empty()) text += " at " + scope_name;
  if (node.step >= 0) text += join(scope_name.empty() ? " at t=" : " t=", node.step);
  return text;
}

void TapeImpl::check_finite(const Node& node, const Array& a, const char* what) const {
  if (!kernel::all_finite(a)) fail("anomaly", what, describe(node), " is not finite.");
}

Scope::Scope(std::string_view label) : tape_(Tape::current()) {
  if (!tape_) return;
  TapeImpl& impl = tape_->impl();
  label_before_ = impl.scope;
  step_before_ = impl.step;
  if (label.empty()) return;
  const std::string& outer = impl.scopes[static_cast<std::size_t>(impl.scope)];
  std::string name = outer.empty() ? std::string(label) : outer + "/" + std::string(label);
  auto found = std::find(impl.scopes.begin(), impl.scopes.end(), name);
  impl.scope = static_cast<int>(found - impl.scopes.begin());
  if (found == impl.scopes.end()) impl.scopes.push_back(std::move(name));
}

namespace {
/// True if the tape still stands in this thread; a Scope may outlive it.
bool is_standing(const Tape* tape) {
  const Tape* t = tape ? Tape::current() : nullptr;
  while (t && t != tape) t = t->impl().outer;
  return t != nullptr;
}
}  // namespace

Scope::~Scope() {
  if (!is_standing(tape_)) return;
  tape_->impl().scope = label_before_;
  tape_->impl().step = step_before_;
}

void Scope::step(Size t) {
  if (is_standing(tape_)) tape_->impl().step = t;
}

}  // namespace unroll
