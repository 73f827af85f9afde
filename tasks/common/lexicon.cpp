// Tokens and their numbers, both ways. Which tokens there are is decided by the program.
#include "common/lexicon.hpp"

#include <algorithm>

#include "common/bad_input.hpp"
#include "common/text.hpp"

namespace tasks {
namespace {

const std::string kPaddingToken = "<PAD>", kUnknownToken = "<UNK>";

}  // namespace

Lexicon::Lexicon(const std::vector<std::string>& tokens) {
  for (const std::string& token : tokens) {
    const Size next = size();
    if (add(token) != next) bad_input("the vocabulary holds '", token, "' twice");
  }
}

Lexicon Lexicon::of_characters(std::u32string_view text) {
  Lexicon lexicon;
  for (char32_t c : text) lexicon.add(encode_utf8(c));
  return lexicon;
}

Lexicon Lexicon::of_words(const std::vector<std::vector<std::string>>& sentences, Size min_freq) {
  Lexicon seen({kPaddingToken, kUnknownToken});
  std::vector<Size> counts(2);
  for (const auto& sentence : sentences) {
    for (const std::string& word : sentence) {
      const Size number = seen.add(word);
      if (number == static_cast<Size>(counts.size())) counts.push_back(0);
      ++counts[number];
    }
  }
  std::vector<Size> kept;
  for (Size number = kUnknown + 1; number < seen.size(); ++number)
    if (counts[number] >= min_freq) kept.push_back(number);
  std::stable_sort(kept.begin(), kept.end(), [&](Size a, Size b) { return counts[a] > counts[b]; });
  Lexicon lexicon({kPaddingToken, kUnknownToken});
  for (Size number : kept) lexicon.add(seen[number]);
  return lexicon;
}

bool Lexicon::is_of_words() const {
  return find(kPaddingToken) == kPadding && find(kUnknownToken) == kUnknown;
}

Size Lexicon::add(const std::string& token) {
  const auto [place, is_new] = numbers_.try_emplace(token, size());
  if (is_new) tokens_.push_back(token);
  return place->second;
}

Size Lexicon::find(const std::string& token) const {
  const auto place = numbers_.find(token);
  return place == numbers_.end() ? -1 : place->second;
}

std::vector<Size> Lexicon::encode(std::u32string_view text, const std::string& name) const {
  constexpr int kListed = 8;
  std::vector<Size> numbers;
  numbers.reserve(text.size());
  std::u32string unknown;
  for (char32_t c : text) {
    numbers.push_back(find(encode_utf8(c)));
    if (numbers.back() < 0 && unknown.find(c) == unknown.npos) unknown += c;
  }
  if (unknown.empty()) return numbers;
  std::string list;
  for (char32_t c : unknown.substr(0, kListed)) list += ' ' + visible(c);
  if (unknown.size() > kListed) list += " ...";
  bad_input(name, " holds characters the model does not know:", list);
}

std::vector<Size> Lexicon::encode_words(const std::vector<std::string>& words) const {
  if (!is_of_words())
    unroll::fail("encode_words", "the lexicon does not begin with ", kPaddingToken, " and ",
                 kUnknownToken, "; expected one of words.");
  std::vector<Size> numbers;
  numbers.reserve(words.size());
  // A padding number inside a sentence would be masked away.
  for (const std::string& word : words) numbers.push_back(std::max(find(word), kUnknown));
  return numbers;
}

std::vector<std::string> Lexicon::tokens(const std::vector<Size>& numbers) const {
  std::vector<std::string> list;
  for (const Size number : numbers) list.push_back(tokens_[number]);
  return list;
}

std::string Lexicon::decode(const std::vector<Size>& numbers) const {
  std::string text;
  for (Size number : numbers) text += tokens_.at(static_cast<std::size_t>(number));
  return text;
}

}  // namespace tasks
