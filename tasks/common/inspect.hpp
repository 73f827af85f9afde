// The verb inspect of the programs: what is inside a trained network. Layers, weights and nearest
// words are found by their names here; which network it is, and how it reads a text, is told by
// each program.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <unroll/layers/module.hpp>

#include "common/command_line.hpp"
#include "common/lexicon.hpp"

namespace tasks {

struct InspectOptions {
  Size count = 10;  ///< of nearest words
  bool json = false;
  std::string layer = {};
  std::string model = {};
  std::string nearest = {};
  std::string output = {};
  std::string text = {};  ///< to be read by the network
  std::string weight = {};
};

/// What the numbers along an axis stand for.
struct AxisNames {
  std::string of;  ///< a weight "embed", an output "readout"
  const Lexicon& tokens;
};

/// What is told of a network.
struct Inside {
  const unroll::Module& net;
  /// Computes the network on the text, a batch of one.
  std::function<void()> compute;
  /// The tokens of that text: names of the rows of outputs (T, 1, ...).
  std::vector<std::string> tokens = {};
  /// Names of the rows of weights; of the first ones that the network has nearest words are told.
  std::vector<AxisNames> rows = {};
  /// Names along the last axis of outputs and weights.
  std::vector<AxisNames> columns = {};
};

/// Prints, or writes into a file, the output of a layer, a weight, nearest words by cosine, or the
/// list of all layers and weights with their shapes. Throws BadInput for a name that is not there,
/// saying which are.
void show_inside(const Inside& inside, const InspectOptions& options);

/// Declares the verb; `text` and `what` say what the network reads: "review", "a review, in
/// quotes".
void add_inspect(CLI::App& app, const std::string& text, const std::string& what,
                 InspectOptions& options,
                 const std::function<void(const InspectOptions&)>& inspect);

}  // namespace tasks
