// Windows over a running text: every character once, streams that go on where they stopped.
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
  BOOST_TEST(windows.batch() == 4);
  BOOST_TEST(windows.count() == 3);
  BOOST_TEST(windows.characters() == 100);
  Size next[4] = {0, 25, 50, 75};
  for (Size w = 0; w < windows.count(); ++w) {
    const auto [x, y] = windows.at(w);
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
  BOOST_TEST(TextWindows(two, 32, 64).batch() == 1);
  BOOST_TEST(TextWindows(two, 32, 64).at(0).y.at({0, 0}) == 1);
  BOOST_TEST(TextWindows(thirty, 32, 10).batch() == 2);
}

BOOST_AUTO_TEST_CASE(one_character_predicts_nothing) {
  const std::vector<Size> one = counted(1), none;
  BOOST_CHECK_THROW(TextWindows(one, 1, 1), BadInput);
  BOOST_CHECK_THROW(TextWindows(none, 1, 1), BadInput);
}

BOOST_AUTO_TEST_SUITE_END()
