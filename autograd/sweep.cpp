// The reverse sweep: a loop from the last node to the first, in which each node adds to the
// gradients of its inputs. How gradients are summed is here; what they are is the ops' business, where
// they go afterwards is in backward.cpp.
#include <algorithm>

#include <unroll/autograd/denormals.hpp>
#include <unroll/autograd/node.hpp>
#include <unroll/autograd/strided.hpp>
#include <unroll/autograd/substitution.hpp>

namespace unroll {

bool is_own(const Variable& g) {
  return g.record().unique() && g.value().buffer().unique() && g.value().is_contiguous();
}

Sweep::Sweep(TapeImpl& tape, bool graph, bool retain, int first, int last,
             const std::vector<int>& targets)
    : tape_(tape), graph_(graph), retain_(retain), first_(first), last_(last) {
  auto n = static_cast<std::size_t>(std::max(0, last - first + 1));
  gradients_.resize(n);
  flags_.assign(n, targets.empty() ? kNeeded : 0);
  // A view's gradient goes straight into that of its root, unless somebody wants to see it alone.
  aliasing_ = !graph && !tape.options.anomaly && !tape.options.keep_values;
  for (const Hook& hook : tape.hooks) aliasing_ &= !tape.slots[hook.slot].alias;
  for (int t : targets) aliasing_ &= !tape.slots[t].alias;
  mark_needed(targets);
}

void Sweep::mark_needed(const std::vector<int>& targets) {
  if (targets.empty()) return;
  for (int t : targets)
    if (in_range(t)) flags(t) |= kNeeded | kTarget;
  for (int slot = first_; slot <= last_; ++slot) {
    int index = tape_.slots[slot].node;
    if (index < 0) continue;
    const Node& node = tape_.nodes[index];
    if (node.first_slot != slot) continue;
    bool any = has_targets(node);
    for (int k = 0; k < node.n_inputs && !any; ++k) any = needed(node.inputs[k].slot);
    for (int k = 0; any && k < node.n_results && in_range(slot + k); ++k) flags(slot + k) |= kNeeded;
  }
}

bool Sweep::has_targets(const Node& node) {
  bool any = false;
  for (int k = 0; node.joint && k < node.n_results && !any; ++k)
    any = in_range(node.first_slot + k) && flags(node.first_slot + k) & kTarget;
  return any;
}

void Sweep::seed(int slot, const Variable& g) {
  Variable& sum = gradient(slot);
  if ((flags(slot) & kOwn) || is_shared(slot)) {
    Array own = target(slot).array;
    kernel::add_into(own, g.value());
  } else {
    sum = sum.empty() ? g : add(sum, g);
  }
}

void Sweep::add_into(int slot, const Array& sum) {
  if (!in_range(slot)) return;
  gradient(slot) = Variable(sum);
  flags(slot) |= kOwn;
}

// A long tape has left the cache when it is swept: nodes are asked for some time before their turn,
// then the record of a value that they keep, then its buffer. Always inline, as g++ leaves out calls
// of a function that seems to have no effect.
inline void Sweep::prefetch(int index) const {
  constexpr int kNode = 12, kRecord = 8, kBuffer = 4;
  auto record = [&](int k) -> const Record* {
    const Node& node = tape_.nodes[k];
    for (int i = 0; i < node.n_inputs; ++i)
      if (const Record* r = node.inputs[i].value.record().get()) return r;
    return node.keeps_results && node.n_results ? node.results()[0].record().get() : nullptr;
  };
  if (index >= kNode) __builtin_prefetch(tape_.nodes[index - kNode].inputs);
  if (index >= kRecord)
    if (const Record* r = record(index - kRecord)) {
      __builtin_prefetch(r, 1);
      __builtin_prefetch(&r->leaf, 1);
    }
  if (index >= kBuffer)
    if (const Record* r = record(index - kBuffer)) __builtin_prefetch(r->value.buffer().get(), 1);
}

void Sweep::run() {
  struct Restore {
    TapeImpl& tape;
    int origin = tape.origin, scope = tape.scope;
    Size step = tape.step;
    ~Restore() {
      tape.origin = origin;
      tape.scope = scope;
      tape.step = step;
    }
  } restore{tape_};
  detail::PlainReading recorded_values_only;
  FlushDenormals vanished_is_zero;
  int last = last_, first = first_;  // leaves are finished when asked for
  while (last >= first && tape_.slots[last].node < 0) --last;
  while (first < last && tape_.slots[first].node < 0) ++first;
  if (last < first) return;
  int least = tape_.slots[first].node;
  for (int index = tape_.slots[last].node; index >= least; --index) {
    prefetch(index);
    visit(index);
  }
}

void Sweep::visit(int index) {
  Node& node = tape_.nodes[index];
  int first = std::max(node.first_slot, first_);
  int end = std::min(node.first_slot + node.n_results, last_ + 1);
  bool any = false;
  for (int slot = first; slot < end; ++slot) {
    if (flags(slot) & kDeferred) flush(slot);
    if (!tape_.hooks.empty() && tape_.slots[slot].hooked) call_hooks(slot);
    any |= !gradient(slot).empty();
  }
  if (!any) return;
  bool wanted = has_targets(node);
  for (int k = 0; k < node.n_inputs && !wanted; ++k) wanted = needed(node.inputs[k].slot);
  if (wanted) {
    if (node.released)
      fail("backward", "the graph below ", node.name, " was released by an earlier backward; pass ",
           "{.retain_graph = true} to that one, or detach what is carried over (detach(state)).");
    double started = tape_.options.profile ? seconds_now() : 0;
    // What a gradient function records stands where its node does.
    tape_.origin = index;
    tape_.scope = node.scope;
    tape_.step = node.step;
    if (graph_ && node.joint) node.again = std::min(node.again, tape_.slots.size());
    Backward b(*this, node);
    node.function->invoke(node.closure, b);
    if (tape_.options.profile)
      tape_.times[static_cast<std::size_t>(index)].backward += seconds_now() - started;
    if (tape_.options.anomaly) check_given(node);
    if (!retain_) tape_.release(node);
  }
  for (int slot = first; slot < end; ++slot)
    if (!(flags(slot) & kTarget)) gradient(slot) = Variable();
}

void Sweep::check_given(const Node& node) {
  for (int k = 0; k < node.n_inputs; ++k) {
    int slot = node.inputs[k].slot;
    if (!needed(slot)) continue;
    if (flags(slot) & kDeferred) flush(slot);  // at once, so that this node is the one to blame
    if (!gradient(slot).empty())
      tape_.check_finite(node, gradient(slot).value(), "a gradient that comes out of ");
  }
}

void Sweep::give(const Node& node, int k, Variable&& g) {
  int slot = node.inputs[k].slot;
  if (!needed(slot)) return;
  const Slot& s = tape_.slots[slot];
  const Shape& from = g.shape();
  if (g.record()->value.type() != s.type)
    fail(node.name, "its gradient for input ", k, " is ", g.type(), ", the input is ", s.type, ".");
  bool same = from == s.shape;
  if (!same) {
    bool sums = from.rank() >= s.shape.rank();
    for (int a = 1; sums && a <= s.shape.rank(); ++a) {
      Size have = from[from.rank() - a], want = s.shape[s.shape.rank() - a];
      sums = have == want || want == 1;
    }
    if (!sums)
      fail(node.name, "its gradient for input ", k, " has shape ", from, "; expected ", s.shape,
           ", or one that it broadcasts to.");
  }
  if (is_in_place(node, k)) return;
  const bool alias = place(slot);
  Variable& sum = gradient(slot);
  if (graph_) {
    Variable part = same ? g : sum_to(g, s.shape);
    sum = sum.empty() ? part : add(sum, part);
  } else if (!alias && sum.empty()) {
    sum = same ? std::move(g) : Variable(kernel::sum_to(g.value(), s.shape));
  } else if (!alias && same && !owns(slot)) {
    sum = Variable(kernel::add(sum.value(), g.value()));
  } else {
    Backward::Target t = target(slot);
    kernel::add_into(t.array, g.value());
  }
}

bool Sweep::is_in_place(const Node& node, int k) {
  const int sum = node.first_slot, slot = node.inputs[k].slot;
  if (slot < 0 || !is_shared(sum)) return false;
  const Alias *mine = place(sum), *alias = place(slot);
  return alias && alias->shared < 0 && alias->root == mine->root &&
         alias->offset_of(slot) == mine->offset_of(sum);
}

const Array& Sweep::own_if_small(int slot) {
  constexpr Size kMostBytes = 1 << 20;
  const Array& g = gradient(slot).value();
  if (flags(slot) & kTarget) return g;
  if (g.size() * bytes_of(g.type()) <= kMostBytes) make_own(slot);
  if (owns(slot)) flags(slot) |= kOwn;  // though parts of it will be seen
  return gradient(slot).value();
}

void Sweep::give_part(const Node& node, int k, Array&& part) {
  const int slot = node.inputs[k].slot;
  if (!needed(slot)) return;
  if (place(slot) || !gradient(slot).empty()) return give(node, k, Variable(std::move(part)));
  const int whole = node.first_slot;
  const bool own = (flags(whole) & (kOwn | kTarget)) == kOwn && part.is_contiguous();
  gradient(slot) = Variable(std::move(part));
  if (own) flags(slot) |= kOwn;
}

// Replaces a gradient that others may see (an op may hand one array to two inputs) by a copy.
void Sweep::make_own(int slot) {
  Variable& sum = gradient(slot);
  if (!owns(slot)) sum = Variable(sum.value().copy());
}

Backward::Target Sweep::target(int slot) {
  const Slot& s = tape_.slots[slot];
  if (const Alias* alias = place(slot)) {
    const int root = alias->root;
    if (gradient(root).empty())
      gradient(root) = Variable(zeros(tape_.slots[root].shape, s.type));
    else
      make_own(root);
    // From now on views of it are seen, which change no more themselves.
    flags(root) |= kOwn;
    const Array& whole = gradient(root).value();
    if (const int sum = alias->shared; sum >= 0) {
      Variable& part = gradient(sum);
      if (part.empty()) {
        const Slot& of = tape_.slots[sum];
        part = Variable(whole.viewed_as(of.shape, of.alias->strides, of.alias->offset_of(sum)));
      }
      if (sum == slot) return {part.record()->value, true};
    }
    return Backward::Target(whole.viewed_as(s.shape, alias->strides, alias->offset_of(slot)));
  }
  bool accumulate = !gradient(slot).empty();
  if (accumulate) make_own(slot);
  else gradient(slot) = Variable(Array::uninitialised(s.shape, s.type));
  return {gradient(slot).record()->value, accumulate};
}

void Sweep::flush(int slot) {
  for (std::size_t k = 0; k < pending_.size();) {
    if (pending_[k].slot != slot) {
      ++k;
      continue;
    }
    Ref<Deferred> deferred = std::move(pending_[k].deferred);
    pending_[k] = std::move(pending_.back());
    pending_.pop_back();
    Backward::Target t = target(slot);
    deferred->flush(t.array, t.accumulate);
  }
  flags(slot) &= static_cast<std::uint8_t>(~kDeferred);
}

void Sweep::call_hooks(int slot) {
  if (gradient(slot).empty()) return;
  for (std::size_t k = 0; k < tape_.hooks.size(); ++k) {
    if (tape_.hooks[k].slot != slot) continue;
    Variable replaced = tape_.hooks[k].f(gradient(slot));
    if (replaced.empty()) continue;
    if (replaced.shape() != tape_.slots[slot].shape)
      fail("hook", "returned shape ", replaced.shape(), "; expected ", tape_.slots[slot].shape, ".");
    if (replaced.type() != tape_.slots[slot].type)
      fail("hook", "returned ", replaced.type(), "; expected ", tape_.slots[slot].type, ".");
    gradient(slot) = replaced;
    flags(slot) &= static_cast<std::uint8_t>(~kOwn);  // it is the hook's
  }
}

Variable Sweep::finish(int slot) {
  if (!in_range(slot)) return {};
  if (flags(slot) & kFinished) return gradient(slot);
  flags(slot) |= kFinished;
  FlushDenormals as_in_the_run;
  if (flags(slot) & kDeferred) flush(slot);
  if (tape_.slots[slot].node < 0 && tape_.slots[slot].hooked) call_hooks(slot);
  return gradient(slot);
}

}  // namespace unroll
