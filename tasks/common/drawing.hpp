// Pictures of graphs: DOT text through Graphviz into a file.
// The DOT text itself comes from the library (autograd/graph.hpp).
#pragma once

#include <string>

namespace tasks {

/// Throws BadInput unless the name ends in .svg, .png, .pdf or .dot and can be written.
void require_drawable(const std::string& path);

/// Draws it by Graphviz's `dot` in the format that the name ends in, or writes the DOT text itself
/// if it ends in .dot. Without Graphviz the text goes beside it, with .dot at the end. Returns a
/// sentence about what was written.
std::string draw(const std::string& dot, const std::string& path);

}  // namespace tasks
