// Recurrent layers as ONNX's operators RNN, GRU and LSTM, whose gates stand in an order of their
// own (onnx.ai/onnx/operators). The cells are layers/cells/*.hpp.
#include <unroll/ops/ops.hpp>

#include "common/onnx_ops.hpp"

namespace tasks::onnx {
namespace {

using namespace unroll;

/// A cell that is an operator.
struct CellOperator {
  std::string op;
  std::vector<Size> gates;  ///< ours in the order of theirs
  Attributes attributes = {};
  std::vector<std::string> state = {"h"};
};

const std::map<std::string, CellOperator>& operators() {
  static const std::vector<std::string> memory{"h", "c"};
  static const std::map<std::string, CellOperator> table{
      {"elman", {"RNN", {0}}},
      {"gru", {"GRU", {1, 0, 2}, {{"linear_before_reset", Size{1}}}}},  // r, z, n to z, r, h
      {"gru-reset-before", {"GRU", {0, 1, 2}, {{"linear_before_reset", Size{0}}}}},
      {"lstm", {"LSTM", {0, 3, 1, 2}, {}, memory}},  // i, f, g, o to i, o, f, c
      {"peephole-lstm", {"LSTM", {0, 3, 1, 2}, {}, memory}},
  };
  return table;
}

const CellOperator& operator_of(const Graph& graph, const std::string& cell) {
  const auto found = operators().find(cell);
  if (found != operators().end()) return found->second;
  std::string list;
  for (const auto& [name, op] : operators()) list += (list.empty() ? "" : ", ") + name;
  graph.refuse("ONNX has no operator for its cell " + cell + ", only for " + list);
}

/// The weights of a Recurrent by their names in it.
class Weights {
 public:
  Weights(const Graph& graph, const Recurrent& rnn) : graph_(graph) {
    for (const NamedParameter& p : rnn.named_parameters()) parameters_[p.name] = p.parameter;
  }

  bool has(const std::string& name) const { return parameters_.contains(name); }
  const Parameter& take(const std::string& name) {
    ++taken_;
    return parameters_.at(name);
  }
  /// Where a weight stands in the network.
  const std::string& path_of(const std::string& name) const {
    return graph_.path_of(parameters_.at(name));
  }
  /// Throws Error if a layer has more than its cells.
  void check_all_taken() const {
    if (taken_ != parameters_.size())
      fail("onnx", "a recurrent network has ", parameters_.size(), " weights, and ", taken_,
           " of them were written.");
  }

 private:
  const Graph& graph_;
  std::map<std::string, Parameter> parameters_;
  std::size_t taken_ = 0;
};

/// W, U or b of a cell with the gates in ONNX's order. That of a candidate stands apart in
/// gru-reset-before, as Wn.
Variable in_order(Weights& weights, const std::string& name, const std::vector<Size>& gates) {
  Variable all = weights.take(name);
  if (weights.has(name + "n")) all = unroll::concat({all, weights.take(name + "n")}, 0);
  const Variables parts = chunk(all, static_cast<Size>(gates.size()), 0);
  Variables ordered;
  for (Size k : gates) ordered.push_back(parts[static_cast<std::size_t>(k)]);
  return unroll::concat(ordered, 0);
}

/// The inputs W, R, B and P of one layer, with a first axis for its directions.
struct LayerWeights {
  Variable W, U, b, peepholes;

