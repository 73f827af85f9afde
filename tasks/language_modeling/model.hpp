// The network of language_modeling, and the settings it is built from and saved with.
// How it is trained, measured and asked for text is in files of their own.
#pragma once

#include <optional>
#include <string>

#include <unroll/unroll.hpp>

#include "common/batches.hpp"
#include "common/model_file.hpp"
#include "common/onnx_graph.hpp"

namespace tasks {

/// What a network is built from. The limits keep a broken model file from asking for all memory.
struct Settings {
  static constexpr Size kMostLayers = 3, kMostUnits = 4096;

  bool adaptive = false;  ///< an adaptive softmax: rare words cost less, and fit less well
  std::string cell = "lstm";
  double dropout = 0.2;  ///< of outputs, between layers and, of words, of inputs
  Size embedding = 64, hidden = 256, layers = 1;
  double recurrent_dropout = 0;  ///< of the weights U, which the state goes through
  bool stories = false;          ///< separate ones, each with an end, instead of a running text
  bool tied = false;             ///< the output layer has the weights of the embedding
  std::string tokens = "characters";
  bool variational = false;  ///< dropout is the same at all steps of a window

  nlohmann::json to_json() const;
  /// Throws BadInput naming `path` for settings that are missing or out of range.
  static Settings from_json(const nlohmann::json& json, const std::string& path);
};

/// Embedding -> layers of a recurrent cell -> a distribution of the next token, by a Linear, by the
/// embedding itself (Press and Wolf 2017) or by an adaptive softmax.
struct LanguageModel : unroll::Module {
  /// Throws BadInput if tied and adaptive, or adaptive for so few tokens that it makes no sense.
  LanguageModel(const Settings& settings, Size vocabulary);

  using State = unroll::Recurrent::State;
  struct Result {
    unroll::Variable h;              ///< (T, B, ...), what the output layer sees
    unroll::RecurrentStates states;  ///< the last one is where to go on from
  };
  /// x: int64 (T, B), real for `lengths` steps (empty: all), after `state` (empty: the start).
  Result operator()(const unroll::Variable& x, const State& state,
                    const std::vector<Size>& lengths = {}) const;
  /// Minus log p of the tokens y (T, B) after h.
  unroll::Variable loss(const unroll::Variable& h, const unroll::Variable& y,
                        const unroll::LossOptions& options) const;
  /// Log p of all tokens after h, but for a constant: (..., V).
  unroll::Variable logits(const unroll::Variable& h) const;

  Settings settings;
  unroll::Parameter embedding;
  unroll::Recurrent rnn;
  std::optional<unroll::Linear> project, readout;
  unroll::Parameter bias;
  std::optional<unroll::AdaptiveSoftmax> softmax;

 private:
  unroll::Variable dropped(const unroll::Variable& x) const;
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

/// Tokens, lengths and the states before them to log p of all tokens at each step, and the states
/// after them. Throws BadInput naming `source` for an adaptive softmax, or a cell that ONNX has
/// not.
std::unique_ptr<onnx::Graph> to_onnx(const TrainedModel& model, const std::string& source);

}  // namespace tasks
