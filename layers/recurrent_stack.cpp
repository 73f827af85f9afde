// One step of all layers, and the loop that takes such steps. Which noise a layer has is
// recurrent_layer.cpp's, the loop itself loop.cpp's.
#include <unroll/layers/recurrent_stack.hpp>

#include <optional>

namespace unroll::detail {

Stack::State Stack::step(const Variable& x, const State& s) const {
  State next;
  Variable input = x;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const Layer& l = layers[k];
    Scope scope(l.cells[0].cell->module().name());
    std::optional<Substitution> dropped;
    if (!noise.empty()) dropped.emplace(noise[k].weights);
    const Variable seen = l.read(input, noise.empty() ? Variable() : noise[k].mask);
    AnyCell& cell = *l.cells[0].cell;
    try {
      const bool goes_on = !s.cells.empty() && s.cells[k].is_complete();
      next.cells.push_back(cell.step(seen,
                                     goes_on ? s.cells[k]
                                             : cell.start(seen, start_of(l.cells[0], s, k)),
                                     zoneout.empty() ? l.options.zoneout : zoneout));
    } catch (const Error& e) {
      fail_at(e, cell.module().name(), -1);
    }
    if (k + 1 < layers.size()) input = l.show(input, outputs(k, next, k), 1);
  }
  return next;
}

Variables Stack::outputs(std::size_t k, const State& s, std::size_t first) const {
  std::optional<Substitution> dropped;
  if (!noise.empty()) dropped.emplace(noise[k].weights);
  Variables list;
  for (const LayerCell& c : layers[k].cells) list.push_back(c.cell->output(s.cells[first++]));
  return list;
}

Variable Stack::output(const State& s) const {
  // What goes around a layer are the outputs of the one below it.
  Variable shown;
  std::size_t first = 0;
  for (std::size_t k = 0; k < layers.size(); first += layers[k++].cells.size())
    shown = layers[k].show(shown, outputs(k, s, first), 1);
  return shown;
}

Variable Stack::above(std::size_t k, const Variable& x, const State& start,
                      std::size_t first) const {
  LayerOutputs unheard;
  return no_grad([&] { return layers[k].show(x, outputs(k, start, first), 1); });
}

Stack::State Stack::start(const Variable& x, const State& given, bool draws) {
  State start;
  Variable input = x;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const Layer& l = layers[k];
    if (draws) noise.push_back({l.mask(input.shape(), float64), l.dropped_weights(l.cells[0])});
    const std::size_t first = start.cells.size();
    {
      std::optional<Substitution> dropped;
      if (draws) dropped.emplace(noise[k].weights);
      for (const LayerCell& c : l.cells)
        start.cells.push_back(c.cell->start(input, start_of(c, given, start.cells.size())));
    }
    if (k + 1 < layers.size()) input = above(k, input, start, first);
  }
  return start;
}

namespace {

struct RunTogether final : RecurrentRun {
  RunTogether(const std::string& label, const std::vector<Layer>& layers)
      : label(label), layers(layers), stack{.layers = this->layers} {}

  Recurrent::State at(Size t) const override { return kept[static_cast<std::size_t>(t)]; }
  Recurrent::State all() const override {
    const Variables stacked = stack_values(label, values_of(last), static_cast<Size>(kept.size()),
                                           [&](Size t) { return values_of(at(t)); });
    std::size_t k = 0;
    return map_values(last, [&](const Variable&) { return stacked[k++]; });
  }
  Variable outputs() const override {
    return stacked([&](const Recurrent::State& s) { return stack.output(s); });
  }
  void give_layer_outputs(bool all) const {
    for (std::size_t k = 0; k < layers.size(); ++k) {
      auto output = [&](const Recurrent::State& s) { return stack.outputs(k, s, k)[0]; };
      layer_output(layers[k].cells[0].cell->module(), all ? stacked(output) : output(last));
    }
  }

  std::string label;
  std::vector<Layer> layers;
  Stack stack;
  Padding padding;
  std::vector<Recurrent::State> kept;

 private:
  Variable stacked(Function<Variable(const Recurrent::State&)> output) const {
    return stack_outputs(label, static_cast<Size>(kept.size()), padding,
                         [&](Size t, Variable& made) -> const Variable& {
                           return made = output(t < 0 ? last : at(t));
                         });
  }
};

}  // namespace

Ref<RecurrentRun> run_together(const std::string& label, const std::vector<Layer>& layers,
                               const Variable& xs,
                               const OverTimeOptions<Recurrent::State>& options) {
  Ref<RunTogether> result(new RunTogether(label, layers));
  RunTogether& r = *result;
  CellSteps<Stack> steps(r.stack, xs, InputRows(label, {xs}, options.lengths, options.mask));
  r.padding = steps.rows.padding();
  r.stack.zoneout = options.zoneout;
  if (options.keep_states) steps.keep_from(0, steps.rows.steps());
  steps.state = r.stack.start(steps.input(-1), options.initial, true);
  run(steps, {.label = label,
              .padding = r.padding,
              .recomputation = {.budget = options.memory_budget, .every = options.recompute_every},
              .reverse = options.reverse,
              .steps = steps.rows.steps(),
              .truncation = options.truncation,
              .zoneout = {}});
  r.kept = std::move(steps.kept);
  r.last = std::move(steps.state);
  if (layer_outputs) r.give_layer_outputs(options.keep_states);
  return Ref<RecurrentRun>(result.get());
}

}  // namespace unroll::detail
