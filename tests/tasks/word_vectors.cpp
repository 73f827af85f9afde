// Word vectors of others: both text formats, and files that are neither.
#include <boost/test/unit_test.hpp>

#include "common/bad_input.hpp"
#include "common/word_vectors.hpp"
#include "program.hpp"

using namespace tasks;

namespace {

using Floats = std::vector<float>;

const Lexicon kLexicon({"<PAD>", "<UNK>", "good", "bad", ". ."});

Floats rows_from(const std::string& file, Size expected) {
  const WordVectors vectors(file);
  unroll::Array W = unroll::full({kLexicon.size(), vectors.size()}, 9);
  BOOST_TEST(vectors.copy_into(W, kLexicon) == expected);
  return W.to_vector<float>();
}

void check_refused(const Folder& folder, const std::string& content, const std::string& sentence) {
  const std::string file = folder.file("vectors.txt", content);
  BOOST_CHECK_EXCEPTION(rows_from(file, 0), BadInput, [&](const BadInput& error) {
    BOOST_TEST_INFO(error.what());
    return error.what() == file + sentence;
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(word_vectors)

BOOST_AUTO_TEST_CASE(both_formats) {
  const Folder folder;
  const Floats expected{9, 9, 9, 9, 0.5f, -1, 2e-3f, 1, 9, 9};
  for (const char* header : {"", "3 2\n"})
    for (const char* end : {"\n", " \n", "\r\n"}) {
      const std::string text =
          std::string(header) + "good 0.5 -1" + end + "other 3 4" + end + "bad 2e-3 1" + end;
      BOOST_TEST(rows_from(folder.file("vectors.txt", text), 2) == expected,
                 boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(the_first_of_two_counts_and_words_may_hold_spaces) {
  const Folder folder;
  const Floats rows = rows_from(folder.file("vectors.txt", "bad 1\n. . 2\nbad 3\n\ngood 4"), 3);
  BOOST_TEST(rows == (Floats{9, 9, 4, 1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(numbers_alone_are_words_too) {
  const Folder folder;
  const WordVectors vectors(folder.file("vectors.txt", "1984 0.25 7\ngood 1 2\n"));
  BOOST_TEST(vectors.size() == 2);
}

BOOST_AUTO_TEST_CASE(other_files_are_refused) {
  const Folder folder;
  check_refused(folder, "", ": the file is empty");
  check_refused(folder, "good\n",
                ": line 1: 'good'; expected a word and the numbers of its vector");
  check_refused(folder, "Rating,Review\n1,bad\n",
                ": line 1: 'Rating,Review'; expected a word and the numbers of its vector");
  check_refused(folder, "good 1 2\nbad 1\n", ": line 2: 'bad 1'; expected a word and 2 numbers");
  check_refused(folder, "good 1 2\nbad 1 x\n",
                ": line 2: 'bad 1 x'; expected a word and 2 numbers");
  check_refused(folder, "good 1 2\nbad 1 nan\n",
                ": line 2: 'bad 1 nan'; expected a word and 2 numbers");
  check_refused(folder, "2 1\ngood 1\n5\n", ": line 3: '5'; expected a word and 1 number");
  check_refused(folder, "other 1 2\n", ": holds none of the words of these texts");
  BOOST_CHECK_THROW(WordVectors(folder / "missing.txt"), BadInput);
  BOOST_CHECK_THROW(WordVectors(folder.path.string()), BadInput);
}

BOOST_AUTO_TEST_SUITE_END()
