// Windows over a running text and over stories: every token once, streams that go on where they
// stopped.
#include <boost/test/unit_test.hpp>

#include <numeric>

#include "common/bad_input.hpp"
#include "common/batches.hpp"

using namespace tasks;

namespace {

std::vector<Size> counted(Size n) {
  std::vector<Size> text(static_cast<std::size_t>(n));
  std::iota(text.begin(), text.end(), 0);
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(batches)

BOOST_AUTO_TEST_CASE(streams_go_on_from_window_to_window) {
  const std::vector<Size> text = counted(101);
  const TextWindows windows(text, 4, 10);  // four streams of 25 characters: 10, 10, 5
  BOOST_TEST(windows.rows(0) == 4);
  BOOST_TEST(windows.count() == 3);
  BOOST_TEST(windows.tokens() == 100);
  Size next[4] = {0, 25, 50, 75};
  for (Size w = 0; w < windows.count(); ++w) {
    const auto [x, y, lengths] = windows.at(w);
    BOOST_TEST(lengths.empty());
    BOOST_TEST(windows.is_first(w) == (w == 0));
    BOOST_TEST(x.size(0) == (w < 2 ? 10 : 5));
    BOOST_TEST(x.size(1) == 4);
    for (Size t = 0; t < x.size(0); ++t) {
      for (Size b = 0; b < 4; ++b) {
        BOOST_TEST(x.at({t, b}) == next[b]++);
        BOOST_TEST(y.at({t, b}) == next[b]);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_share_is_a_part_of_the_batch) {
  const std::vector<Size> text = counted(81);
  const TextWindows windows(text, 8, 5);
  const auto whole = windows.at(1);
  const auto share = windows.at(1, 2, 5);
  BOOST_TEST(share.x.shape().text() == "(5, 3)");
  for (Size t = 0; t < 5; ++t)
    for (Size b = 0; b < 3; ++b) BOOST_TEST(share.y.at({t, b}) == whole.y.at({t, b + 2}));
}

BOOST_AUTO_TEST_CASE(it_may_start_later) {
  const std::vector<Size> text = counted(12);
  BOOST_TEST(TextWindows(text, 2, 5, 1).at(0).x.at({0, 0}) == 1);
  BOOST_TEST(TextWindows(text, 2, 5, 1).at(0).y.at({4, 1}) == 11);
}

BOOST_AUTO_TEST_CASE(short_texts_get_fewer_streams) {
  const std::vector<Size> two = counted(2), thirty = counted(30);
  BOOST_TEST(TextWindows(two, 32, 64).rows(0) == 1);
  BOOST_TEST(TextWindows(two, 32, 64).at(0).y.at({0, 0}) == 1);
  BOOST_TEST(TextWindows(thirty, 32, 10).rows(0) == 2);
}

BOOST_AUTO_TEST_CASE(one_character_predicts_nothing) {
  const std::vector<Size> one = counted(1), none;
  BOOST_CHECK_THROW(TextWindows(one, 1, 1), BadInput);
  BOOST_CHECK_THROW(TextWindows(none, 1, 1), BadInput);
}

// Stories 7 8 9, none, 5 and 4 4 4 4 4, in windows of three steps; 1 is the end.
BOOST_AUTO_TEST_CASE(stories_from_end_to_end) {
  const std::vector<std::vector<Size>> stories{{7, 8, 9}, {}, {5}, {4, 4, 4, 4, 4}};
  const StoryWindows windows(stories, {{1, 2}, {0, 3}}, 1, 3);
  BOOST_TEST(windows.count() == 3);
  const auto check = [&](Size w, bool first, const std::vector<Size>& lengths,
                         const std::vector<Size>& x, const std::vector<Size>& y) {
    const Window window = windows.at(w, 0, 2);
    BOOST_TEST(windows.is_first(w) == first);
    BOOST_TEST(windows.rows(w) == 2);
    BOOST_TEST(windows.tokens(w) == lengths[0] + lengths[1]);
    BOOST_TEST(window.lengths == lengths, boost::test_tools::per_element());
    BOOST_TEST(window.x.to_vector<Size>() == x, boost::test_tools::per_element());
    BOOST_TEST(window.y.to_vector<Size>() == y, boost::test_tools::per_element());
  };
  check(0, true, {1, 2}, {1, 1, 0, 5}, {1, 5, 0, 1});
  check(1, true, {3, 3}, {1, 1, 7, 4, 8, 4}, {7, 4, 8, 4, 9, 4});
  check(2, false, {1, 3}, {9, 4, 0, 4, 0, 4}, {1, 4, 0, 4, 0, 1});
  BOOST_TEST(windows.start_of(2) == 3);
  const Window share = windows.at(2, 1, 2);
  BOOST_TEST(share.x.shape().text() == "(3, 1)");
  BOOST_TEST(share.y.at({2, 0}) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
