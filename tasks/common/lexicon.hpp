// Lexicon: numbers for tokens and back. Tokens are characters or words; how text is cut into them
// is decided in text.hpp and words.hpp.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <unroll/autograd/shape.hpp>

namespace tasks {

using unroll::Size;

class Lexicon {
 public:
  /// The first two tokens of a lexicon of words: what fills up a batch, and any word not in it.
  static constexpr Size kPadding = 0, kUnknown = 1;

  Lexicon() = default;
  /// Numbered as they stand. Throws BadInput if one is there twice.
  explicit Lexicon(const std::vector<std::string>& tokens);
  /// The characters of a text in order of their first appearance.
  static Lexicon of_characters(std::u32string_view text);
  /// <PAD>, <UNK> and the words that occur at least `min_freq` times, the most frequent first,
  /// those as frequent in order of their first appearance.
  static Lexicon of_words(const std::vector<std::vector<std::string>>& sentences,
                          Size min_freq = 1);

  /// Whether it begins with <PAD> and <UNK>.
  bool is_of_words() const;
  /// The token's number, a new one if need be.
  Size add(const std::string& token);
  /// -1 if unknown.
  Size find(const std::string& token) const;
  Size size() const { return static_cast<Size>(tokens_.size()); }
  const std::string& operator[](Size number) const { return tokens_[number]; }
  const std::vector<std::string>& tokens() const { return tokens_; }

  /// One number a character. Throws BadInput "NAME holds characters the model does not know: ..."
  std::vector<Size> encode(std::u32string_view text, const std::string& name) const;
  /// One number a word; kUnknown for words not in it, and for the text "<PAD>". Throws Error unless
  /// it is a lexicon of words.
  std::vector<Size> encode_words(const std::vector<std::string>& words) const;
  std::string decode(const std::vector<Size>& numbers) const;
  /// The tokens with these numbers.
  std::vector<std::string> tokens(const std::vector<Size>& numbers) const;

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, Size> numbers_;
};

}  // namespace tasks
