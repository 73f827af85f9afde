// A training in a file: weights, optimiser, random numbers, place in the data, what it remembers of
// the past. When one is written is decided in fit.cpp.
#pragma once

#include "common/fit.hpp"

namespace tasks {

/// Where a training stands, besides weights and optimiser.
struct Standing {
  Size batch = 0, epoch = 0;  ///< to be done next
  Size elements = 0, step = 0;
  unroll::Generator::State epoch_began = {}, generator = {};
  Size best = -1;      ///< index of the best epoch in the history
  int since_best = 0;  ///< epochs after it
  double rate = 0;     ///< what a plateau has left of the learning rate
  double seconds = 0;  ///< of training
  double train = 0;    ///< the loss of the latest batches
  unroll::NamedArrays best_weights = {};  ///< what a model file may have lost by then
  History history = {};
};

/// Copies of all weights: they do not change as the network learns.
unroll::NamedArrays copied_weights(const unroll::Module& net);

/// Writes the file in one move. Throws BadInput if it cannot be written.
void write_checkpoint(const std::string& path, const Learner& learner, const Standing& standing,
                      const unroll::NamedArrays& carried, const nlohmann::json& identity);

/// Puts weights and optimiser back as they were. Throws BadInput for a file that is missing, broken
/// or of another training, saying in what it differs, and then changes nothing.
Standing read_checkpoint(const std::string& path, const Learner& learner,
                         unroll::NamedArrays& carried, const nlohmann::json& identity);

}  // namespace tasks
