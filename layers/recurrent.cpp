// Layers and directions of erased cells; one cell over a sequence is over_time.cpp's.
#include <unroll/layers/recurrent.hpp>

#include <algorithm>

namespace unroll {

namespace detail {

void fail_values(const std::string& label, std::size_t given, std::size_t expected) {
  fail(label, "the state given for it has ", given, " values; expected ", expected, ".");
}

namespace {

void check_names(const std::vector<std::string>& names, const Module& module) {
  for (const std::string& name : names) {
    std::string known;
    bool found = false;
    for (const NamedParameter& p : module.named_parameters()) {
      known += (known.empty() ? "" : ", ") + p.name;
      found |= p.name == name;
    }
    if (!found)
      fail("recurrent", "drop_connect: a cell has no Parameter ", name, "; it has ", known, ".");
  }
}

void check_input(const char* option, const Layer& layer) {
  if (layer.in == 0)
    fail("recurrent", option, " needs the size of a cell's input; give the cell a member `Size in`, ",
         "as a Cell has.");
}

}  // namespace

void RecurrentBuilder::add(Recurrent& to, Size in, Ref<AnyCell> forward, Ref<AnyCell> backward,
                           const RecurrentOptions& options) {
  Layer layer{.in = in > 0 ? in : forward->input_size(), .options = options};
  for (const Ref<AnyCell>& cell : {forward, backward}) {
    if (!cell) continue;
    check_names(options.drop_connect, cell->module());
    Ref<LearnedStart> learned;
    if (options.learned_initial) {
      check_input("learned_initial", layer);
      learned = Ref<LearnedStart>(new LearnedStart(cell->start(zeros({1, layer.in}), {}).values()));
    }
    layer.cells.push_back({cell, learned});
  }
  to.add_layer(std::move(layer));
}

void RecurrentBuilder::check_stacked(const RecurrentOptions& options) {
  check_options(options);
  if (options.layers != 1 || options.bidirectional || options.merge != Merge::concat)
    fail("recurrent", "stacked() has the layers that it is given, each in its directions; expected ",
         "options without layers, bidirectional and merge.");
}

void RecurrentBuilder::append(Recurrent& to, Recurrent&& from) {
  for (Layer& l : from.layers_) to.add_layer(std::move(l));
  from.layers_.clear();
}

void RecurrentBuilder::append(Recurrent& to, Recurrent&& from, const RecurrentOptions& options) {
  for (const Layer& l : from.layers_) {
    const RecurrentOptions made{.bidirectional = l.options.bidirectional,
                                .layers = l.options.layers,
                                .merge = l.options.merge};
    if (l.options != made)
      fail("recurrent", "stacked() with options was given a Recurrent that has some of its own; ",
           "expected all of them in one place.");
    RecurrentOptions all = options;
    all.merge = l.options.merge;
    add(to, l.in, l.cells[0].cell, l.bidirectional() ? l.cells[1].cell : Ref<AnyCell>(), all);
  }
  from.layers_.clear();
}

}  // namespace detail

void Recurrent::add_layer(Ref<detail::AnyCell> cell) {
  detail::Layer layer{.in = cell->input_size()};
  layer.cells.push_back({std::move(cell), {}});
  add_layer(std::move(layer));
}

void Recurrent::add_layer(detail::Layer layer) {
  layer.first = layers_.empty();
  if (layer.options.skip == Skip::highway && !layer.first && !layer.gate) {
    detail::check_input("Skip::highway", layer);
    layer.gate = Ref<detail::HighwayGate>(new detail::HighwayGate(layer.in));
  }
  std::string name = join("layer", layers());
  for (std::size_t k = 0; k < layer.cells.size(); ++k) {
    detail::LayerCell& c = layer.cells[k];
    std::string cell_name = name + (k == 0 ? "" : "_reverse");
    register_submodule(cell_name, c.cell->module());
    if (c.learned) register_submodule(cell_name + "_initial", *c.learned);
  }
  if (layer.gate) register_submodule(name + "_highway", *layer.gate);
  layers_.push_back(std::move(layer));
}

bool Recurrent::is_bidirectional() const { return cells() > layers(); }

Size Recurrent::cells() const {
  Size count = 0;
  for (const detail::Layer& l : layers_) count += static_cast<Size>(l.cells.size());
  return count;
}

void Recurrent::check_state(const State& s) const {
  if (layers_.empty())
    fail("recurrent", "has no layers; assign one, or use recurrent<LSTM>(in, hidden).");
  if (!s.cells.empty() && static_cast<Size>(s.cells.size()) != cells())
    fail("recurrent", "the state given for it holds ", s.cells.size(), " cells; expected ", cells(),
         ", or none for zeros.");
}

CellState Recurrent::start_of(const detail::LayerCell& cell, const State& given, std::size_t k) {
  return cell.start(given.cells.empty() ? CellState() : given.cells[k]);
}

Recurrent::State Recurrent::step(const Variable& x, const State& s) const {
  check_state(s);
  if (is_bidirectional())
    fail("recurrent",
         "step() cannot run backward cells, which start at the end of a sequence; use ",
         "over_time, or a Recurrent that is not bidirectional.");
  Scope scope(detail::label_of(*this));
  State next;
  Variable input = x;
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    const detail::Layer& l = layers_[k];
    detail::AnyCell& cell = *l.cells[0].cell;
    Scope inner(cell.module().name());
    const Variable seen = l.read(input, true);
    next.cells.push_back(cell.step(seen, start_of(l.cells[0], s, k), l.options.zoneout));
    if (k + 1 < layers_.size()) input = l.show(input, {cell.output(next.cells.back())});
  }
  return next;
}

