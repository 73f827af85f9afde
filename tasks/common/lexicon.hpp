// Lexicon: numbers for tokens and back. Tokens are characters so far; how text is cut into them is
// not decided here.
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
  Lexicon() = default;
  /// Numbered as they stand. Throws BadInput if one is there twice.
  explicit Lexicon(const std::vector<std::string>& tokens);
  /// The characters of a text in order of their first appearance.
  static Lexicon of_characters(std::u32string_view text);

  /// The token's number, a new one if need be.
  Size add(const std::string& token);
  /// -1 if unknown.
  Size find(const std::string& token) const;
  Size size() const { return static_cast<Size>(tokens_.size()); }
  const std::string& operator[](Size number) const { return tokens_[number]; }
  const std::vector<std::string>& tokens() const { return tokens_; }

  /// One number a character. Throws BadInput "NAME holds characters the model does not know: ..."
  std::vector<Size> encode(std::u32string_view text, const std::string& name) const;
  std::string decode(const std::vector<Size>& numbers) const;

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, Size> numbers_;
};

}  // namespace tasks
