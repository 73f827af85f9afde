// Words by number and by spelling, and the choice between the two taggers.
#include "pos_tagging/tagger.hpp"

#include "pos_tagging/bilstm.hpp"
#include "pos_tagging/tag_fed.hpp"

namespace tasks::pos_tagging {

using namespace unroll;

WordEncoder::WordEncoder(const Settings& s, const Vocabulary& vocabulary)
    : dropout(s.dropout), size(s.embedding + 2 * s.letter_hidden),
      embed(parameter("embed", {vocabulary.words.size(), s.embedding}, init::normal(0.1))),
      letters(submodule("letters", Embedding(vocabulary.letters.size(), s.letter_embedding))),
      spell(submodule(
          "spell", recurrent<GRU>(s.letter_embedding, s.letter_hidden, {.bidirectional = true}))) {}

Variable WordEncoder::operator()(const Batch& batch) const {
  const auto read = over_time(spell, letters(batch.letters.tokens),
                              {.keep_states = false, .lengths = batch.letters.lengths});
  const Variable spelled = index_select(spell.output(read.last()), 0, batch.spellings);
  const Variable known = layer_output(*this, "embed", embedding(embed, batch.words.tokens));
  const Variable words = unroll::dropout(concat({known, spelled}), dropout);
  return layer_output(*this, words * expand(batch.words.mask, -1));
}

std::unique_ptr<Tagger> make_tagger(const Settings& settings, const Vocabulary& vocabulary) {
  if (settings.model == "tag-fed") return std::make_unique<TagFed>(settings, vocabulary);
  return std::make_unique<BiLSTM>(settings, vocabulary);
}

}  // namespace tasks::pos_tagging
