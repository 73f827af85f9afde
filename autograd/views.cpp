// Views of a value: one node for a series of them, and where their gradients lie in the gradient of
// what they are views of. The sweep that sums them is in sweep.cpp.
#include <unroll/autograd/node.hpp>
#include <unroll/autograd/op.hpp>
#include <unroll/autograd/strided.hpp>

namespace unroll {

struct ViewsGradient {
  void operator()(Backward& g) const {
    if (g.create_graph()) {
      Variables dys;
      std::vector<Array> geometries;
      for (int k = 0; k < g.results(); ++k) {
        dys.push_back(g.dy(k));
        geometries.push_back(g.geometry(k));
      }
      return g.give(0, scatter_views(dys, geometries, g.x_shape()));
    }
    // The geometries are those of a contiguous x; x's gradient may be a strided part of another.
    Backward::Target target = g.target(0);
    bool direct = target.array.is_contiguous();
    Array sum = direct ? target.array : Array(g.x_shape(), g.x_type());
    if (direct && !target.accumulate) sum.fill(0);
    for (int k = 0; k < g.results(); ++k)
      if (const Variable* dy = g.given(k)) {
        Array part = sum.viewed_as(g.geometry(k));
        kernel::add_into(part, dy->value());
      }
    if (direct) return;
    if (target.accumulate) kernel::add_into(target.array, sum);
    else target.array.assign(sum);
  }
};

namespace {

/// Where gradients of views of a slot lie: the gradient of a view of a contiguous view lies in the
/// gradient of the first of them.
struct Root {
  int slot, shared = -1;
  Size start = 0;

  Root(const TapeImpl& tape, int input) : slot(input) {
    const Slot& whole = tape.slots[input];
    const Alias* outer = whole.alias;
    if (!outer || outer->root < 0) return;
    const bool dense = Array::layout(whole.shape, outer->strides, 0, whole.type).is_contiguous();
    slot = dense ? outer->root : -1;
    shared = dense ? outer->shared : -1;
    start = dense ? outer->offset_of(input) : 0;
  }
  Alias alias_of(const Series& s, int first) const {
    return {slot, shared, first, start + s.first.offset(), s.step, s.first.strides()};
  }
};

}  // namespace

std::vector<Variable> views(const char* name, const Variable& x, const std::vector<Series>& values,
                            const std::vector<Series>& geometries) {
  Op op(name, x);
  const bool given = !values.empty() && op[0].raw() == x.value().raw();  // not from the Parameter
  Size count = 0;
  for (const Series& s : geometries) count += s.count;
  std::vector<Variable> results;
  results.reserve(static_cast<std::size_t>(count));
  for (const Series& s : given ? values : geometries)
    if (s.count > 0) (given ? s.first : op[0].viewed_as(s.first)).add_moved(s.step, s.count, results);
  op.record(std::span<Variable>(results), ViewsGradient(), Keep::nothing);
  if (!op.recorded()) return results;
  TapeImpl& tape = *recording_tape();
  Node& node = tape.nodes[tape.nodes.size() - 1];
  node.is_view = true;
  const Root root(tape, op.inputs_[0].slot);
  auto* alias = static_cast<Alias*>(
      tape.arena.take(sizeof(Alias) * geometries.size(), alignof(Alias)));
  int slot = node.first_slot;
  for (const Series& s : geometries) {
    new (alias) Alias(root.alias_of(s, slot));
    for (Size k = 0; k < s.count; ++k) tape.slots[slot++].alias = alias;
    ++alias;
  }
  return results;
}

// The node is recorded with x as its input and gets the rows instead. Results that are kept would lie
// behind its input: with such tapes the rows are used one by one.
Variable rows_together(const Variable& x, Size first, Size end, int slot) {
  Op op("rows", x);
  const auto n = static_cast<std::size_t>(end - first);
  NodeInput* inputs = nullptr;
  Alias* alias = nullptr;
  if (op.recorded()) {  // before there is a node, which nothing may leave half made
    TapeImpl& tape = *recording_tape();
    inputs = static_cast<NodeInput*>(tape.arena.take(sizeof(NodeInput) * n, alignof(NodeInput)));
    for (std::size_t k = 0; k < n; ++k) new (inputs + k) NodeInput{{}, slot + static_cast<int>(k)};
    const Array geometry = Array::layout(x.shape(), contiguous_strides(x.shape()), 0, x.type());
    const Root root(tape, op.inputs_[0].slot);
    alias = new (tape.arena.take(sizeof(Alias), alignof(Alias)))
        Alias(root.alias_of({geometry.sliced(0, first, end)}, 0));
  }
  Variable y = op.record(op[0].sliced(0, first, end), [](Backward& b) {
    const std::vector<Variable> dys = views("unstack", b.dy(), [](const Array& dy) {
      return std::vector<Series>{{dy.select(0, 0), dy.strides()[0], dy.shape()[0]}};
    });
    for (int k = 0; k < b.inputs(); ++k) b.give(k, dys[static_cast<std::size_t>(k)]);
  }, Keep::nothing);
  if (!alias) return y;
  TapeImpl& tape = *recording_tape();
  Node& node = tape.nodes[tape.nodes.size() - 1];
  node.is_view = true;
  node.inputs = inputs;
  node.n_inputs = static_cast<int>(n);
  alias->first = node.first_slot;
  tape.slots[node.first_slot].alias = alias;
  return y;
}

void share_gradient(const Variable& y, int part) {
  TapeImpl& tape = *recording_tape();
  const Alias* alias = tape.slots[part].alias;
  if (!alias || alias->root < 0 || alias->shared >= 0) return;
  void* memory = tape.arena.take(sizeof(Alias), alignof(Alias));
  const int slot = y.record()->slot;
  tape.slots[slot].alias =
      new (memory) Alias{alias->root, slot, slot, alias->offset_of(part), 0, alias->strides};
}

Variable scatter_views(const Variables& xs, const std::vector<Array>& geometries,
                       const Shape& shape) {
  Op op("scatter_views", xs);
  Array y(shape, op.type());
  for (int k = 0; k < op.inputs(); ++k) {
    Array part = y.viewed_as(geometries[static_cast<std::size_t>(k)]);
    kernel::add_into(part, op[k]);
  }
  return op.record(std::move(y), [geometries](Backward& g) {
    Variable dy = g.dy();
    dy = contiguous(dy);
    std::vector<Series> one_by_one;
    for (const Array& a : geometries) one_by_one.push_back({a});
    std::vector<Variable> parts = views("views", dy, {}, one_by_one);
    for (int k = 0; k < g.inputs(); ++k) g.give(k, parts[static_cast<std::size_t>(k)]);
  }, Keep::nothing);
}

Variable Variable::operator[](Size i) const {
  if (rank() == 0) fail("index", "a scalar () has no axis to index.");
  return view("index", *this, [i](const Array& a) { return a[i]; });
}

}  // namespace unroll
