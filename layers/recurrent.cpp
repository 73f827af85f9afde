// What a Recurrent is put together from, its states and single steps. Sequences are
// recurrent_run.cpp's.
#include <unroll/layers/recurrent_stack.hpp>

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

/// The state from which a cell starts at one input of that many features. Images have more axes, along
/// which sizes are not known before the first one: 1 stands for them, and the start broadcasts.
CellState start_at_any(const AnyCell& cell, Size features) {
  constexpr int kMostAxes = 3;  // beside batch and features
  std::string why;
  Shape x{1, features};
  for (int axes = 0; axes <= kMostAxes; ++axes, x.push_back(1)) {
    try {
      return cell.start(zeros(x), {});
    } catch (const Error& e) {
      if (axes == 0) why = e.what();
    }
  }
  fail("recurrent", "learned_initial: a cell has no state to start from: ", why);
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
      learned = Ref<LearnedStart>(new LearnedStart(start_at_any(*cell, layer.in).values()));
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

Recurrent::State Recurrent::step(const Variable& x, const State& s) const {
  check_state(s);
  if (is_bidirectional())
    fail("recurrent",
         "step() cannot run backward cells, which start at the end of a sequence; use ",
         "over_time, or a Recurrent that is not bidirectional.");
  for (const detail::Layer& l : layers_) l.check_step();
  Scope scope(detail::label_of(*this));
  return detail::Stack{layers_}.step(x, s);
}

Variable Recurrent::output(const State& s) const {
  check_state(s);
  if (s.cells.empty()) fail("recurrent", "an empty state has no output; call step() first.");
  return detail::Stack{layers_}.output(s);
}

Recurrent::State Recurrent::zero_state(const Variable& x) const { return initial_state(*this, x); }

Recurrent::State initial_state(const Recurrent& recurrent, const Variable& x,
                               const Recurrent::State& given) {
  recurrent.check_state(given);
  return detail::Stack{recurrent.layers_}.start(x, given, false);
}

}  // namespace unroll
