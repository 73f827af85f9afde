// over_time: calls a cell once for every step of a sequence. With a tape recording, backward() of
// what comes out is backpropagation through time. Depth and direction are in recurrent.hpp.
//
// A cell is any class with
//
//     struct State { Variable h; };                           // its memory, a plain struct; the
//                                                             // first axis is the batch, or it is
//                                                             // one number for all sequences
//     State step(const Variable& x, const State& s) const;    // its equations
//
// and, where the defaults do not fit,
//
//     struct Input { Variable word, tag; };        // what step takes instead of one Variable; such
//                                                  // a cell is no layer of a Recurrent
//     Variable output(const State& s) const;       // what others see; default: the first value
//     Size output_size() const;                    // of the last axis of that, if it is not hidden:
//                                                  // recurrent<C>() builds layers above it by that
//     State zero_state(const Variable& x) const;   // for one step's x; of a Cell: (B, hidden). How
//                                                  // long a std::vector is only this can say. What
//                                                  // steps only pass on needs no batch: a weight
//                                                  // that is made of others once a sequence
#pragma once

#include <unroll/layers/layer_outputs.hpp>
#include <unroll/layers/steps.hpp>

namespace unroll {

/// What a cell takes in one step, and its memory.
template <class C>
using InputOf = typename detail::CellTypes<C>::Input;
template <class C>
using StateOf = typename detail::CellTypes<C>::State;

template <class S>
struct OverTimeOptions {
  /// State before the first step. An empty field stands for zeros (the cell's zero_state), one
  /// without the batch axis for the same start in every sequence; along other axes of a step it may
  /// be 1, as (hidden, 1, 1) for each channel of images of any size. Where the batch is `hidden` and
  /// the cell has no zero_state, what could be either is refused, unless it is a Parameter.
  S initial = {};
  /// False keeps only last(): for sequences whose states do not fit into memory.
  bool keep_states = true;
  /// How many steps of each sequence are real, the rest is padding; empty: all. A padded step keeps
  /// the state, whose values must keep their shapes, and outputs() is 0 there. 0 is allowed. Padding
  /// may hold anything, NaN too. A plain number in a State is one for all sequences and counts every
  /// step that any of them takes; a Variable (B) counts each sequence's own.
  std::vector<Size> lengths = {};
  /// The same for padding anywhere: (T, B) of any type, nonzero where a step is real. Empty: all
  /// are; not together with lengths.
  Variable mask = {};
  /// Bytes that this sequence may take on the tape; 0: no limit. It is cut into parts of which the
  /// tape keeps the state at the start, and the backward pass computes them again, no more of them
  /// than that takes (Gruslys et al. 2016, "Memory-Efficient Backpropagation Through Time"). The
  /// input, its gradient and the states, if kept, come on top; a State that grows takes more than its
  /// first steps foretell. Gradients are the same, also that of states[t]; but a hook on states[t]
  /// sees only what comes from outside of its part, and what create_graph has made can be
  /// differentiated by weights, inputs and the initial state, not by states[t]. The cell must stay
  /// where it is until backward(), which throws Error for a Module that does not, and a step do the
  /// same each time: what it draws comes from the tape's generator.
  Size memory_budget = 0;
  /// The same with parts of that many steps, each computed again once. 0: none.
  Size recompute_every = 0;
  /// From the last real step of each sequence to the first. states[t] still belongs to xs[t].
  bool reverse = false;
  /// Stops gradients of long sequences within one tape. Between tapes it needs no option: a state
  /// passed on as `initial` is a constant there. The losses of all windows go into one backward(), or
  /// all but the last with retain_graph: steps share the products of their inputs.
  Truncation truncation = {};
  /// Zoneout (Krueger et al. 2017): each number of the state stays as it was with this probability,
  /// drawn anew at every step from the tape's generator; where nothing records the state is the
  /// expectation, p before + (1 - p) after. One probability for all values of the State, or one
  /// each: {0.05, 0.5} for h and c; empty: none. A list in the State counts as its values. What a
  /// State only carries is not changed, but drawn for: give it 0.
  std::vector<double> zoneout = {};
};

/// The states of a cell at every step of a sequence. outputs() of a cell with its own output() asks
/// the cell, so the cell must outlive them; those of a Recurrent keep their cells themselves.
template <class S>
class States {
 public:
  Size size() const { return steps_; }
  /// The state after the step that read xs[t].
  const S& operator[](Size t) const {
    detail::check_kept(label_, kept_.size(), steps_, t);
    return kept_[static_cast<std::size_t>(t)];
  }
  /// The state after the last step; with reverse that is the step at t = 0.
  const S& last() const { return last_; }
  /// True if a truncation with k2 > k1 has run steps again: gradients of later windows go through
  /// copies of the states kept here.
  bool is_run_again() const { return run_again_; }
  auto begin() const { return detail::check_kept(label_, kept_.size(), steps_), kept_.begin(); }
  auto end() const { return kept_.end(); }

