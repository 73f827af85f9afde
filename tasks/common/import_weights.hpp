// The verb import: weights that Keras or PyTorch has trained take the place of those of a model of
// ours. What becomes of gates is the library's business (layers/import.hpp).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <unroll/layers/module.hpp>
#include <unroll/layers/named_arrays.hpp>

#include "common/command_line.hpp"
#include "common/lexicon.hpp"

namespace tasks {

struct ImportOptions {
  bool json = false;
  std::string model = {};                ///< gives settings and, without one, the vocabulary
  std::vector<std::string> rename = {};  ///< "OLD=NEW"
  std::string save = {}, vocabulary = {}, weights = {};
};

/// Adds the verb; `model` is where the program's models are unless told otherwise. `import` returns
/// how many weights the new model has.
void add_import(CLI::App& app, const std::string& model,
                std::function<unroll::Size(const ImportOptions&)> import);

/// A JSON list of tokens, the number of each being its place. Throws BadInput for anything else,
/// and for tokens that are there twice.
Lexicon read_vocabulary(const std::string& path);

/// The arrays of a .h5 file of Keras 2, or of a state dict of PyTorch saved as safetensors: named
/// as ours are (from_keras, from_pytorch). Throws BadInput.
unroll::NamedArrays read_weights(const std::string& path);

/// The arrays with the layers' names of `net`. Those that it does not know are taken in order:
/// if both hold as many layers of a kind, an embedding, a kind of cell, a Linear, the first
/// is the first; gru_9 comes before gru_10.
unroll::NamedArrays named_as_in(const unroll::Module& net, const unroll::NamedArrays& arrays);

/// Reads options.weights, renames, and puts them into `net`. Throws BadInput that lists every
/// missing and unexpected name and every wrong shape, and then has changed nothing.
void import_weights(unroll::Module& net, const ImportOptions& options);

}  // namespace tasks
