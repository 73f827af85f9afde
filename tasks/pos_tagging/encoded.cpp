// Each different word is looked up and spelled once; sentences are lists of such words.
#include "pos_tagging/encoded.hpp"

#include <utility>

#include "common/text.hpp"
#include "common/words.hpp"

namespace tasks::pos_tagging {
namespace {

/// The first and the last letters of a word: beginning and ending tell what it is.
Words letters_of(const std::string& word) {
  constexpr std::size_t kHalf = 6;
  const std::u32string letters = decode_utf8(word, "a word");
  Words list;
  for (std::size_t k = 0; k < letters.size(); ++k)
    if (k < kHalf || k + kHalf >= letters.size()) list.push_back(encode_utf8(letters[k]));
  return list;
}

}  // namespace

Vocabulary Vocabulary::of(const std::vector<Words>& sentences, const Lexicon& tags, Size min_freq) {
  Lexicon different;
  std::vector<Words> lowered, spelled;
  for (const Words& sentence : sentences) {
    lowered.emplace_back();
    for (const std::string& word : sentence) {
      lowered.back().push_back(lowercased(word));
      if (different.find(word) < 0) spelled.push_back(letters_of(word));
      different.add(word);
    }
  }
  return {Lexicon::of_words(spelled, min_freq), tags, Lexicon::of_words(lowered, min_freq)};
}

bool Vocabulary::is_complete() const {
  return words.is_of_words() && letters.is_of_words() && 1 <= tags.size() &&
         tags.size() <= TaggedCorpus::kMostTags;
}

EncodedSentences::EncodedSentences(const std::vector<Words>& sentences,
                                   const Vocabulary& vocabulary,
                                   std::vector<std::vector<Size>> tags)
    : forms_(1), tags_(std::move(tags)) {
  for (const Words& sentence : sentences) {
    sentences_.emplace_back();
    for (const std::string& word : sentence) sentences_.back().push_back(form_of(word, vocabulary));
    lengths_.push_back(static_cast<Size>(sentence.size()));
  }
  if (tags_.empty())
    for (Size length : lengths_) tags_.emplace_back(length, 0);
}

Size EncodedSentences::form_of(const std::string& word, const Vocabulary& vocabulary) {
  const auto [place, is_new] = numbers_.try_emplace(word, static_cast<Size>(forms_.size()));
  if (is_new)
    forms_.push_back({vocabulary.words.encode_words({lowercased(word)})[0],
                      vocabulary.letters.encode_words(letters_of(word))});
  return place->second;
}

bool EncodedSentences::is_known(Size row, Size k) const {
  const Size form = sentences_[static_cast<std::size_t>(row)][static_cast<std::size_t>(k)];
  return forms_[static_cast<std::size_t>(form)].word != Lexicon::kUnknown;
}

Batch EncodedSentences::batch(const std::vector<Size>& rows, const BatchOptions& options) const {
  Padded words = pad(sentences_, rows);  // forms, until each is looked at
  Array spellings(words.tokens.shape(), unroll::int64);
  Size *token = words.tokens.mutable_data<Size>(), *spelling = spellings.mutable_data<Size>();
  std::unordered_map<Size, Size> columns;
  std::vector<std::vector<Size>> letters;
  std::vector<Size> all;
  const auto column_of = [&](Size form) {
    const auto [place, is_new] = columns.try_emplace(form, static_cast<Size>(letters.size()));
    if (is_new) {
      all.push_back(place->second);
      letters.push_back(forms_[static_cast<std::size_t>(form)].letters);
    }
    return place->second;
  };
  column_of(kNone);
  for (Size i = 0; i < words.tokens.size(); ++i) {
    const Size form = token[i];
    const bool left_out = form != kNone && options.word_dropout > 0 &&
                          options.generator->uniform() < options.word_dropout;
    spelling[i] = column_of(form);
    token[i] = left_out ? Lexicon::kUnknown : forms_[static_cast<std::size_t>(form)].word;
  }
  return {pad(letters, all), spellings, pad(tags_, rows).tokens, std::move(words)};
}

std::vector<std::vector<Size>> limited(const std::vector<std::vector<Size>>& batches,
                                       const std::vector<Size>& lengths, Size words) {
  std::vector<std::vector<Size>> parts;
  for (const std::vector<Size>& batch : batches) {
    std::vector<Size> part;
    for (Size row : batch) {
      const Size width = static_cast<Size>(part.size()) + 1;
      if (width > 1 && width * lengths[static_cast<std::size_t>(row)] > words)
        parts.push_back(std::exchange(part, {}));
      part.push_back(row);
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace tasks::pos_tagging
