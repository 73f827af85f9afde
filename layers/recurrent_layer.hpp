// A layer of a Recurrent: one or two erased cells, and what happens before and after them. Which
// layers there are is the business of recurrent.hpp. Internal.
#pragma once

#include <unroll/autograd/substitution.hpp>
#include <unroll/layers/recurrent_cell.hpp>
#include <unroll/layers/recurrent_options.hpp>

namespace unroll::detail {

/// What a learned start holds: one Parameter for each value of a State, without the batch axis.
struct LearnedStart final : Shared, Module {
  /// Those of a batch of one before training.
  explicit LearnedStart(const Variables& zero);
  Variables values;
};

/// The gate of a highway of that width.
struct HighwayGate final : Shared, Module {
  explicit HighwayGate(Size width);
  Parameter W, b;
};

/// One cell of a layer; in a bidirectional layer there are two.
struct LayerCell {
  Ref<AnyCell> cell;
  Ref<LearnedStart> learned;

  /// The state to start from: the given one, where it is empty the learned one, or none for zeros.
  CellState start(CellState given) const;
};

struct Layer {
  std::vector<LayerCell> cells = {};  // forward, and perhaps backward
  Ref<HighwayGate> gate = {};
  bool first = true;
  Size in = 0;  // the size of its input, 0 if unknown
  RecurrentOptions options = {};

  bool bidirectional() const { return cells.size() == 2; }
  /// What the cells read of an input x, (B, ...) or (T, B, ...): with dropout, and times the mask,
  /// of any type, if there is one.
  Variable read(const Variable& x, const Variable& mask) const;
  /// The mask of variational dropout for inputs of that shape (B, ...) at all steps; empty: none.
  Variable mask(const Shape& one_step, Type type) const;
  /// What the layer shows, from its input x and the outputs of its cells, whose features lie on
  /// that axis: 1 of a step (B, features, ...), 2 of a sequence.
  Variable show(const Variable& x, const Variables& outputs, Size axis) const;
  /// The weights that DropConnect changes in a cell, and new values for them.
  std::vector<Substitution::Pair> dropped_weights(const LayerCell& cell) const;
  /// Throws Error if the layer draws something for all steps, which one step by itself cannot.
  void check_step() const;
};

/// Throws Error unless the options make sense for any cell.
void check_options(const RecurrentOptions& options);

}  // namespace unroll::detail
