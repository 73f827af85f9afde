// Graphs as lists in the order in which they were made, which is one that ONNX allows: each value
// is there before it is used.
#include "common/onnx_graph.hpp"

#include "common/bad_input.hpp"

namespace tasks::onnx {

std::string Declaration::text() const {
  std::string list;
  for (const auto& axis : axes) {
    const Size* size = std::get_if<Size>(&axis);
    list +=
        (list.empty() ? "" : ", ") + (size ? std::to_string(*size) : std::get<std::string>(axis));
  }
  return name + (type == unroll::int64 ? " int64 (" : " float32 (") + list + ")";
}

Graph::Graph(const unroll::Module& net, std::string source) : source_(std::move(source)) {
  for (const unroll::NamedParameter& p : net.named_parameters())
    paths_[&p.parameter.data()] = p.name;
}

Value Graph::input(const std::string& name, unroll::Type type, const Axes& axes) {
  inputs_.push_back({name, type, axes});
  return {this, name};
}

void Graph::output(const std::string& name, const Value& value, const Axes& axes) {
  nodes_.push_back({name, "Identity", {value.name}, {name}, {}});
  outputs_.push_back({name, unroll::float32, axes});
}

Value Graph::node(const std::string& op, const Values& inputs, const Attributes& attributes) {
  return nodes(op, inputs, attributes, 1)[0];
}

Values Graph::nodes(const std::string& op, const Values& inputs, const Attributes& attributes,
                    std::size_t count) {
  Node node{unroll::join(op, nodes_.size()), op, {}, {}, attributes};
  for (const Value& value : inputs) node.inputs.push_back(value.name);
  Values results;
  for (std::size_t k = 0; k < count; ++k) {
    results.push_back({this, unroll::join(node.name, "/", k)});
    node.results.push_back(results.back().name);
  }
  nodes_.push_back(std::move(node));
  return results;
}

Value Graph::constant(const unroll::Array& numbers, const std::string& name) {
  constants_.emplace_back(name.empty() ? unroll::join("Constant", constants_.size()) : name,
                          numbers);
  return {this, constants_.back().first};
}

Value Graph::weight(const unroll::Parameter& parameter) {
  const auto [place, is_new] = weights_.try_emplace(&parameter.data());
  if (is_new) place->second = constant(parameter.value(), path_of(parameter));
  return place->second;
}

const std::string& Graph::path_of(const unroll::Parameter& parameter) const {
  const auto found = paths_.find(&parameter.data());
  if (found == paths_.end())
    unroll::fail("onnx", parameter.name(), " is no Parameter of the network.");
  return found->second;
}

void Graph::refuse(const std::string& what) const { bad_input(source_, ": ", what); }

}  // namespace tasks::onnx
