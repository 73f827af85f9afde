// What a tape is made of: nodes (one per op call) and slots (one per recorded value) in linear
// memory. Internal: only the engine's own files and its reports look in here.
#pragma once

#include <limits>

#include <unroll/autograd/op.hpp>

namespace unroll {

/// Bump memory for closures and input lists, freed at once.
class Arena {
 public:
  void* take(std::size_t bytes, std::size_t alignment) {
    std::size_t start = (used_ + alignment - 1) & ~(alignment - 1);
    if (start + bytes > size_) return take_block(bytes);
    used_ = start + bytes;
    return memory_ + start;
  }
  /// Of all that it has taken itself.
  std::int64_t bytes() const { return bytes_of(blocks_); }
  static std::int64_t bytes_of(const std::vector<Ref<Buffer>>& blocks) {
    std::int64_t sum = 0;
    for (const Ref<Buffer>& block : blocks) sum += static_cast<std::int64_t>(block->bytes);
    return sum;
  }

 private:
  void* take_block(std::size_t bytes);
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
  std::vector<Ref<Buffer>> blocks_;
  std::size_t used_ = 0;
};

/// A vector whose elements never move: recording goes on while a sweep reads. It does not destroy
/// them.
template <class T>
class Chunked {
 public:
  static constexpr int kBits = 8, kChunk = 1 << kBits;

  int size() const { return size_; }
  T& operator[](int k) { return at(k); }
  const T& operator[](int k) const { return at(k); }
  /// Adds T{fields...}.
  template <class... Fields>
  T& push(Fields&&... fields) {
    if (next_ == end_) add_chunk();
    ++size_;
    return *new (next_++) T{static_cast<Fields&&>(fields)...};
  }
  std::int64_t bytes() const { return Arena::bytes_of(chunks_); }

 private:
  void add_chunk() {
    chunks_.push_back(Buffer::take(sizeof(T) * kChunk));
    starts_.push_back(reinterpret_cast<T*>(chunks_.back()->data()));
    next_ = starts_.back();
    end_ = next_ + kChunk;
  }
  T& at(int k) const { return starts_[static_cast<std::size_t>(k >> kBits)][k & (kChunk - 1)]; }
  std::vector<Ref<Buffer>> chunks_;
  std::vector<T*> starts_;
  T *next_ = nullptr, *end_ = nullptr;
  int size_ = 0;
};

struct NodeInput {
  Variable value;  ///< empty if not kept, and for leaves, which the tape keeps
  int slot = -1;   ///< -1 for constants
  std::uint32_t version = 0;
};

/// Where the gradients of a series of views lie within the gradient of what they are views of; or
/// that of a sum which took the place of a view, see share_gradient().
struct Alias {
  int root;    ///< -1: in that of the node's input, which itself is a strided part of another
  int shared;  ///< the sum that it is, or is a view of; -1 if none
  int first;   ///< slot of the series, which has consecutive ones
  Size offset, step;
  Shape strides;

  Size offset_of(int slot) const { return offset + (slot - first) * step; }
};

/// One call of an op. A node, a slot and a record fill whole cache lines: long tapes are as fast as
/// memory is.
struct alignas(64) Node {
  const char* name = "";
  const GradientFunction* function = nullptr;
  void* closure = nullptr;
  NodeInput* inputs = nullptr;  ///< and behind them the results, if kept
  int n_inputs = 0, n_results = 0;
  int first_slot = 0;           ///< results have consecutive slots
  int scope = 0;                ///< index into TapeImpl::scopes
  int origin = -1;              ///< the node whose gradient function recorded this one
  int step = -1;
  bool keeps_results = false;
  bool released = false;
  bool is_view = false;
  bool joint = false;  ///< a result may depend on others, which Backward::set_dy() is told about
  int again = std::numeric_limits<int>::max();  ///< the first slot with results of it, if joint,
                                                ///< that a gradient function has recorded again

