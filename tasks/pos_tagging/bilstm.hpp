// The tagger that sees the whole sentence: a recurrent network in both directions, and above it
// either a choice for each word by itself or a conditional random field.
#pragma once

#include <optional>

#include "pos_tagging/tagger.hpp"

namespace tasks::pos_tagging {

/// Scores of the tags of each word: readout(states of the words read in both directions).
/// Without a CRF tags are independent given the words, log p = sum_t log softmax(scores_t)[tag_t];
/// with one they depend on their neighbours (Huang et al. 2015, "Bidirectional LSTM-CRF models for
/// sequence tagging").
class BiLSTM final : public Tagger {
 public:
  BiLSTM(const Settings& settings, const Vocabulary& vocabulary);

  using Tagger::loss;
  unroll::RecurrentStates read(const Batch& batch) const override;
  unroll::Variable loss(const unroll::RecurrentStates& states, const Batch& batch) const override;
  std::vector<std::vector<Size>> tags(const Batch& batch, Size beams) const override;
  void describe(onnx::Graph& graph) const override;

 private:
  unroll::Variable scores(const unroll::RecurrentStates& states) const;  // (T, B, K)

  std::string cell_;
  double dropout_;
  WordEncoder encode_;
  unroll::Recurrent rnn_;
  unroll::Linear readout_;
  std::optional<unroll::CRF> crf_;
};

}  // namespace tasks::pos_tagging
