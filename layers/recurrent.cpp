// Layers and directions of erased cells; one cell over a sequence is over_time.cpp's.
#include <unroll/layers/recurrent.hpp>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

// xs (T, B, ...) or, within a loop by hand, one step (B, ...).
Variable drop(const Variable& x, double p, double variational, bool one_step) {
  Variable y = p > 0 ? dropout(x, p) : x;
  if (variational <= 0 || !Tape::recording()) return y;
  if (one_step)
    fail("recurrent",
         "variational dropout has one mask for all steps of a sequence, so step() cannot ",
         "draw it; use over_time, or step without a tape.");
  Shape shape = y.shape();
  shape[0] = 1;
  return y * dropout(ones(shape, y.type()), variational);
}

void check_probability(const char* name, double p) {
  if (!(p >= 0 && p < 1)) fail("recurrent", name, " is ", p, "; expected 0 <= p < 1.");
}

}  // namespace

namespace detail {

void fail_values(const std::string& label, std::size_t given, std::size_t expected) {
  fail(label, "the state given for it has ", given, " values; expected ", expected, ".");
}

void RecurrentBuilder::check(const RecurrentOptions& options) {
  if (options.layers < 1) fail("recurrent", "layers is ", options.layers, "; expected 1 or more.");
  check_probability("dropout", options.dropout);
  check_probability("variational_dropout", options.variational_dropout);
}

void RecurrentBuilder::add(Recurrent& to, Size layer, Ref<AnyCell> forward, Ref<AnyCell> backward,
                           const RecurrentOptions& options) {
  Recurrent::Between before;
  if (layer > 0) before = {options.dropout, options.variational_dropout};
  to.add_layer(std::move(forward), std::move(backward), before);
}

void RecurrentBuilder::append(Recurrent& to, Recurrent&& from) {
  for (Recurrent::Layer& l : from.layers_)
    to.add_layer(std::move(l.forward), std::move(l.backward), l.before);
  from.layers_.clear();
}

}  // namespace detail

void Recurrent::add_layer(Ref<detail::AnyCell> forward, Ref<detail::AnyCell> backward,
                          Between before) {
  std::string name = join("layer", layers());
  register_submodule(name, forward->module());
  if (backward) register_submodule(name + "_reverse", backward->module());
  layers_.push_back({std::move(forward), std::move(backward), before});
}

bool Recurrent::is_bidirectional() const { return cells() > layers(); }

Size Recurrent::cells() const {
  Size count = 0;
  for (const Layer& l : layers_) count += l.cells();
  return count;
}

void Recurrent::check_state(const State& s) const {
  if (layers_.empty())
    fail("recurrent", "has no layers; assign one, or use recurrent<LSTM>(in, hidden).");
  if (!s.cells.empty() && static_cast<Size>(s.cells.size()) != cells())
    fail("recurrent", "the state given for it holds ", s.cells.size(), " cells; expected ", cells(),
         ", or none for zeros.");
}

Recurrent::State Recurrent::step(const Variable& x, const State& s) const {
  check_state(s);
  if (is_bidirectional())
    fail("recurrent",
         "step() cannot run backward cells, which start at the end of a sequence; use ",
         "over_time, or a Recurrent that is not bidirectional.");
  Scope scope(detail::label_of(*this));
  State next;
  Variable y = x;
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    const Layer& l = layers_[k];
    Scope inner(l.forward->module().name());
    y = drop(y, l.before.dropout, l.before.variational_dropout, true);
    next.cells.push_back(l.forward->step(y, s.cells.empty() ? CellState() : s.cells[k]));
    if (k + 1 < layers_.size()) y = l.forward->output(next.cells.back());
  }
  return next;
}

Variable Recurrent::output(const State& s) const {
  check_state(s);
  if (s.cells.empty()) fail("recurrent", "an empty state has no output; call step() first.");
  const Layer& top = layers_.back();
  if (!top.backward) return top.forward->output(s.cells.back());
  return concat(
      {top.forward->output(s.cells[s.cells.size() - 2]), top.backward->output(s.cells.back())});
}

Recurrent::State Recurrent::zero_state(const Variable& x) const { return initial_state(*this, x); }

Recurrent::State initial_state(const Recurrent& recurrent, const Variable& x,
                               const Recurrent::State& given) {
  recurrent.check_state(given);
  Recurrent::State start;
  Variable input = x;
  for (const Recurrent::Layer& l : recurrent.layers_) {
    auto begin = [&](const Ref<detail::AnyCell>& cell) {
      CellState g = given.cells.empty() ? CellState() : given.cells[start.cells.size()];
      start.cells.push_back(cell->start(input, g));
      return cell->output(start.cells.back());
    };
    // The output of a state at the start has the shape of the next layer's input.
    Variable y = begin(l.forward);
    if (l.backward) y = concat({y, begin(l.backward)});
    input = y;
  }
  return start;
}

RecurrentStates over_time(const Recurrent& recurrent, const Variable& xs,
                          const OverTimeOptions<Recurrent::State>& options) {
  recurrent.check_state(options.initial);
  RecurrentStates result;
  result.label_ = detail::label_of(recurrent);
  Scope scope(result.label_);
  Variable input = xs;
  std::size_t number = 0;
  for (const Recurrent::Layer& l : recurrent.layers_) {
    bool top = &l == &recurrent.layers_.back();
    input = drop(input, l.before.dropout, l.before.variational_dropout, false);
    auto run = [&](const Ref<detail::AnyCell>& cell, bool backward) {
      OverTimeOptions<CellState> o{.keep_states = options.keep_states || !top,
                                   .lengths = options.lengths,
                                   .mask = options.mask,
                                   .reverse = options.reverse != backward};
      if (!options.initial.cells.empty()) o.initial = options.initial.cells[number];
      ++number;
      result.cells_.push_back(cell->over_time(input, o));
      result.last_.cells.push_back(result.cells_.back()->last());
    };
    run(l.forward, false);
    if (l.backward) run(l.backward, true);
    result.top_cells_ = l.cells();
    if (!top) input = result.newest_outputs(l.cells());
  }
  result.steps_ = xs.size(0);
  if (!options.keep_states) result.cells_.clear();
  return result;
}

Variable RecurrentStates::newest_outputs(Size count) const {
  Variable y = cells_.back()->outputs();
  return count == 1 ? y : concat({cells_[cells_.size() - 2]->outputs(), y});
}

void RecurrentStates::check_kept(Size t) const {
  detail::check_kept(label_, cells_.empty() ? std::size_t(-1) : static_cast<std::size_t>(steps_),
                     steps_, t);
}

Recurrent::State RecurrentStates::operator[](Size t) const {
  check_kept(t);
  Recurrent::State state;
  for (const auto& c : cells_) state.cells.push_back(c->at(t));
  return state;
}

const Variable& RecurrentStates::outputs() const {
  check_kept();
  return outputs_.get([&] {
    Scope scope(label_);
    return newest_outputs(top_cells_);
  });
}

Recurrent::State RecurrentStates::all() const {
  check_kept();
  Recurrent::State state;
  for (const auto& c : cells_) state.cells.push_back(c->all());
  return state;
}

}  // namespace unroll
