// The network of language_modeling, and the settings it is built from and saved with.
// How it is trained, measured and asked for text is in language_modeling.cpp.
#pragma once

#include <string>

#include <unroll/unroll.hpp>

#include "common/model_file.hpp"

namespace tasks {

/// What a network is built from. The limits keep a broken model file from asking for all memory.
struct Settings {
  static constexpr Size kMostLayers = 3, kMostUnits = 4096;

  std::string cell = "lstm";
  double dropout = 0.2;
  Size embedding = 64, hidden = 256, layers = 1;

  nlohmann::json to_json() const;
  /// Throws BadInput naming `path` for settings that are missing or out of range.
  static Settings from_json(const nlohmann::json& json, const std::string& path);
};

/// Embedding -> layers of a recurrent cell -> logits of the next character.
struct LanguageModel : unroll::Module {
  LanguageModel(const Settings& settings, Size vocabulary);

  double dropout;
  unroll::Embedding embed;
  unroll::Recurrent rnn;
  unroll::Linear readout;

  using State = unroll::Recurrent::State;
  struct Result {
    unroll::Variable logits;  ///< (T, B, V)
    State state;              ///< after the last step
  };
  /// x: int64 (T, B), the state before it empty for zeros.
  Result operator()(const unroll::Array& x, const State& state) const;
};

/// A network with the vocabulary it reads.
struct TrainedModel {
  Settings settings;
  Lexicon lexicon;
  LanguageModel net;

  /// Throws BadInput if save() could not write there, or would replace what is no such file.
  static void require_place(const std::string& path);
  void save(const nlohmann::json& scores, const std::string& path) const;
  /// Throws BadInput, one line, for anything that is not such a file.
  static TrainedModel load(const std::string& path);
};

}  // namespace tasks
