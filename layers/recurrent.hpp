// Recurrent: cells in layers and directions behind one plain type, so that a program chooses them
// when it runs. How one cell goes over a sequence is over_time.hpp's.
#pragma once

#include <unroll/layers/recurrent_layer.hpp>

namespace unroll {

namespace detail {
struct RecurrentBuilder;
}

class RecurrentStates;

/// A stack of recurrent layers.
///
///     Recurrent r = recurrent<LSTM>(32, 64, {.bidirectional = true, .layers = 2});
///     Recurrent r = stacked(LSTM(32, 64), GRU(64, 64));       // different cells
///     Recurrent r = stacked({.dropout = 0.3}, LSTM(32, 64), GRU(64, 64));
///     Recurrent r = stacked({.dropout = 0.3}, bidirectional(LSTM(32, 64), GRU(32, 64)),
///                           bidirectional(LSTM(128, 64), GRU(128, 64)));
///     Recurrent r = MyCell(32, 64);                           // any cell is one of one layer
///
/// Its cells are registered as layer0, layer0_reverse, layer1, ... Modules do not copy: a cell is
/// moved in.
class Recurrent : public Module {
 public:
  /// The states of all cells: layer by layer, forward before backward, as in PyTorch. Empty stands
  /// for zeros, or the learned start.
  struct State {
    std::vector<CellState> cells;
  };

  /// No layers; to be assigned to.
  Recurrent() = default;
  template <class C>
  requires(!std::is_same_v<C, Recurrent> && detail::HasState<C>) Recurrent(C cell) {
    add_layer(detail::any_cell(std::move(cell)));
  }

  bool is_bidirectional() const;
  Size layers() const { return static_cast<Size>(layers_.size()); }
  /// How many cells there are: a layer has one or two.
  Size cells() const;

  /// One step of all layers, for generation: x (B, in). Throws Error if there is a backward cell.
  State step(const Variable& x, const State& s) const;
  /// What the last layer shows: the output of its cell, both merged if bidirectional.
  Variable output(const State& s) const;
  /// The state at the start for one step's input, as initial_state(recurrent, x).
  State zero_state(const Variable& x) const;

 private:
  friend struct detail::RecurrentBuilder;
  friend RecurrentStates over_time(const Recurrent&, const Variable&,
                                   const OverTimeOptions<Recurrent::State>&);
  friend State initial_state(const Recurrent&, const Variable&, const State&);

  void add_layer(detail::Layer layer);
  void add_layer(Ref<detail::AnyCell> cell);
  void check_state(const State& s) const;

  std::vector<detail::Layer> layers_;
};

namespace detail {

/// What a Recurrent did over a sequence.
struct RecurrentRun : Shared {
  Recurrent::State last;
  virtual Recurrent::State at(Size t) const = 0;
  virtual Recurrent::State all() const = 0;
  virtual Variable outputs() const = 0;
};

}  // namespace detail

/// The states of a Recurrent at every step; as States, but each is put together when asked for.
class RecurrentStates {
 public:
  Size size() const { return steps_; }
  Recurrent::State operator[](Size t) const;
  /// The state of each cell after the step that it took last.
  const Recurrent::State& last() const { return last_; }
  /// As that of States.
  bool is_run_again() const { return run_again_; }
  /// Outputs of the last layer, (T, B, ...); 0 where padded.
  Variable outputs() const;
  Recurrent::State all() const;

  /// For loops over the states.
  class Iterator {
   public:
    Iterator(const RecurrentStates& states, Size t) : states_(&states), t_(t) {}
    Recurrent::State operator*() const { return (*states_)[t_]; }
    Iterator& operator++() { return ++t_, *this; }
    bool operator==(const Iterator& other) const { return t_ == other.t_; }

   private:
    const RecurrentStates* states_;
    Size t_;
  };
  Iterator begin() const { return check_kept(), Iterator(*this, 0); }
  Iterator end() const { return {*this, steps_}; }

 private:
  friend RecurrentStates over_time(const Recurrent&, const Variable&,
                                   const OverTimeOptions<Recurrent::State>&);
  RecurrentStates() = default;
  void check_kept(Size t = 0) const;

