// Each operator as the node or the few nodes that say it in ONNX. Recurrent layers are in
// onnx_recurrent.cpp.
#include "common/onnx_ops.hpp"

#include <cmath>

namespace tasks::onnx {
namespace {

using unroll::Array;
using unroll::values;

Value number(const Value& beside, double x) {
  return beside.graph->constant(values(std::vector<double>{x}, {}));
}
Value axes(const Value& beside, Size axis) {
  return beside.graph->constant(values(std::vector<Size>{axis}, {1}));
}

}  // namespace

Value operator+(const Value& a, const Value& b) { return a.graph->node("Add", {a, b}); }
Value operator-(const Value& a, const Value& b) { return a.graph->node("Sub", {a, b}); }
Value operator*(const Value& a, const Value& b) { return a.graph->node("Mul", {a, b}); }
Value operator/(const Value& a, const Value& b) { return a.graph->node("Div", {a, b}); }
Value operator+(double a, const Value& b) { return number(b, a) + b; }
Value operator*(double a, const Value& b) { return number(b, a) * b; }

Value clamp(const Value& x, double low, double high) {
  return x.graph->node("Clip", {x, number(x, low), number(x, high)});
}
Value sigmoid(const Value& x) { return x.graph->node("Sigmoid", {x}); }
Value softmax(const Value& x) { return x.graph->node("Softmax", {x}, {{"axis", Size{-1}}}); }
Value log_softmax(const Value& x) { return x.graph->node("LogSoftmax", {x}, {{"axis", Size{-1}}}); }

Value norm(const Value& x, Size axis) {
  return x.graph->node("ReduceL2", {x}, {{"axes", std::vector<Size>{axis}}});
}
Value sum(const Value& x, Size axis) {
  return x.graph->node("ReduceSum", {x, axes(x, axis)}, {{"keepdims", Size{0}}});
}
Value max(const Value& x, Size axis) {
  return x.graph->node("ReduceMax", {x},
                       {{"axes", std::vector<Size>{axis}}, {"keepdims", Size{0}}});
}

Value concat(const Values& parts) {
  return parts.at(0).graph->node("Concat", parts, {{"axis", Size{-1}}});
}
Value expand(const Value& x, Size axis) { return x.graph->node("Unsqueeze", {x, axes(x, axis)}); }
Value squeeze(const Value& x, Size axis) { return x.graph->node("Squeeze", {x, axes(x, axis)}); }
Value index_select(const Value& x, const Value& index) {
  return x.graph->node("Gather", {x, index}, {{"axis", Size{0}}});
}
Value linear(const Value& x, const unroll::Parameter& W) {
  const Value turned =
      x.graph->node("Transpose", {x.graph->weight(W)}, {{"perm", std::vector<Size>{1, 0}}});
  return x.graph->node("MatMul", {x, turned});
}
Value linear(const Value& x, const unroll::Linear& layer) {
  const Value product = linear(x, layer.W);
  return layer.b.empty() ? product : product + x.graph->weight(layer.b);
}
Value embedding(const unroll::Parameter& W, const Value& tokens) {
  return index_select(tokens.graph->weight(W), tokens);
}

Padded padded_input(Graph& graph, const std::string& tokens, const std::string& lengths,
                    const std::string& steps, const std::string& batch) {
  const Value read = graph.input(tokens, unroll::int64, {steps, batch});
  const Value ends = graph.input(lengths, unroll::int64, {batch});
  const auto whole = [&](Size n) { return graph.constant(values(std::vector<Size>{n}, {})); };
  // Step t is real where t < length.
  const Value count = index_select(graph.node("Shape", {read}), whole(0));
  const Value t = expand(graph.node("Range", {whole(0), count, whole(1)}), -1);
  const Value real = graph.node("Less", {t, ends});
  constexpr Size kFloat = 1;  // TensorProto.DataType
  return {ends, graph.node("Cast", {real}, {{"to", kFloat}}), read};
}

}  // namespace tasks::onnx
