// Sentences of a CSV file with the tag of each word. Words and tags become numbers in encoded.hpp.
#pragma once

#include <string>
#include <vector>

#include "common/csv.hpp"
#include "common/lexicon.hpp"

namespace tasks::pos_tagging {

using Words = std::vector<std::string>;

/// What pos_tagging learns from and is measured on: columns Tokenized_Sentence and Tagged_Sentence,
/// in each field words or tags separated by single tabs.
///
///     Tokenized_Sentence,Tagged_Sentence
///     The<TAB>tide<TAB>turned<TAB>.,DET<TAB>NOUN<TAB>VERB<TAB>.
///
/// An empty field is a sentence of no words.
class TaggedCorpus {
 public:
  static constexpr Size kMostTags = 1000;

  /// `name` stands for the file in complaints. Throws BadInput "FILE: line 7: 12 words but 11 tags;
  /// expected a tag for each word", and for empty words or tags.
  TaggedCorpus(Csv csv, std::string name);

  const std::vector<Words>& sentences() const { return sentences_; }
  /// The tags that occur, the most frequent first. Throws BadInput if there are none, or more than
  /// kMostTags: then the columns must hold something else.
  Lexicon tags() const;
  /// The number of each tag, sentence by sentence. Throws BadInput "FILE: line 7: the tag 'FOO' is
  /// none of the model's: NOUN, VERB and so on".
  std::vector<std::vector<Size>> encode_tags(const Lexicon& tags) const;
  /// Throws BadInput "FILE: parts...".
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    bad_input(name_, ": ", parts...);
  }

 private:
  Csv csv_;
  std::string name_;
  std::vector<Words> sentences_, tags_;
};

/// The column Tokenized_Sentence alone.
std::vector<Words> read_sentences(const Csv& csv);

}  // namespace tasks::pos_tagging
