// What a layer does to its input, its weights and its outputs. Loops over layers are in
// recurrent_run.cpp and recurrent_stack.cpp.
#include <unroll/layers/recurrent_layer.hpp>

#include <algorithm>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll::detail {

namespace {

void check_probability(const char* name, double p) {
  if (!(p >= 0 && p < 1)) fail("recurrent", name, " is ", p, "; expected 0 <= p < 1.");
}

Variable merged(Merge merge, const Variable& f, const Variable& b, Size axis) {
  if (merge == Merge::concat) return concat({f, b}, axis);
  if (f.shape() != b.shape())
    fail("recurrent", "the outputs of the two directions are ", f.shape(), " and ", b.shape(),
         "; expected the same shape, or Merge::concat.");
  if (merge == Merge::mul) return f * b;
  return merge == Merge::sum ? f + b : 0.5 * (f + b);
}

/// x W^T + b of the features on that axis.
Variable linear_on(Size axis, const Variable& x, const Variable& W, const Variable& b) {
  if (axis == x.rank() - 1) return linear(x, W, b);
  std::vector<Size> swapped;
  for (Size k = 0; k < x.rank(); ++k) swapped.push_back(k);
  std::swap(swapped[static_cast<std::size_t>(axis)], swapped.back());
  return permute(linear(permute(x, swapped), W, b), swapped);
}

}  // namespace

void check_options(const RecurrentOptions& options) {
  if (options.layers < 1) fail("recurrent", "layers is ", options.layers, "; expected 1 or more.");
  check_probability("drop_connect_probability", options.drop_connect_probability);
  check_probability("dropout", options.dropout);
  check_probability("variational_dropout", options.variational_dropout);
  for (double p : options.zoneout) check_probability("zoneout", p);
}

LearnedStart::LearnedStart(const Variables& zero) {
  for (const Variable& v : zero) {
    // A count starts as it does without learning, and so does what begins empty.
    if (v.empty() || !is_float(v.type())) {
      values.emplace_back();
      continue;
    }
    const Array begin = v.value().copy();
    Shape shape = v.shape();
    if (shape.rank() == 0)
      fail("recurrent", "learned_initial: a value of the State is a single ", v.type(),
           "; expected floating numbers of shape (B, ...).");
    if (shape[0] != 1)
      fail("recurrent", "learned_initial: value ", values.size(), " of the State is ", shape,
           " for a batch of 1; expected the batch as its first axis.");
    shape.erase(0);
    values.push_back(parameter(join("value", values.size()), shape, [begin](Array& a, Generator&) {
      a.assign(begin[0].to(a.type()));
    }));
  }
}

HighwayGate::HighwayGate(Size width)
    : W(parameter("W", {width, width})), b(parameter("b", {width}, init::constant(-1))) {}

CellState LayerCell::start(CellState given) const {
  if (!learned) return given;
  const std::vector<Variable> values = given.values(), first = learned->values;
  if (values.empty()) return CellState(first);
  if (values.size() != first.size() || !has_gaps(given)) return given;
  std::size_t k = 0;
  for_each_value(given, [&](Variable& v) { v = values[k].empty() ? first[k] : values[k], ++k; });
  return given;
}

Variable Layer::read(const Variable& x, const Variable& mask) const {
  const Variable y = !first && options.dropout > 0 ? dropout(x, options.dropout) : x;
  if (mask.empty()) return y;
  return y * (mask.type() == y.type() ? mask : to(mask, y.type()));
}

Variable Layer::mask(const Shape& one_step, Type type) const {
  if (first || options.variational_dropout <= 0 || !Tape::recording()) return {};
  return dropout(ones(one_step, type), options.variational_dropout);
}

void Layer::check_step() const {
  if (!Tape::recording()) return;
  if (!options.drop_connect.empty())
    fail("recurrent", "DropConnect draws weights for all steps of a sequence, so step() cannot; ",
         "use over_time, or step without a tape.");
  if (!first && options.variational_dropout > 0)
    fail("recurrent",
         "variational dropout has one mask for all steps of a sequence, so step() cannot ",
         "draw it; use over_time, or step without a tape.");
}

Variable Layer::show(const Variable& x, const Variables& outputs, Size axis) const {
  Variable y = bidirectional() ? merged(options.merge, outputs[0], outputs[1], axis) : outputs[0];
  if (first || options.skip == Skip::none) return y;
  if (y.shape() != x.shape())
    fail("recurrent", "a layer's input is ", x.shape(), ", its output ", y.shape(),
         "; to go around it they must have the same shape.");
  if (options.skip == Skip::residual) return y + x;
  Variable t = sigmoid(linear_on(axis, x, gate->W, gate->b));
  return t * y + (1 - t) * x;
}

std::vector<Substitution::Pair> Layer::dropped_weights(const LayerCell& cell) const {
  std::vector<Substitution::Pair> pairs;
  if (options.drop_connect.empty() || !Tape::recording()) return pairs;
  const std::vector<NamedParameter> all = cell.cell->module().named_parameters();
  for (const std::string& name : options.drop_connect)
    for (const NamedParameter& p : all)
      if (p.name == name)
        pairs.push_back({p.parameter, dropout(p.parameter, options.drop_connect_probability)});
  return pairs;
}

}  // namespace unroll::detail
