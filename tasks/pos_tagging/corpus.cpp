// Reading and checking of tagged sentences. That a file is CSV in UTF-8 has been seen to by Csv.
#include "pos_tagging/corpus.hpp"

#include "common/text.hpp"
#include "common/words.hpp"

namespace tasks::pos_tagging {
namespace {

constexpr const char *kSentences = "Tokenized_Sentence", *kTags = "Tagged_Sentence";

std::string listed(const Lexicon& tags) {
  constexpr Size kListed = 20;
  std::string list;
  for (Size k = 0; k < std::min(kListed, tags.size()); ++k)
    list += (k ? ", " : "") + excerpt(tags[k]);
  return tags.size() > kListed ? list + ", ..." : list;
}

std::string counted(std::size_t n, const char* what) {
  return unroll::join(n, " ", what, n == 1 ? "" : "s");
}

/// The items of each field of a column, none of them empty.
std::vector<Words> items(const Csv& csv, const char* column, const char* what) {
  std::vector<Words> rows;
  for (const std::string& field : csv.column(column)) {
    rows.push_back(split(field, '\t'));
    const Words& row = rows.back();
    for (std::size_t k = 0; k < row.size(); ++k)
      if (row[k].empty())
        csv.refuse(static_cast<Size>(rows.size()) - 1, what, " ", k + 1, " of ", row.size(),
                   " is empty; expected one tab between two and none at the ends");
  }
  return rows;
}

}  // namespace

TaggedCorpus::TaggedCorpus(Csv csv, std::string name)
    : csv_(std::move(csv)), name_(std::move(name)), sentences_(read_sentences(csv_)),
      tags_(items(csv_, kTags, "tag")) {
  for (std::size_t row = 0; row < tags_.size(); ++row)
    if (sentences_[row].size() != tags_[row].size())
      csv_.refuse(static_cast<Size>(row), counted(sentences_[row].size(), "word"), " but ",
                  counted(tags_[row].size(), "tag"), "; expected a tag for each word");
}

std::vector<Words> read_sentences(const Csv& csv) { return items(csv, kSentences, "word"); }

Lexicon TaggedCorpus::tags() const {
  const Lexicon known = Lexicon::of_words(tags_);  // <PAD> and <UNK> first
  const Lexicon tags(Words(known.tokens().begin() + Lexicon::kUnknown + 1, known.tokens().end()));
  if (tags.size() == 0) refuse("holds no words to learn from");
  if (tags.size() > kMostTags)
    refuse(tags.size(), " different tags in ", kTags, "; expected at most ", kMostTags);
  return tags;
}

std::vector<std::vector<Size>> TaggedCorpus::encode_tags(const Lexicon& tags) const {
  std::vector<std::vector<Size>> numbers(tags_.size());
  for (std::size_t row = 0; row < tags_.size(); ++row) {
    for (const std::string& tag : tags_[row]) {
      numbers[row].push_back(tags.find(tag));
      if (numbers[row].back() < 0)
        csv_.refuse(static_cast<Size>(row), "the tag '", excerpt(tag),
                    "' is none of the model's: ", listed(tags));
    }
  }
  return numbers;
}

}  // namespace tasks::pos_tagging
