// Sentences as numbers, and batches of them: what the taggers read. Where sentences come from is
// corpus.hpp's business.
#pragma once

#include <unordered_map>
#include <vector>

#include <unroll/autograd/generator.hpp>

#include "common/padded_batches.hpp"
#include "pos_tagging/corpus.hpp"

namespace tasks::pos_tagging {

/// What a model knows. Words are in lower case: the letters tell the case.
struct Vocabulary {
  Lexicon letters, tags, words;

  /// Of the sentences learned from; words and letters of fewer than `min_freq` occurrences are
  /// unknown (letters: in different words).
  static Vocabulary of(const std::vector<Words>& sentences, const Lexicon& tags, Size min_freq);
  /// False for lexicons that are none of these, as a broken file might hold.
  bool is_complete() const;
};

/// Sentences side by side, T steps of B sentences with F different words, the longest of which has
/// C letters. A word stands for itself twice: by its number, and by its spelling.
struct Batch {
  Padded letters;   ///< (C, F): the words letter by letter; column 0 is no word at all
  Array spellings;  ///< (T, B) int64: in which column a word's letters stand
  Array tags;       ///< (T, B) int64
  Padded words;     ///< (T, B)
};

struct BatchOptions {
  /// Draws which words are left out.
  unroll::Generator* generator = nullptr;
  /// Probability that a word is taken for an unknown one, so that a model learns what to make of
  /// <UNK>; its letters stay.
  double word_dropout = 0;
};

class EncodedSentences {
 public:
  /// Without tags, all are 0.
  EncodedSentences(const std::vector<Words>& sentences, const Vocabulary& vocabulary,
                   std::vector<std::vector<Size>> tags = {});

  Size size() const { return static_cast<Size>(sentences_.size()); }
  /// In words.
  const std::vector<Size>& lengths() const { return lengths_; }
  const std::vector<Size>& tags(Size row) const { return tags_[static_cast<std::size_t>(row)]; }
  /// Whether the model knows word k of a sentence.
  bool is_known(Size row, Size k) const;

  Batch batch(const std::vector<Size>& rows, const BatchOptions& options = {}) const;

 private:
  struct Form {
    Size word = Lexicon::kPadding;
    std::vector<Size> letters = {};
  };
  static constexpr Size kNone = 0;  // the form of padding
  Size form_of(const std::string& word, const Vocabulary& vocabulary);

  std::vector<Form> forms_;  // each different word once
  std::unordered_map<std::string, Size> numbers_;
  std::vector<std::vector<Size>> sentences_, tags_;  // forms by number
  std::vector<Size> lengths_;
};

/// Batches cut so that none holds more than `words` with its padding, but for single sentences:
/// memory is bounded by the longest sentence. Rows of a batch must be ordered by length.
std::vector<std::vector<Size>> limited(const std::vector<std::vector<Size>>& batches,
                                       const std::vector<Size>& lengths, Size words);

}  // namespace tasks::pos_tagging
