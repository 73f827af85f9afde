// Characters in and out: strict UTF-8, widths on a terminal, the lexicon, the embedded text.
#include <boost/test/unit_test.hpp>

#include "common/bad_input.hpp"
#include "common/embedded.hpp"
#include "common/lexicon.hpp"
#include "common/text.hpp"

using namespace tasks;
using namespace std::string_literals;

namespace {

std::string refusal(const std::string& bytes) {
  try {
    decode_utf8(bytes, "file");
  } catch (const BadInput& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(every_character_survives) {
  for (char32_t c = 1; c <= 0x10FFFF; c += 1 + c / 64) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const std::u32string one(1, c);
    if (decode_utf8("a" + encode_utf8(c), "file") != U"a" + one) BOOST_ERROR("U+" << unsigned(c));
  }
  for (char32_t c : {0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF})
    BOOST_TEST((decode_utf8(encode_utf8(c), "file") == std::u32string(1, c)));
  BOOST_TEST((decode_utf8("a\0b"s, "file") == U"a\0b"s));
}

BOOST_AUTO_TEST_CASE(byte_order_mark_at_the_start_is_left_out) {
  BOOST_TEST((decode_utf8("\xEF\xBB\xBF\x61", "file") == U"a"));
  BOOST_TEST((decode_utf8("a\xEF\xBB\xBF", "file") == U"a\uFEFF"));
}

BOOST_AUTO_TEST_CASE(what_is_not_utf8_is_refused_with_its_place) {
  BOOST_TEST(refusal("ab\x80") == "file: not UTF-8 at byte 2 (0x80)");
  BOOST_TEST(refusal("\xC0\xAF") == "file: not UTF-8 at byte 0 (0xC0)");          // overlong
  BOOST_TEST(refusal("a\xE0\x9F\xBF") == "file: not UTF-8 at byte 2 (0x9F)");     // overlong
  BOOST_TEST(refusal("\xF0\x8F\xBF\xBF") == "file: not UTF-8 at byte 1 (0x8F)");  // overlong
  BOOST_TEST(refusal("\xED\xA0\x80") == "file: not UTF-8 at byte 1 (0xA0)");      // a surrogate
  BOOST_TEST(refusal("\xF4\x90\x80\x80") == "file: not UTF-8 at byte 1 (0x90)");  // > U+10FFFF
  BOOST_TEST(refusal("\xF5\x80\x80\x80") == "file: not UTF-8 at byte 0 (0xF5)");
  BOOST_TEST(refusal("\xC3(") == "file: not UTF-8 at byte 1 (0x28)");
  BOOST_TEST(refusal("a\xE2\x82") == "file: not UTF-8: cut off in the character at byte 1");
  BOOST_TEST(refusal("gr\xFC\xDF") == "file: not UTF-8 at byte 2 (0xFC)");  // Latin-1
}

BOOST_AUTO_TEST_CASE(widths) {
  BOOST_TEST(display_width("abc") == 3);
  BOOST_TEST(display_width("n\u0303") == 1);       // a combining tilde
  BOOST_TEST(display_width("\u6f22\u5b57") == 4);  // two wide characters
  BOOST_TEST(pad_right("\u00e9", 3) == "\u00e9  ");
  BOOST_TEST(pad_left("ab", 4) == "  ab");
  BOOST_TEST(pad_left("abcd", 2) == "abcd");
  BOOST_TEST(visible(U'\n') == "\\n");
  BOOST_TEST(visible(U' ') == "' '");
  BOOST_TEST(visible(U'\u0007') == "\\x07");
  BOOST_TEST(visible(U'\u094D') == "\u25CC\u094D");  // Devanagari virama
}

BOOST_AUTO_TEST_CASE(an_excerpt_is_one_short_line) {
  BOOST_TEST(excerpt("two words") == "two words");
  BOOST_TEST(excerpt("a\nb\x07") == "a\\nb\\x07");
  BOOST_TEST(excerpt("\u00e9t\u00e9s", 3) == "\u00e9t\u00e9...");
  BOOST_TEST(excerpt("abc", 3) == "abc");
}

BOOST_AUTO_TEST_CASE(letters_are_numbered_as_they_appear) {
  const Lexicon lexicon = Lexicon::of_characters(U"namaskar");
  BOOST_TEST(lexicon.tokens() == (std::vector<std::string>{"n", "a", "m", "s", "k", "r"}),
             boost::test_tools::per_element());
  const std::vector<Size> numbers = lexicon.encode(U"karma", "text");
  BOOST_TEST(numbers == (std::vector<Size>{4, 1, 5, 2, 1}), boost::test_tools::per_element());
  BOOST_TEST(lexicon.decode(numbers) == "karma");
  BOOST_TEST(lexicon.find("x") == -1);
}

BOOST_AUTO_TEST_CASE(unknown_letters_are_listed_once) {
  const Lexicon lexicon = Lexicon::of_characters(U"abc");
  BOOST_CHECK_EXCEPTION(
      lexicon.encode(U"xa\nx", "the prompt"), BadInput, [](const BadInput& error) {
        return error.what() == "the prompt holds characters the model does not know: x \\n"s;
      });
}

BOOST_AUTO_TEST_CASE(a_vocabulary_with_a_letter_twice_is_refused) {
  BOOST_CHECK_THROW(Lexicon({"a", "b", "a"}), BadInput);
  BOOST_CHECK_THROW(Lexicon(std::vector<std::string>{"a", "b", "b"}), BadInput);
}

BOOST_AUTO_TEST_CASE(embedded_text_is_whole) {
  const std::string_view text = embedded("harbour_year.txt");
  BOOST_TEST(text.size() > 20000u);
  BOOST_TEST(text.size() < 30000u);
  BOOST_TEST(text.starts_with("THE HARBOUR YEAR\n\nJanuary\n"));
  BOOST_TEST(text.ends_with("and there may be one more.\n"));
  BOOST_TEST(decode_utf8(text, "embedded text").size() == text.size());
  BOOST_CHECK_THROW(embedded("harbour_day.txt"), unroll::Error);
}

BOOST_AUTO_TEST_SUITE_END()
