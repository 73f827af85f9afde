// Graphs as .onnx files. How a network becomes a graph is told in onnx_graph.hpp.
#pragma once

#include <string>

#include "common/onnx_graph.hpp"

namespace tasks::onnx {

/// Whether the program was built with ONNX's library.
bool writes_files();

/// Throws BadInput if no file could be written there, if one is there that is not ONNX's, and if
/// the program was built without ONNX.
void require_place(const std::string& path);

/// Writes the file in one move; whoever looks sees the old one or the new one. Throws BadInput as
/// require_place, and for more than the 2 GB that such a file can hold.
void save(const Graph& graph, const std::string& path);

}  // namespace tasks::onnx
