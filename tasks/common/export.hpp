// The verb export, which is the same in all programs: MODEL --onnx FILE. How a network becomes a
// graph, each program says itself.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/command_line.hpp"
#include "common/onnx_graph.hpp"

namespace tasks {

/// The network of a model file as a graph.
using Describe = std::function<std::unique_ptr<onnx::Graph>(const std::string& model)>;

/// Adds the verb. The file also gets the metadata of the model file: vocabulary, settings, scores.
void add_export(CLI::App& app, const std::string& model, Describe describe);

}  // namespace tasks
