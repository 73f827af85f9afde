// A tagger with what it knows, in a file and out of it. How it is trained is in training.hpp.
#pragma once

#include <memory>

#include "common/model_file.hpp"
#include "pos_tagging/tagger.hpp"

namespace tasks::pos_tagging {

struct TrainedModel {
  Settings settings;
  Vocabulary vocabulary;
  std::unique_ptr<Tagger> net;

  /// Throws BadInput if save() could not write there, or would replace what is no such file.
  static void require_place(const std::string& path);
  void save(const nlohmann::json& scores, const std::string& path) const;
  /// Throws BadInput, one line, for anything that is not such a file.
  static TrainedModel load(const std::string& path);
};

/// Batches of EncodedSentences to probabilities of tags. Throws BadInput naming `source` for
/// anything but a bilstm without CRF of cells that ONNX has.
std::unique_ptr<onnx::Graph> to_onnx(const TrainedModel& model, const std::string& source);

}  // namespace tasks::pos_tagging
