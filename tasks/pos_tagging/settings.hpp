// What a tagger is built from, as the command line and model files say it.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <unroll/autograd/shape.hpp>

namespace tasks::pos_tagging {

using unroll::Size;

/// The limits keep a broken model file from asking for all memory.
struct Settings {
  static constexpr Size kMostLayers = 4, kMostLookahead = 8, kMostUnits = 2048;

  std::string cell = "lstm";  ///< that reads the words
  bool crf = false;           ///< bilstm: learned scores of a tag after another
  double dropout = 0.4;       ///< of words, states and tags
  Size embedding = 100;       ///< numbers that stand for a word
  Size hidden = 128;          ///< units of the cell, in each direction
  Size layers = 1;
  Size letter_embedding = 24, letter_hidden = 32;
  Size lookahead = 1;  ///< tag-fed: words seen after the present one
  std::string model = "bilstm";
  Size tag_embedding = 16;  ///< tag-fed

  /// bilstm and tag-fed.
  static const std::vector<std::string>& models();
  /// The defaults of one of them.
  static Settings of(const std::string& model);

  nlohmann::json to_json() const;
  /// Throws BadInput naming `path` for settings that are missing or out of range.
  static Settings from_json(const nlohmann::json& json, const std::string& path);
};

}  // namespace tasks::pos_tagging