  /// The cell's outputs, (T, B, ...), 0 where a sequence is padded. Stacked when first asked for.
  Variable outputs() const {
    detail::check_kept(label_, kept_.size(), steps_);
    return outputs_.get([&] {
      auto output = [&](Size t, Variable& made) -> const Variable& {
        return output_(t < 0 ? last_ : kept_[static_cast<std::size_t>(t)], made);
      };
      return detail::stack_outputs(label_, steps_, padding_, output);
    });
  }
  /// The state with every value stacked, (T, B, ...); a padded step holds the state kept.
  S all() const {
    detail::check_kept(label_, kept_.size(), steps_);
    const Variables stacked = all_.get([&] {
      return detail::stack_values(label_, values_of(last_), steps_, [&](Size t) {
        return values_of(kept_[static_cast<std::size_t>(t)]);
      });
    });
    std::size_t k = 0;
    return map_values(last_, [&](const Variable&) { return stacked[k++]; });
  }

 private:
  template <class C>
  friend States<StateOf<C>> over_time(const C&, const InputOf<C>&,
                                      const OverTimeOptions<StateOf<C>>&);
  States() = default;

  std::string label_;
  Size steps_ = 0;
  bool run_again_ = false;
  std::vector<S> kept_;  // none with keep_states = false
  S last_ = {};
  Function<const Variable&(const S&, Variable&)> output_;
  detail::Padding padding_;
  detail::Cached<Variable> outputs_;
  detail::Cached<Variables> all_;
};

/// The state from which `cell` starts at the input x of one step: `given`, and zeros where it is
/// empty. For loops by hand; over_time calls it itself.
template <class C>
StateOf<C> initial_state(const C& cell, const InputOf<C>& x, const StateOf<C>& given = {}) {
  detail::check_cell<C>();
  return detail::start_state(cell, x, given);
}

/// Calls cell.step for xs[0], xs[1], ...; xs is (T, B, ...), or an Input of such.
/// Throws Error naming the cell if shapes, lengths or the initial state do not fit.
///
///     auto states = over_time(cell, x, {.lengths = lengths});
///     auto loss = mean_squared_error(readout(states.last().h), y);
template <class C>
States<StateOf<C>> over_time(const C& cell, const InputOf<C>& xs,
                             const OverTimeOptions<StateOf<C>>& options = {}) {
  using S = StateOf<C>;
  detail::check_cell<C>();
  States<S> states;
  if constexpr (detail::Steppable<C>) {
    states.label_ = detail::label_of(cell);
    const detail::Recomputation recomputation{.budget = options.memory_budget,
                                              .every = options.recompute_every};
    detail::CellSteps<C> steps(
        cell, xs,
        detail::InputRows(states.label_, detail::values_of_input(xs), options.lengths, options.mask,
                          !recomputation.any()));
    states.steps_ = steps.rows.steps();
    states.padding_ = steps.rows.padding();
    states.output_ = [cell = &cell](const S& s, Variable& made) -> const Variable& {
      return detail::output_of(*cell, s, made);
    };
    if (options.keep_states) steps.keep_from(0, states.steps_);
    Scope scope(states.label_);
    steps.state = detail::start_state(cell, steps.input(-1), options.initial);
    detail::run(steps, {.label = states.label_,
                        .padding = states.padding_,
                        .recomputation = recomputation,
                        .reverse = options.reverse,
                        .steps = states.steps_,
                        .truncation = options.truncation,
                        .zoneout = options.zoneout});
    states.run_again_ = options.truncation.runs_again(states.steps_);
    states.kept_ = std::move(steps.kept);
    states.last_ = std::move(steps.state);
    if constexpr (std::is_base_of_v<Module, C>)
      if (detail::layer_outputs)
        layer_output(cell, options.keep_states ? states.outputs()
                                               : detail::output_of(cell, states.last_));
  }
  return states;
}

/// A temporary cell does, unless its steps are to be computed again later.
template <class C>
requires(!detail::HasOutput<C>) States<StateOf<C>> over_time(
    const C&& cell, const InputOf<C>& xs, const OverTimeOptions<StateOf<C>>& options = {}) {
  if (options.memory_budget != 0 || options.recompute_every != 0)
    fail(detail::label_of(cell), "is a temporary, but its steps are computed again by the backward ",
         "pass; give it a name.");
  return over_time(cell, xs, options);
}

/// outputs() of a cell with its own output() asks the cell, so it must live longer than the call.
template <class C>
requires detail::HasOutput<C>
void over_time(const C&& cell, const InputOf<C>& xs,
               const OverTimeOptions<StateOf<C>>& options = {}) = delete;

}  // namespace unroll
