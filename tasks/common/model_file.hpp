// A trained model in one safetensors file: weights, vocabulary, settings and scores.
// The format itself is the library's (layers/save.hpp); what the settings mean is the program's.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <unroll/layers/module.hpp>

#include "common/lexicon.hpp"

namespace tasks {

/// What a model file says besides the weights.
struct ModelCard {
  Lexicon lexicon;
  nlohmann::json settings;  ///< what the network is built from
  nlohmann::json scores;    ///< what it reached, for people
};

/// Throws BadInput unless a model can be written there: in place of nothing, or of a model of the
/// same program. To be asked before an hour of training.
void require_model_place(const std::string& program, const std::string& path);

/// Writes the file in one move: whoever looks sees the old one or the new one. Throws BadInput if
/// it cannot be written.
void save_model(const unroll::Module& net, const ModelCard& card, const std::string& program,
                const std::string& path);

/// The card, from which the network is built. Throws BadInput for a file that is missing, broken,
/// or written by another program.
ModelCard load_card(const std::string& program, const std::string& path);

/// The weights into a network built as the card says. Throws BadInput if they do not fit it.
void load_weights(unroll::Module& net, const std::string& path);

}  // namespace tasks
