// Draws what a tape has recorded, as a text for Graphviz: time steps side by side, Parameters once.
// Counts, bytes and times of a tape are in report.hpp.
#pragma once

#include <unroll/autograd/tape.hpp>

namespace unroll {

struct GraphOptions {
  /// Draw the nodes too that grad(..., {.create_graph = true}) has recorded.
  bool gradients = false;
  /// Only the nodes of this time step, and what they take from others; -1: all.
  Size step = -1;
  /// Write the numbers of small arrays; needs a tape with {.keep_values = true} for those that no
  /// gradient function asks for.
  bool values = false;
};

/// The graph in Graphviz's language: `dot -Tsvg` makes a picture of it. Works before and after
/// backward. Throws Error if .step names a step that was not recorded.
std::string dot(const Tape& tape, const GraphOptions& options = {});
/// The same into a file; throws Error naming the path.
void save_dot(const Tape& tape, const std::string& path, const GraphOptions& options = {});

}  // namespace unroll
