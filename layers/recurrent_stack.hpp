// The layers of a Recurrent taking their steps together: one step of all of them, and what that
// gives over a sequence. Layer after layer over the whole sequence is recurrent_run.cpp's. Internal.
#pragma once

#include <span>

#include <unroll/layers/recurrent.hpp>

namespace unroll::detail {

/// What a layer draws once for all steps of a sequence.
struct LayerNoise {
  Variable mask = {};                            ///< of its input; empty: none
  std::vector<Substitution::Pair> weights = {};  ///< of its cell
};

/// The layers as one cell.
struct Stack {
  using State = Recurrent::State;
  std::span<const Layer> layers;
  std::vector<LayerNoise> noise = {};  ///< by layer; none: nothing is drawn for a whole sequence
  std::vector<double> zoneout = {};    ///< in the place of that of the layers; empty: theirs

  /// Only of layers that do not read backwards.
  State step(const Variable& x, const State& s) const;
  /// What the last layer shows.
  Variable output(const State& s) const;
  /// What the cells of layer k show, of which the first is cell number `first`.
  Variables outputs(std::size_t k, const State& s, std::size_t first) const;
  /// What the layer above layer k reads, if it reads x, in states at the start: for its shape, so
  /// nothing is recorded, and no LayerOutputs hears of it.
  Variable above(std::size_t k, const Variable& x, const State& start, std::size_t first) const;
  /// The state to start from, of which x is one step's input: the given one, and what cells start
  /// with where that is empty. If it draws, the noise of a sequence comes before the start of each
  /// cell, which then reads the weights that DropConnect has left.
  State start(const Variable& x, const State& given, bool draws);
};

/// The given state of cell number k to start from: as LayerCell::start.
inline CellState start_of(const LayerCell& cell, const Recurrent::State& given, std::size_t k) {
  return cell.start(given.cells.empty() ? CellState() : given.cells[k]);
}

/// Runs the layers of a Recurrent, none of which reads backwards, step by step.
Ref<RecurrentRun> run_together(const std::string& label, const std::vector<Layer>& layers,
                               const Variable& xs,
                               const OverTimeOptions<Recurrent::State>& options);

}  // namespace unroll::detail
