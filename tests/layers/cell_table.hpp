// The cell table: a row a cell, and gradients of a cell over a sequence. What holds for each row is in
// cells.cpp and cells_over_time.cpp.
#pragma once

#include <boost/test/unit_test.hpp>

#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace cell_table {

using namespace unroll;


struct Row {
  const char* name;
  Recurrent (*initial)();  // of 3 features to 4
  Shape step = {3};        // shape of one input
  /// One whose biases are not 0, the same for the same seed.
  Recurrent make(std::uint64_t seed = 1) const {
    Recurrent cell = initial();
    Generator generator(seed);
    cell.initialise(generator);
    for (Parameter p : cell.parameters())
      if (max(abs(p)).item() == 0) p.assign((0.3 * Variable(random(p.shape(), 4))).value().to(float32));
    return cell;
  }
  /// A sequence of random inputs.
  Array input(Size steps, Size batch) const {
    Shape shape = step;
    shape.insert(0, batch);
    shape.insert(0, steps);
    return random(shape);
  }
};

inline const std::vector<Row> kRows = {
    {"elman", [] { return Recurrent(Elman(3, 4)); }},
    {"elman without bias", [] { return Recurrent(Elman(3, 4, {.bias = false})); }},
    {"elman of relu", [] { return Recurrent(Elman(3, 4, {.activation = relu})); }},
    {"elman of order 3", [] { return Recurrent(ElmanOfOrder(3, 4, 3)); }},
    {"lstm", [] { return Recurrent(LSTM(3, 4)); }},
    {"lstm without bias", [] { return Recurrent(LSTM(3, 4, {.bias = false})); }},
    {"projected lstm", [] { return Recurrent(LSTM(3, 5, {.projection = 4})); }},
    {"peephole lstm", [] { return Recurrent(PeepholeLSTM(3, 4)); }},
    {"coupled lstm", [] { return Recurrent(CoupledLSTM(3, 4)); }},
    {"layer-norm lstm", [] { return Recurrent(LayerNormLSTM(3, 4)); }},
    {"conv lstm", [] { return Recurrent(ConvLSTM(3, 4)); }, {3, 2, 3}},
    {"gru", [] { return Recurrent(GRU(3, 4)); }},
    {"gru without bias", [] { return Recurrent(GRU(3, 4, {.bias = false})); }},
    {"gru reset before", [] { return Recurrent(GRUResetBefore(3, 4)); }},
    {"minimal gated unit", [] { return Recurrent(MGU(3, 4)); }},
    {"indrnn", [] { return Recurrent(IndRNN(3, 4)); }},
    {"sru", [] { return Recurrent(SRU(3, 4)); }},
    {"multiplicative", [] { return Recurrent(MultiplicativeRNN(3, 4)); }},
    {"recurrent highway", [] { return Recurrent(RecurrentHighway(3, 4, {.depth = 3})); }},
    {"leaky", [] { return Recurrent(LeakyIntegrator(3, 4)); }},
    {"learned leak", [] { return Recurrent(LeakyIntegrator(3, 4, {.learned_leak = true})); }},
    {"echo state", [] { return Recurrent(EchoState(3, 4)); }},
    {"echo state that learns its leak",
     [] {
       return Recurrent(EchoState(3, 4, {.leak = 0.8, .learned_leak = true, .train_input = true}));
     }},
};

template <class F>
void for_each_cell(F&& f) {
  for (const Row& row : kRows) BOOST_TEST_CONTEXT(row.name) f(row);
}

/// Whether any Parameter gets a gradient.
inline bool learns(const Module& m) {
  for (const Parameter& p : m.parameters())
    if (!p.is_frozen()) return true;
  return false;
}

/// Of the sum of the squares of what outputs(xs) gives: for xs and for every Parameter.
template <class F>
Variables gradients(const Recurrent& cell, const Array& x, F&& outputs,
                    const GradOptions& options = {}) {
  Tape tape;
  const Variable xs = tape.watch(x);
  Variables leaves{xs};
  for (const Parameter& p : cell.parameters()) leaves.push_back(p);
  return grad(sum(square(outputs(xs))), leaves, options);
}

/// The same, and behind it the gradients of the sum of their squares.
template <class F>
Variables gradients_to_order_two(const Recurrent& cell, const Array& x, F&& outputs) {
  Tape tape;
  const Variable xs = tape.watch(x);
  Variables leaves{xs};
  for (const Parameter& p : cell.parameters()) leaves.push_back(p);
  Variables list = grad(sum(square(outputs(xs))), leaves, {.create_graph = true});
  Variable squares = full({}, 0, float64);
  for (const Variable& g : list) squares = squares + sum(square(g));
  for (Variable& second : grad(squares, leaves)) list.push_back(std::move(second));
  return list;
}

}  // namespace cell_table
