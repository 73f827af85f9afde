// Texts of language_modeling as numbers and back: files, what a token is, which tokens there are.
// How numbers become batches is in common/batches.hpp.
#pragma once

#include <string>
#include <vector>

#include "language_modeling/model.hpp"

namespace tasks {

/// What a token can be: a Unicode character; a word or mark in lower case, as ICU cuts them; what
/// stands between white space, as in prepared corpora such as the Penn Treebank's: there each line
/// of a running text ends in <eos>, and <unk> is the unknown word.
inline const std::string kCharacters = "characters", kWords = "words", kSpaced = "spaced";
/// What stands before and after a story, and at the end of a line of spaced tokens.
inline const std::string kEndOfStory = "<END>", kEndOfLine = "<eos>";

/// The texts of a file: the fields of a column of a .csv, or else the whole file as one.
struct Documents {
  std::string name;  ///< for complaints
  std::vector<std::string> texts;
  bool stories = false;
};

/// Throws BadInput for what is not there, not UTF-8 or not CSV. An empty path stands for that file
/// of tasks/data.
Documents read_documents(const std::string& path, const std::string& column,
                         const std::string& built_in);

/// What stands for the texts of a user who names none: stories or a running text.
inline const std::string kBuiltInText = "harbour_year.txt", kBuiltInStories = "stories_train.csv",
                         kOtherBuiltInStories = "stories_test.csv";

/// The characters of the documents, or the words that occur min_freq times in the first of them,
/// which are to be learned.
Lexicon make_lexicon(const Documents& learned, const Documents& others, const Settings& settings,
                     Size min_freq);

/// Throws BadInput unless a network with these settings can read and write with it.
void require_lexicon(const Lexicon& lexicon, const Settings& settings, const std::string& path);

/// The tokens of one text, without an end token; words that are not in the lexicon are unknown.
/// Throws BadInput "NAME holds characters the model does not know: ...".
std::vector<Size> encode(const std::string& text, const Lexicon& lexicon, const Settings& settings,
                         const std::string& name);
/// The same for all texts.
std::vector<std::vector<Size>> encode(const Documents& documents, const Lexicon& lexicon,
                                      const Settings& settings);
/// The text again; words are joined as they are printed, marks without a space before them.
std::string decode(const std::vector<Size>& tokens, const Lexicon& lexicon,
                   const Settings& settings);

}  // namespace tasks
