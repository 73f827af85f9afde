// A Recurrent over a sequence, layer after layer. Where its layers take their steps together is
// recurrent_stack.cpp's; one cell over a sequence is over_time.cpp's.
#include <unroll/layers/recurrent_stack.hpp>

#include <algorithm>

namespace unroll {

namespace detail {

namespace {

struct RunByLayer final : RecurrentRun {
  Recurrent::State at(Size t) const override {
    Recurrent::State state;
    for (const auto& c : cells) state.cells.push_back(c->at(t));
    return state;
  }
  Recurrent::State all() const override {
    Recurrent::State state;
    for (const auto& c : cells) state.cells.push_back(c->all());
    return state;
  }
  /// Of the layer that ran last.
  Variable outputs() const override {
    Variables list;
    for (std::size_t k = cells.size() - top.cells.size(); k < cells.size(); ++k)
      list.push_back(cells[k]->outputs());
    return top.show(top_input, list, 2);
  }

  Layer top;  // the last layer, and what it read
  Variable top_input;
  std::vector<Ref<AnyStates>> cells;
};

/// 0 stays 0, which is no limit.
Size share_of(Size budget, std::size_t cells) {
  return budget > 0 ? std::max<Size>(1, budget / static_cast<Size>(cells)) : budget;
}

Ref<RecurrentRun> run_by_layer(const std::vector<Layer>& layers, std::size_t cells,
                               const Variable& xs,
                               const OverTimeOptions<Recurrent::State>& options) {
  Ref<RunByLayer> result(new RunByLayer);
  RunByLayer& r = *result;
  for (const Layer& l : layers) {
    const bool top = &l == &layers.back();
    r.top_input = r.cells.empty() ? xs : r.outputs();
    r.top = l;
    Variable seen = r.top_input;
    if (!l.first) {
      Shape one_step = seen.shape();
      one_step.erase(0);
      seen = l.read(seen, l.mask(one_step, seen.type()));
    }
    OverTimeOptions<CellState> o{.keep_states = options.keep_states || !top,
                                 .lengths = options.lengths,
                                 .mask = options.mask,
                                 .memory_budget = share_of(options.memory_budget, cells),
                                 .recompute_every = options.recompute_every,
                                 .truncation = options.truncation,
                                 .zoneout =
                                     options.zoneout.empty() ? l.options.zoneout : options.zoneout};
    for (std::size_t k = 0; k < l.cells.size(); ++k) {
      const LayerCell& c = l.cells[k];
      o.initial = start_of(c, options.initial, r.cells.size());
      o.reverse = options.reverse != (k == 1);
      r.cells.push_back(c.cell->over_time(seen, o, l.dropped_weights(c)));
      r.last.cells.push_back(r.cells.back()->last());
    }
  }
  return Ref<RecurrentRun>(result.get());
}

}  // namespace

}  // namespace detail

RecurrentStates over_time(const Recurrent& recurrent, const Variable& xs,
                          const OverTimeOptions<Recurrent::State>& options) {
  recurrent.check_state(options.initial);
  RecurrentStates result;
  result.label_ = detail::label_of(recurrent);
  Scope scope(result.label_);
  Ref<detail::RecurrentRun> run;
  if (recurrent.layers() > 1 && xs.rank() > 0 && options.truncation.runs_again(xs.size(0))) {
    if (recurrent.is_bidirectional())
      fail(result.label_, "truncation with k2 > k1 runs steps of all layers again, but a ",
           "bidirectional layer needs all steps of the one below it; expected k2 = k1.");
    run = detail::run_together(result.label_, recurrent.layers_, xs, options);
  } else {
    run = detail::run_by_layer(recurrent.layers_, static_cast<std::size_t>(recurrent.cells()), xs,
                               options);
  }
  result.steps_ = xs.size(0);
  result.run_again_ = options.truncation.runs_again(result.steps_);
  result.last_ = run->last;
  if (options.keep_states) result.run_ = run;
  if (detail::layer_outputs)
    layer_output(recurrent,
                 options.keep_states ? result.outputs() : recurrent.output(result.last_));
  return result;
}

RecurrentStates over_time(const Recurrent&& recurrent, const Variable& xs,
                          const OverTimeOptions<Recurrent::State>& options) {
  if (options.memory_budget != 0 || options.recompute_every != 0)
    fail(detail::label_of(recurrent), "is a temporary, but its steps are computed again by the ",
         "backward pass; give it a name.");
  return over_time(recurrent, xs, options);
}

void RecurrentStates::check_kept(Size t) const {
  detail::check_kept(label_, run_ ? static_cast<std::size_t>(steps_) : std::size_t(-1), steps_, t);
}

Recurrent::State RecurrentStates::operator[](Size t) const {
  check_kept(t);
  return run_->at(t);
}

Variable RecurrentStates::outputs() const {
  check_kept();
  return outputs_.get([&] {
    Scope scope(label_);
    return run_->outputs();
  });
}

Recurrent::State RecurrentStates::all() const {
  check_kept();
  return run_->all();
}

}  // namespace unroll
