// Operators on the values of an ONNX graph, called and meant as those on Variables, so that a
// network reads here as it does there. Sequences are time first, (T, B, ...).
#pragma once

#include <unroll/layers/linear.hpp>
#include <unroll/layers/recurrent.hpp>

#include "common/onnx_graph.hpp"

namespace tasks::onnx {

// With the broadcasting of NumPy, as ours.
Value operator+(const Value& a, const Value& b);
Value operator-(const Value& a, const Value& b);
Value operator*(const Value& a, const Value& b);
Value operator/(const Value& a, const Value& b);
Value operator+(double a, const Value& b);
Value operator*(double a, const Value& b);

Value clamp(const Value& x, double low, double high);
Value sigmoid(const Value& x);
/// Over the last axis.
Value softmax(const Value& x);
Value log_softmax(const Value& x);

/// The Euclidean length over an axis, which stays with the size 1; sum and max, where it goes.
Value norm(const Value& x, Size axis);
Value sum(const Value& x, Size axis);
Value max(const Value& x, Size axis);

/// Joined along the last axis.
Value concat(const Values& parts);
/// A new axis of size 1, and away with it.
Value expand(const Value& x, Size axis);
Value squeeze(const Value& x, Size axis);
/// Rows of x by the numbers in index.
Value index_select(const Value& x, const Value& index);
/// x W^T.
Value linear(const Value& x, const unroll::Parameter& W);
Value linear(const Value& x, const unroll::Linear& layer);
Value embedding(const unroll::Parameter& W, const Value& tokens);

/// Padded sequences as inputs of the graph, and which of their steps are real.
struct Padded {
  Value lengths;  ///< int64 (B)
  Value mask;     ///< (T, B), 1 where a step is real: computed
  Value tokens;   ///< int64 (T, B)
};
/// Inputs `tokens` (steps, batch) and `lengths` (batch), where each of these four is a name.
Padded padded_input(Graph& graph, const std::string& tokens, const std::string& lengths,
                    const std::string& steps, const std::string& batch);

/// What a recurrent network shows at each step, (T, B, directions H), 0 where padded; and the
/// values of the state of each layer at the end of each sequence, (directions, B, H).
struct States {
  Value outputs;
  Values last;
};
/// The values of a cell's state, "h", or "h" and "c". The graph refuses a cell of which ONNX has no
/// operator.
std::vector<std::string> state_values(const Graph& graph, const std::string& cell);
/// As unroll::over_time, of layers of that cell, joined where there are two directions. It starts
/// from `initial`, one for each value of `last`; without them, from zeros.
States over_time(const unroll::Recurrent& rnn, const std::string& cell, const Value& x,
                 const Value& lengths, const Values& initial = {});
/// The output of the last layer at the end of each sequence, (B, directions H).
Value last_output(const States& states, const std::string& cell);

}  // namespace tasks::onnx
