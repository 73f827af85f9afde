// onnx::Graph: a network written down operator by operator, for programs that know nothing of us.
// The operators are in onnx_ops.hpp, the file in onnx_file.hpp; what a network computes, each
// program says beside its networks.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include <unroll/layers/module.hpp>

namespace tasks::onnx {

using unroll::Size;

class Graph;

/// Something that a graph is given or computes.
struct Value {
  Graph* graph = nullptr;  ///< none for an input left out
  std::string name = {};
};
using Values = std::vector<Value>;

/// An input or output. An axis is of that size, or of any that all axes of its name share.
struct Declaration {
  std::string name;
  unroll::Type type;
  std::vector<std::variant<Size, std::string>> axes;

  /// "tokens int64 (steps, batch)".
  std::string text() const;
};
using Axes = decltype(Declaration::axes);

using Attributes = std::map<std::string, std::variant<Size, std::string, std::vector<Size>>>;

/// An operator with what goes in and comes out, by name.
struct Node {
  std::string name, op;
  std::vector<std::string> inputs, results;
  Attributes attributes;
};

/// Numbers are float32 and int64; operators are those of version 13 (ONNX 1.8).
class Graph {
 public:
  /// Of a network from the model file `source`, which stands in complaints.
  Graph(const unroll::Module& net, std::string source);
  Graph(const Graph&) = delete;  // values know where it is
  Graph& operator=(const Graph&) = delete;

  Value input(const std::string& name, unroll::Type type, const Axes& axes);
  /// A float32 value under that name.
  void output(const std::string& name, const Value& value, const Axes& axes);
  /// A text in the file that no operator reads: a vocabulary, settings.
  void metadata(const std::string& name, const std::string& text) { metadata_[name] = text; }

  /// The result of an operator, and the first `count` of them.
  Value node(const std::string& op, const Values& inputs, const Attributes& attributes = {});
  Values nodes(const std::string& op, const Values& inputs, const Attributes& attributes,
               std::size_t count);
  Value constant(const unroll::Array& numbers, const std::string& name = "");
  /// A Parameter of the network under its path there, once however often it is used.
  Value weight(const unroll::Parameter& parameter);
  /// Where a Parameter stands in the network. Throws Error if it does not.
  const std::string& path_of(const unroll::Parameter& parameter) const;

  /// Throws BadInput "SOURCE: what", if the network has something that ONNX cannot say.
  [[noreturn]] void refuse(const std::string& what) const;

  // What the file holds.
  const std::vector<std::pair<std::string, unroll::Array>>& constants() const { return constants_; }
  const std::vector<Declaration>& inputs() const { return inputs_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Declaration>& outputs() const { return outputs_; }

 private:
  std::vector<std::pair<std::string, unroll::Array>> constants_;
  std::vector<Declaration> inputs_, outputs_;
  std::map<std::string, std::string> metadata_;
  std::vector<Node> nodes_;
  std::map<const unroll::ParameterData*, std::string> paths_;
  std::string source_;
  std::map<const unroll::ParameterData*, Value> weights_;
};

}  // namespace tasks::onnx
