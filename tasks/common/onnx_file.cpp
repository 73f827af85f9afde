// Graphs as the protobuf messages of ONNX's own library. Without it the program can do everything
// else.
#include "common/onnx_file.hpp"

#include "common/bad_input.hpp"
#include "common/files.hpp"

#ifdef UNROLL_ONNX

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <limits>

namespace tasks::onnx {
namespace {

using ::onnx::AttributeProto;
using ::onnx::ModelProto;
using ::onnx::TensorProto;
using unroll::Array;
using unroll::Type;

TensorProto::DataType type_of(Type type) {
  return type == unroll::int64 ? TensorProto::INT64 : TensorProto::FLOAT;
}

void write(TensorProto& to, const std::string& name, const Array& numbers) {
  const bool whole = numbers.type() == unroll::int64;
  const Array plain = (whole ? numbers : numbers.to(unroll::float32)).contiguous();
  to.set_name(name);
  to.set_data_type(type_of(plain.type()));
  for (int k = 0; k < plain.rank(); ++k) to.add_dims(plain.size(k));
  const std::size_t width = whole ? sizeof(Size) : sizeof(float);
  to.set_raw_data(plain.raw(), static_cast<std::size_t>(plain.size()) * width);
}

void write(::onnx::ValueInfoProto& to, const Declaration& declaration) {
  to.set_name(declaration.name);
  auto& tensor = *to.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type_of(declaration.type));
  tensor.mutable_shape();
  for (const auto& axis : declaration.axes) {
    auto& dimension = *tensor.mutable_shape()->add_dim();
    if (const Size* size = std::get_if<Size>(&axis))
      dimension.set_dim_value(*size);
    else
      dimension.set_dim_param(std::get<std::string>(axis));
  }
}

/// Fills the field of an attribute that its type has.
struct AttributeWriter {
  AttributeProto& to;

  void operator()(Size x) const { to.set_type(AttributeProto::INT), to.set_i(x); }
  void operator()(const std::string& x) const { to.set_type(AttributeProto::STRING), to.set_s(x); }
  void operator()(const std::vector<Size>& x) const {
    to.set_type(AttributeProto::INTS);
    to.mutable_ints()->Add(x.begin(), x.end());
  }
};

void write(::onnx::NodeProto& to, const Node& node) {
  to.set_name(node.name);
  to.set_op_type(node.op);
  for (const std::string& name : node.inputs) to.add_input(name);
  for (const std::string& name : node.results) to.add_output(name);
  for (const auto& [name, value] : node.attributes) {
    AttributeProto& attribute = *to.add_attribute();
    attribute.set_name(name);
    std::visit(AttributeWriter{attribute}, value);
  }
}

ModelProto message_of(const Graph& graph) {
  // ONNX 1.8, which all runtimes of today read.
  constexpr int kFormat = 7, kOperators = 13;
  ModelProto model;
  model.set_ir_version(kFormat);
  model.set_producer_name("unroll");
  model.add_opset_import()->set_version(kOperators);
  auto& to = *model.mutable_graph();
  to.set_name("network");
  for (const auto& [name, numbers] : graph.constants()) write(*to.add_initializer(), name, numbers);
  for (const Declaration& input : graph.inputs()) write(*to.add_input(), input);
  for (const Node& node : graph.nodes()) write(*to.add_node(), node);
  for (const Declaration& output : graph.outputs()) write(*to.add_output(), output);
  for (const auto& [name, text] : graph.metadata()) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(name);
    entry.set_value(text);
  }
  return model;
}

}  // namespace

bool writes_files() { return true; }

void require_place(const std::string& path) {
  require_writable(path);
  if (!std::filesystem::exists(path)) return;
  ModelProto there;
  if (!there.ParseFromString(read_file(path)) || !there.has_graph())
    bad_input(path, " exists and is no ONNX file; choose another --onnx");
}

void save(const Graph& graph, const std::string& path) {
  require_place(path);
  const ModelProto model = message_of(graph);
  if (model.ByteSizeLong() > std::numeric_limits<int>::max())
    graph.refuse("is larger than an ONNX file can be, 2 GB");
  write_file(path, model.SerializeAsString());
}

}  // namespace tasks::onnx

#else

namespace tasks::onnx {

bool writes_files() { return false; }

void require_place(const std::string& path) {
  bad_input(path, ": this program was built without ONNX (Debian: libonnx-dev)");
}

void save(const Graph&, const std::string& path) { require_place(path); }

}  // namespace tasks::onnx

#endif
