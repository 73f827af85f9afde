// Any bytes as text: what ICU calls UTF-8 is read and written back as it was, all else is refused
// in one line; words, sentences and excerpts of it are UTF-8 again.
#include <unicode/ustring.h>

#include "common/bad_input.hpp"
#include "common/text.hpp"
#include "common/words.hpp"
#include "fuzz.hpp"

using namespace tasks;

namespace {

bool is_utf8_to_icu(std::string_view bytes) {
  UErrorCode error = U_ZERO_ERROR;
  int32_t length = 0;
  u_strFromUTF8(nullptr, 0, &length, bytes.data(), static_cast<int32_t>(bytes.size()), &error);
  return error != U_INVALID_CHAR_FOUND;
}

void must_be_utf8(const std::string& text) { decode_utf8(text, "a result"); }

void check_words(std::string_view text) {
  for (const bool lowercase : {false, true})
    for (const bool punctuation : {false, true})
      for (const std::string& word : words(text, {lowercase, punctuation})) {
        must(!word.empty(), "a word is not empty");
        must_be_utf8(word);
      }
  for (const std::string& sentence : sentences(text)) must_be_utf8(sentence);
  must_be_utf8(lowercased(text));
  must_be_utf8(excerpt(text, 7));
  must(display_width(pad_left(pad_right(text, 9), 12)) >= 12, "texts are filled up");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = text_of(data, size);
  std::u32string characters;
  const bool is_text =
      accepted<BadInput>("f.txt: ", [&] { characters = decode_utf8(bytes, "f.txt"); });
  must(is_text == is_utf8_to_icu(bytes), "what is UTF-8 is for ICU to say");
  if (!is_text) return 0;
  const bool has_mark = bytes.starts_with("\xEF\xBB\xBF");
  must(encode_utf8(characters) == bytes.substr(has_mark ? 3 : 0), "characters survive");
  for (const char32_t c : characters) must_be_utf8(visible(c));
  check_words(bytes);
  return 0;
}
