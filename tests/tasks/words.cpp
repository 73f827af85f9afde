// Words of several languages, and the lexicon that numbers them.
#include <boost/test/unit_test.hpp>

#include <set>

#include <unroll/autograd/error.hpp>

#include "common/csv.hpp"
#include "common/embedded.hpp"
#include "common/lexicon.hpp"
#include "common/words.hpp"

using namespace tasks;
using Words = std::vector<std::string>;

namespace {

void check(const Words& found, const Words& expected) {
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(words_of_texts)

BOOST_AUTO_TEST_CASE(lower_case_of_any_script) {
  BOOST_TEST(lowercased("ÄÖÜ ÇA İ") == "äöü ça i̇");
  BOOST_TEST(lowercased("ΟΔΥΣΣΕΥΣ") == "οδυσσευς");  // a sigma at the end
  BOOST_TEST(lowercased("МОСКВА 東京") == "москва 東京");
  BOOST_TEST(lowercased("") == "");
}

BOOST_AUTO_TEST_CASE(words_and_punctuation) {
  check(words("Don't panic!"), {"don't", "panic", "!"});
  check(words("It cost 3.14 (or 1,000)...\n\tWell\u00A0then"),
        {"it", "cost", "3.14", "(", "or", "1,000", ")", ".", ".", ".", "well", "then"});
  check(words("Don't panic!", {.lowercase = false, .punctuation = false}), {"Don't", "panic"});
  check(words("Straße, crème brûlée"), {"straße", ",", "crème", "brûlée"});
  check(words("नमस्कार दुनिया।"), {"नमस्कार", "दुनिया", "।"});
  check(words("a\x07\u200B b \U0001F600"), {"a", "b", "\U0001F600"});
  check(words(""), {});
  check(words(" \n"), {});
}

BOOST_AUTO_TEST_CASE(languages_without_spaces) {
  check(words("東京に行く。"), {"東京", "に", "行く", "。"});
}

BOOST_AUTO_TEST_CASE(a_letter_is_the_same_however_it_was_typed) {
  check(words("caf\u00E9"), words("cafe\u0301"));
  check(words("CAFE\u0301"), {"caf\u00E9"});
}

BOOST_AUTO_TEST_CASE(tokens_that_were_cut_before) {
  check(split("a\tb c\t\t.", '\t'), {"a", "b c", "", "."});
  check(split("a\t", '\t'), {"a", ""});
  check(split("a", '\t'), {"a"});
  check(split("", '\t'), {});
}

BOOST_AUTO_TEST_CASE(frequent_words_come_first) {
  const std::vector<Words> sentences{{"b", "a", "c"}, {"a", "d", "c"}, {"e", "c"}};
  check(Lexicon::of_words(sentences).tokens(), {"<PAD>", "<UNK>", "c", "a", "b", "d", "e"});
  check(Lexicon::of_words(sentences, 2).tokens(), {"<PAD>", "<UNK>", "c", "a"});
  check(Lexicon::of_words({}).tokens(), {"<PAD>", "<UNK>"});
}

BOOST_AUTO_TEST_CASE(unknown_words_are_one) {
  const Lexicon lexicon = Lexicon::of_words({{"the", "sea", "the", "<PAD>", "<PAD>", "<UNK>"}});
  check(lexicon.tokens(), {"<PAD>", "<UNK>", "the", "sea"});
  const std::vector<Size> numbers = lexicon.encode_words({"the", "deep", "sea", "<PAD>", "<UNK>"});
  BOOST_TEST(numbers == (std::vector<Size>{2, 1, 3, 1, 1}), boost::test_tools::per_element());
  BOOST_CHECK_THROW(Lexicon({"a", "b"}).encode_words({"a"}), unroll::Error);
}

BOOST_AUTO_TEST_CASE(sentences_of_a_text) {
  const std::vector<std::string> expected{"It rained.", "\"Why now?\" she asked.",
                                          "Nobody knew\u2026"};
  BOOST_TEST(sentences(" It rained. \"Why now?\" she asked.\n\nNobody knew\u2026 ").size() == 3u);
  BOOST_TEST(sentences("It rained.  \"Why now?\" she asked. Nobody knew\u2026 ") == expected,
             boost::test_tools::per_element());
  BOOST_TEST(sentences("").empty());
  BOOST_TEST(sentences(" \n").empty());
}

BOOST_AUTO_TEST_CASE(built_in_stories_have_five_sentences) {
  std::set<std::string> different;
  for (const char* name : {"stories_train.csv", "stories_test.csv"}) {
    const Csv csv = Csv::parse(embedded(name), name);
    BOOST_TEST(csv.rows() == 100);
    for (const std::string& story : csv.column("Story")) {
      BOOST_TEST_INFO(story);
      BOOST_TEST(sentences(story).size() == 5u);
      different.insert(story);
    }
  }
  BOOST_TEST(different.size() == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