  LayerWeights(Weights& weights, const std::vector<std::string>& cells,
               const std::vector<Size>& gates) {
    Variables w, u, biases, p;
    for (const std::string& cell : cells) {
      w.push_back(in_order(weights, cell + ".W", gates));
      u.push_back(in_order(weights, cell + ".U", gates));
      const Variable b = in_order(weights, cell + ".b", gates);
      const Variable bh = weights.has(cell + ".bh") ? in_order(weights, cell + ".bh", gates)
                                                    : Variable(zeros(b.shape()));
      biases.push_back(unroll::concat({b, bh}));
      if (weights.has(cell + ".pi"))
        p.push_back(unroll::concat(
            {weights.take(cell + ".pi"), weights.take(cell + ".po"), weights.take(cell + ".pf")}));
    }
    W = stack_along(w), U = stack_along(u), b = stack_along(biases);
    if (!p.empty()) peepholes = stack_along(p);
  }
};

/// (..., directions, B, H) to (..., B, directions H).
Value joined(const Value& x, const std::vector<Size>& order) {
  std::vector<Size> sizes(order.size() - 1, 0);  // 0: as it is
  sizes.back() = -1;
  const auto rank = static_cast<Size>(sizes.size());
  return x.graph->node("Reshape", {x.graph->node("Transpose", {x}, {{"perm", order}}),
                                   x.graph->constant(values(sizes, {rank}))});
}

/// Where sequences end. ONNX says nothing of those of length 0, and ONNX Runtime's RNN reads beyond
/// its memory then: they go one step, of which nothing is kept.
struct Ends {
  Value lengths, nothing, is_there;

  explicit Ends(const Value& real) {
    Graph& graph = *real.graph;
    const auto whole = [&](Size n) { return graph.constant(values(std::vector<Size>{n}, {})); };
    constexpr Size kInt32 = 6;  // TensorProto.DataType
    lengths = graph.node("Cast", {graph.node("Max", {real, whole(1)})}, {{"to", kInt32}});
    nothing = graph.constant(Array(Shape{}));
    is_there = expand(graph.node("Greater", {real, whole(0)}), -1);
  }
  /// x (..., B, H) of the sequences that are there.
  Value kept(const Value& x, const Value& otherwise) const {
    return x.graph->node("Where", {is_there, x, otherwise});
  }
};

}  // namespace

std::vector<std::string> state_values(const Graph& graph, const std::string& cell) {
  return operator_of(graph, cell).state;
}

States over_time(const Recurrent& rnn, const std::string& cell, const Value& x,
                 const Value& lengths, const Values& initial) {
  Graph& graph = *x.graph;
  const CellOperator& op = operator_of(graph, cell);
  const Ends ends(lengths);
  Weights weights(graph, rnn);
  States states{x, {}};
  for (Size layer = 0; layer < rnn.layers(); ++layer) {
    const std::string forward = join("layer", layer);
    std::vector<std::string> cells{forward};
    if (rnn.is_bidirectional()) cells.push_back(forward + "_reverse");
    const LayerWeights w(weights, cells, op.gates);
    Attributes attributes = op.attributes;
    attributes["direction"] = std::string(rnn.is_bidirectional() ? "bidirectional" : "forward");
    attributes["hidden_size"] = w.U.size(-1);
    const auto named = [&](const Variable& value, const char* part) {
      return graph.constant(value.value(), weights.path_of(forward + part));
    };
    Values inputs{states.outputs, named(w.W, ".W"), named(w.U, ".U"), named(w.b, ".b"),
                  ends.lengths};
    for (std::size_t k = 0; k < op.state.size(); ++k)
      inputs.push_back(initial.empty() ? Value{} : initial.at(states.last.size() + k));
    if (!w.peepholes.empty()) inputs.push_back(named(w.peepholes, ".pi"));
    const Values results = graph.nodes(op.op, inputs, attributes, 1 + op.state.size());
    states.outputs = ends.kept(joined(results[0], {0, 2, 1, 3}), ends.nothing);
    for (std::size_t k = 1; k < results.size(); ++k)
      states.last.push_back(
          ends.kept(results[k], initial.empty() ? ends.nothing : initial.at(states.last.size())));
  }
  weights.check_all_taken();
  return states;
}

Value last_output(const States& states, const std::string& cell) {
  const Value& any = states.last.back();
  const std::size_t values = state_values(*any.graph, cell).size();
  return joined(states.last.at(states.last.size() - values), {1, 0, 2});
}

}  // namespace tasks::onnx
