// The tagger that goes from left to right and reads its own tags: a recurrent network that is fed
// with each word and the tag of the word before.
#pragma once

#include "pos_tagging/tagger.hpp"

namespace tasks::pos_tagging {

/// p(tags | words) = prod_t p(tag_t | words up to t + lookahead, tags before t), so the sequence of
/// the largest probability is looked for: greedily or by beam search. In training the tags before
/// are the true ones (teacher forcing). K, which is no tag, stands for both borders of the
/// sentence: it is read before the first word and ends a sequence in the search.
class TagFed final : public Tagger {
 public:
  TagFed(const Settings& settings, const Vocabulary& vocabulary);

  using Tagger::loss;
  unroll::RecurrentStates read(const Batch& batch) const override;
  unroll::Variable loss(const unroll::RecurrentStates& states, const Batch& batch) const override;
  std::vector<std::vector<Size>> tags(const Batch& batch, Size beams) const override;

 private:
  /// (T, B, size): each word and those it may look ahead to.
  unroll::Variable inputs(const Batch& batch) const;

  double dropout_;
  Size border_, lookahead_;
  WordEncoder encode_;
  unroll::Embedding tag_;
  unroll::Recurrent rnn_;
  unroll::Linear readout_;
};

}  // namespace tasks::pos_tagging