  Variable* results() const {
    return keeps_results ? reinterpret_cast<Variable*>(inputs + n_inputs) : nullptr;
  }
  /// Lets go of the values and the closure.
  void release();
};
static_assert(sizeof(Node) == 64);

/// One recorded value.
struct alignas(64) Slot {
  int node = -1;  ///< of leaves, Parameters and watched inputs: -1 - place in TapeImpl::leaves
  std::uint32_t version = 0;
  [[no_unique_address]] Shape shape;
  Type type = float32;
  bool hooked = false;
  Alias* alias = nullptr;
  Ref<Shared> memo = {};  ///< see Op::memo
};
static_assert(sizeof(Slot) == 64);

/// A Parameter or a watched input, and its slot.
struct TapeLeaf {
  int slot;
  Variable variable;
};

struct Hook {
  int slot;
  Function<Variable(const Variable&)> f;
};

struct NodeTime {
  double forward = 0, backward = 0;  ///< seconds
};

/// While it lives ops compute as if the tape recorded them (dropout drops), but it only notes which
/// results it would have recorded. A younger tape records.
class NotingScope {
 public:
  NotingScope();
  ~NotingScope();
  NotingScope(const NotingScope&) = delete;

  const std::uint64_t number;  ///< that no other thread and no earlier one got, not 0
  const NotingScope* const outer;
};

struct TapeImpl {
  std::uint64_t serial = 0;
  const void* thread = nullptr;  ///< see this_thread()
  Tape* self = nullptr;
  Tape* outer = nullptr;
  bool outer_recording = false;
  const NotingScope* outer_noting = nullptr;
  Generator* generator = nullptr;
  TapeOptions options;
  Arena arena;
  Chunked<Node> nodes;
  Chunked<Slot> slots;
  int unreleased = 0;           ///< nodes
  bool long_shapes = false;     ///< some slot has a shape that lies on the heap
  std::vector<int> memo_slots;  ///< slots with a memo
  std::vector<int> parameter_slots;  ///< by the Parameter's dense number, -1 if not used yet
  std::vector<TapeLeaf> leaves;      ///< by slot, see Slot::node
  std::vector<std::string> scopes{""};
  std::vector<Hook> hooks;
  std::vector<NodeTime> times;  ///< with options.profile, by node
  int scope = 0;
  int origin = -1;
  Size step = -1;

  TapeImpl() = default;
  TapeImpl(const TapeImpl&) = delete;
  /// Taken by the nodes themselves, some tens of kilobytes at a time; values have their own.
  std::int64_t bytes_of_nodes() const { return arena.bytes() + nodes.bytes() + slots.bytes(); }
  ~TapeImpl();
  void release(Node& node);

  int slot_of_parameter(const Ref<Record>& record);
  int new_leaf(const Ref<Record>& record);
  /// The Parameter or watched input of a slot without a node.
  const Variable& leaf(int slot) const {
    return leaves[static_cast<std::size_t>(-1 - slots[slot].node)].variable;
  }
  /// A node's input; empty if it was not kept.
  const Variable& value_of(const NodeInput& in) const {
    return in.value.empty() && in.slot >= 0 && slots[in.slot].node < 0 ? leaf(in.slot) : in.value;
  }
  /// The slot of a value recorded here; throws Error("[op] ...") for any other.
  int slot_of(const char* op, const Variable& x) const;
  /// Throws unless called from the thread that made the tape.
  void check_thread(const char* op) const;
  /// "log of (2, 3) in encoder t=37": node, its inputs with their ranges, where it was recorded.
  std::string describe(const Node& node) const;
  void check_finite(const Node& node, const Array& a, const char* what) const;
};

/// Identifies the calling thread.
const void* this_thread();
/// The recording tape of this thread; nullptr if none or paused.
TapeImpl* recording_tape();
/// The number of the NotingScope in effect; 0 if none is.
std::uint64_t noting();
/// The tape of this thread that notes; nullptr if none does.
const TapeImpl* noting_tape();
/// Notes that the noting tape would have recorded this value: it is the tape's, without a slot.
void note_value(Record& record);
/// Throws unless a NotingScope that lives has noted the value: to another part it would be a
/// constant.
void check_noted(const char* op, const Record& record);
/// Throws because such a value is used where it would be a constant.
[[noreturn]] void fail_noted(const char* op, const Record& record);
/// Throws if a value recorded by another tape than the current one must not be used here.
void check_foreign(const char* op, const Record& record);
double seconds_now();
/// True if nobody else sees these numbers, so that they may be changed in place.
bool is_own(const Variable& g);
/// Of y, the result of the last node: its gradient lies where that of its summand in the slot `part`
/// does, a view that no other op takes, and so needs not be added there.
void share_gradient(const Variable& y, int part);

/// One pass from results to inputs, the loop behind backward() and grad().
class Sweep {
 public:
  /// Over the slots first..last. With targets, only what leads to them is computed; else all.
  Sweep(TapeImpl& tape, bool graph, bool retain, int first, int last,
        const std::vector<int>& targets);

