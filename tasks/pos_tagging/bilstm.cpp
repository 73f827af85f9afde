// Scores, their loss and their best path. The formulas are in bilstm.hpp.
#include "pos_tagging/bilstm.hpp"

#include "common/cells.hpp"

namespace tasks::pos_tagging {

using namespace unroll;

BiLSTM::BiLSTM(const Settings& s, const Vocabulary& vocabulary)
    : cell_(s.cell), dropout_(s.dropout), encode_(submodule("encode", WordEncoder(s, vocabulary))),
      rnn_(submodule(
          "rnn", recurrent_of(s.cell, encode_.size, s.hidden,
                              {.bidirectional = true, .dropout = s.dropout, .layers = s.layers}))),
      readout_(submodule("readout", Linear(2 * s.hidden, vocabulary.tags.size()))) {
  if (s.crf) crf_.emplace(submodule("crf", CRF(vocabulary.tags.size())));
}

RecurrentStates BiLSTM::read(const Batch& batch) const {
  return over_time(rnn_, encode_(batch), {.lengths = batch.words.lengths});
}

Variable BiLSTM::scores(const RecurrentStates& states) const {
  return readout_(dropout(states.outputs(), dropout_));
}

Variable BiLSTM::loss(const RecurrentStates& states, const Batch& batch) const {
  const Variable given = scores(states);
  if (crf_) return -sum(crf_->log_likelihood(given, batch.tags, {.lengths = batch.words.lengths}));
  return cross_entropy(given, batch.tags,
                       {.lengths = batch.words.lengths, .reduction = Reduction::sum});
}

std::vector<std::vector<Size>> BiLSTM::tags(const Batch& batch, Size) const {
  const Variable given = scores(read(batch));
  const Variable best = crf_ ? crf_->viterbi(given, {.lengths = batch.words.lengths}).paths
                             : argmax(given);  // (T, B)
  std::vector<std::vector<Size>> tags(batch.words.lengths.size());
  const Array& numbers = best.value();
  const auto width = static_cast<Size>(tags.size());
  for (Size b = 0; b < width; ++b)
    for (Size t = 0; t < batch.words.lengths[b]; ++t)
      tags[b].push_back(numbers.data<Size>()[t * width + b]);
  return tags;
}

}  // namespace tasks::pos_tagging