Variable Recurrent::output(const State& s) const {
  check_state(s);
  if (s.cells.empty()) fail("recurrent", "an empty state has no output; call step() first.");
  // What goes around a layer are the outputs of the one below it.
  Variable shown;
  std::size_t k = 0;
  for (const detail::Layer& l : layers_) {
    Variables outputs;
    for (const detail::LayerCell& c : l.cells) outputs.push_back(c.cell->output(s.cells[k++]));
    shown = l.show(shown, outputs);
  }
  return shown;
}

Recurrent::State Recurrent::zero_state(const Variable& x) const { return initial_state(*this, x); }

Recurrent::State initial_state(const Recurrent& recurrent, const Variable& x,
                               const Recurrent::State& given) {
  recurrent.check_state(given);
  Recurrent::State start;
  Variable input = x;
  for (const detail::Layer& l : recurrent.layers_) {
    // The output of a state at the start has the shape of the next layer's input.
    Variables outputs;
    for (const detail::LayerCell& c : l.cells) {
      start.cells.push_back(
          c.cell->start(input, Recurrent::start_of(c, given, start.cells.size())));
      outputs.push_back(c.cell->output(start.cells.back()));
    }
    input = l.show(input, outputs);
  }
  return start;
}

/// 0 stays 0, which is no limit.
static Size share_of(Size budget, Size cells) {
  return budget > 0 ? std::max<Size>(1, budget / cells) : budget;
}

RecurrentStates over_time(const Recurrent& recurrent, const Variable& xs,
                          const OverTimeOptions<Recurrent::State>& options) {
  recurrent.check_state(options.initial);
  RecurrentStates result;
  result.label_ = detail::label_of(recurrent);
  Scope scope(result.label_);
  Variable input = xs;
  for (const detail::Layer& l : recurrent.layers_) {
    bool top = &l == &recurrent.layers_.back();
    if (options.truncation.k2 > options.truncation.k1 && recurrent.layers() > 1)
      fail(result.label_, "truncation with k2 > k1 runs steps of one layer again, without those ",
           "below it; expected k2 = k1 for several layers.");
    const Variable seen = l.read(input, false);
    OverTimeOptions<CellState> o{.keep_states = options.keep_states || !top,
                                 .lengths = options.lengths,
                                 .mask = options.mask,
                                 .memory_budget = share_of(options.memory_budget, recurrent.cells()),
                                 .recompute_every = options.recompute_every,
                                 .truncation = options.truncation,
                                 .zoneout =
                                     options.zoneout.empty() ? l.options.zoneout : options.zoneout};
    for (std::size_t k = 0; k < l.cells.size(); ++k) {
      const detail::LayerCell& c = l.cells[k];
      o.initial = Recurrent::start_of(c, options.initial, result.cells_.size());
      o.reverse = options.reverse != (k == 1);
      result.cells_.push_back(c.cell->over_time(seen, o, l.dropped_weights(c)));
      result.last_.cells.push_back(result.cells_.back()->last());
    }
    result.top_ = l;
    result.top_input_ = input;
    if (!top) input = result.newest_outputs();
  }
  result.steps_ = xs.size(0);
  if (detail::layer_outputs)
    layer_output(recurrent,
                 options.keep_states ? result.outputs() : recurrent.output(result.last_));
  if (!options.keep_states) {
    result.cells_.clear();
    result.top_input_ = {};
  }
  return result;
}

Variable RecurrentStates::newest_outputs() const {
  Variables outputs;
  for (std::size_t k = cells_.size() - top_.cells.size(); k < cells_.size(); ++k)
    outputs.push_back(cells_[k]->outputs());
  return top_.show(top_input_, outputs);
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
    return newest_outputs();
  });
}

Recurrent::State RecurrentStates::all() const {
  check_kept();
  Recurrent::State state;
  for (const auto& c : cells_) state.cells.push_back(c->all());
  return state;
}

}  // namespace unroll