  /// Adds to the gradient of a slot before the run.
  void seed(int slot, const Variable& gradient);
  /// The gradient of a leaf is added to these numbers, whoever else sees them.
  void add_into(int slot, const Array& sum);
  void run();
  /// The finished gradient of a leaf or target, after the run; empty if nothing arrived.
  Variable finish(int slot);

 private:
  friend class Backward;
  enum Flag : std::uint8_t {
    kNeeded = 1, kTarget = 2, kDeferred = 4, kFinished = 8, kOwn = 16
  };
  struct Pending {
    int slot;
    const void* tag;
    Ref<Deferred> deferred;
  };

  bool in_range(int slot) const { return slot >= first_ && slot <= last_; }
  Variable& gradient(int slot) { return gradients_[static_cast<std::size_t>(slot - first_)]; }
  std::uint8_t& flags(int slot) { return flags_[static_cast<std::size_t>(slot - first_)]; }
  bool needed(int slot) { return in_range(slot) && (flags(slot) & kNeeded); }
  void mark_needed(const std::vector<int>& targets);
  /// True if results depend on one of them that is a target.
  bool has_targets(const Node& node);
  void visit(int index);
  [[gnu::always_inline]] inline void prefetch(int index) const;
  /// Where the gradient of a slot lies within that of another; nullptr if it has a place of its own.
  const Alias* place(int slot) {
    const Alias* alias = aliasing_ ? tape_.slots[slot].alias : nullptr;
    return alias && needed(alias->root) ? alias : nullptr;  // slot -1 is needed by nobody
  }
  /// True for a sum that took the place of a view.
  bool is_shared(int slot) {
    const Alias* alias = place(slot);
    return alias && alias->shared == slot;
  }
  void give(const Node& node, int k, Variable&& gradient);
  /// True if the gradient of that node's result is where input k's is summed, see share_gradient().
  bool is_in_place(const Node& node, int k);
  /// Its gradient: made the sweep's own, unless that takes much memory, so that parts may be given.
  const Array& own_if_small(int slot);
  void give_part(const Node& node, int k, Array&& part);
  Backward::Target target(int slot);
  bool has_sum(int slot) {
    const Alias* alias = place(slot);
    return !gradient(alias ? alias->root : slot).empty();
  }
  bool owns(int slot) { return (flags(slot) & kOwn) || is_own(gradient(slot)); }
  void make_own(int slot);
  void flush(int slot);
  void call_hooks(int slot);
  void check_given(const Node& node);

  TapeImpl& tape_;
  bool graph_, retain_, aliasing_;
  int first_, last_;
  std::vector<Variable> gradients_;  ///< by slot
  std::vector<std::uint8_t> flags_;  ///< by slot
  std::vector<Pending> pending_;
};

}  // namespace unroll
