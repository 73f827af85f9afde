// Words of a text, through ICU. What number a word gets is decided in lexicon.hpp; texts of
// characters (char32_t) need only text.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tasks {

/// In lower case by Unicode's rules, whatever the user's locale is.
std::string lowercased(std::string_view utf8);

struct WordOptions {
  bool lowercase = true;
  /// False leaves out what holds no letter, digit or ideograph: punctuation, symbols, emoji.
  bool punctuation = true;
};

/// The words of a text as Unicode Standard Annex 29 cuts them, in normal form C so that é is the
/// same however it was typed: don't and 3.14 stay whole, each punctuation mark stands alone, white
/// space and control characters are left out. The text must be UTF-8 (decode_utf8 and Csv see to
/// that).
///
///     words("Don't panic!")    {"don't", "panic", "!"}
std::vector<std::string> words(std::string_view utf8, const WordOptions& options = {});

/// The sentences of a text as Annex 29 cuts them, without the white space between them; what begins
/// with a small letter belongs to the one before.
std::vector<std::string> sentences(std::string_view utf8);

/// The parts between separators, for text that was cut into tokens before. Empty parts are parts;
/// an empty text has none.
std::vector<std::string> split(std::string_view text, char separator);

}  // namespace tasks