  std::string label_;
  Size steps_ = 0;
  bool run_again_ = false;
  Recurrent::State last_;
  Ref<detail::RecurrentRun> run_;  // none with keep_states = false
  detail::Cached<Variable> outputs_;
};

/// Runs a Recurrent over a sequence (T, B, in), layer by layer. Zoneout goes before that of
/// RecurrentOptions. Truncation with k2 > k1, which runs steps of all layers again, takes several
/// layers step by step: they must not be bidirectional, and draw their noise in that order.
/// memory_budget is shared by the cells; the states of all layers but the last are kept and come on
/// top, also with keep_states = false, as the next layer reads their outputs. Throws Error as
/// over_time of a cell.
RecurrentStates over_time(const Recurrent& recurrent, const Variable& xs,
                          const OverTimeOptions<Recurrent::State>& options = {});

/// A temporary one does, as the states keep its cells, unless steps are to be computed again later.
RecurrentStates over_time(const Recurrent&& recurrent, const Variable& xs,
                          const OverTimeOptions<Recurrent::State>& options = {});

/// The state at the start: `given`, and zeros where it is empty; x is one step's input.
Recurrent::State initial_state(const Recurrent& recurrent, const Variable& x,
                               const Recurrent::State& given = {});

namespace detail {

struct RecurrentBuilder {
  /// Adds a layer that reads inputs of size `in`, 0 for what its cell says; no backward cell: it
  /// reads forward only.
  static void add(Recurrent& to, Size in, Ref<AnyCell> forward, Ref<AnyCell> backward,
                  const RecurrentOptions& options);
  /// Throws Error if the options say what those of each layer do.
  static void check_stacked(const RecurrentOptions& options);
  /// Moves all layers of another one on top.
  static void append(Recurrent& to, Recurrent&& from);
  /// The same with those options, of which they have none themselves.
  static void append(Recurrent& to, Recurrent&& from, const RecurrentOptions& options);
};

/// The size of a cell's output: its output_size(), if it has that function, else hidden.
template <class C>
Size output_size(const C& cell, Size hidden) {
  if constexpr (requires { cell.output_size(); })
    return cell.output_size();
  else
    return hidden;
}

}  // namespace detail

/// Layers of cells that make(in, hidden) builds:
///
///     recurrent([](Size in, Size hidden) { return ElmanOfOrder(in, hidden, 2); }, 32, 64)
template <class Make>
requires requires(const Make& make, Size n) { make(n, n); }
Recurrent recurrent(const Make& make, Size in, Size hidden, const RecurrentOptions& options = {}) {
  detail::check_options(options);
  Recurrent result;
  Size size = in;
  for (Size layer = 0; layer < options.layers; ++layer) {
    auto forward = make(size, hidden);
    Size out = detail::output_size(forward, hidden);
    Ref<detail::AnyCell> backward;
    if (options.bidirectional) backward = detail::any_cell(make(size, hidden));
    detail::RecurrentBuilder::add(result, size, detail::any_cell(std::move(forward)), backward,
                                  options);
    size = options.bidirectional && options.merge == Merge::concat ? 2 * out : out;
  }
  return result;
}

/// Layers of one kind of cell, each made as Cell(in, hidden).
template <class C>
Recurrent recurrent(Size in, Size hidden, const RecurrentOptions& options = {}) {
  static_assert(std::is_constructible_v<C, Size, Size>,
                "[recurrent] the cell is not made as C(in, hidden); pass a function: "
                "recurrent([](Size in, Size hidden) { return C(in, hidden, 2); }, in, hidden)");
  if constexpr (std::is_constructible_v<C, Size, Size>)
    return recurrent([](Size in, Size hidden) { return C(in, hidden); }, in, hidden, options);
  else
    return {};
}

/// Cells or Recurrents on top of each other, the first one nearest to the input. A Recurrent keeps
/// its options; what they say of layers that read others now holds for its lowest one too.
template <class... Layers>
Recurrent stacked(Layers... layers) {
  static_assert((detail::HasState<Layers> && ...), "[recurrent] layers are cells, or Recurrents");
  Recurrent result;
  (detail::RecurrentBuilder::append(result, Recurrent(std::move(layers))), ...);
  return result;
}

/// The same with options that hold for each of the layers; how many there are, their directions
/// and how these are merged is said by what they are made of, which has no other options.
template <class... Layers>
Recurrent stacked(const RecurrentOptions& options, Layers... layers) {
  static_assert((detail::HasState<Layers> && ...), "[recurrent] layers are cells, or Recurrents");
  detail::RecurrentBuilder::check_stacked(options);
  Recurrent result;
  (detail::RecurrentBuilder::append(result, Recurrent(std::move(layers)), options), ...);
  return result;
}

/// One layer that reads in both directions, with a cell for each.
template <class F, class B>
Recurrent bidirectional(F forward, B backward, Merge merge = Merge::concat) {
  Recurrent result;
  detail::RecurrentBuilder::add(result, 0, detail::any_cell(std::move(forward)),
                                detail::any_cell(std::move(backward)), {.merge = merge});
  return result;
}

}  // namespace unroll
