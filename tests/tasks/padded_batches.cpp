// Batches of sentences: every row once, little padding, the same for the same seed, real steps
// where the mask says so.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <numeric>

#include <unroll/autograd/error.hpp>

#include "common/padded_batches.hpp"

using namespace tasks;
using Batches = std::vector<std::vector<Size>>;

namespace {

std::vector<Size> random_lengths(Size n) {
  unroll::Generator generator(7);
  std::vector<Size> lengths;
  for (Size k = 0; k < n; ++k) lengths.push_back(static_cast<Size>(generator.below(100)));
  return lengths;
}

void check_every_row_once(const Batches& batches, Size n, Size batch) {
  std::vector<Size> rows;
  for (const auto& one : batches) {
    BOOST_TEST(!one.empty());
    BOOST_TEST(static_cast<Size>(one.size()) <= batch);
    rows.insert(rows.end(), one.begin(), one.end());
  }
  std::sort(rows.begin(), rows.end());
  std::vector<Size> expected(static_cast<std::size_t>(n));
  std::iota(expected.begin(), expected.end(), 0);
  BOOST_TEST(rows == expected, boost::test_tools::per_element());
}

/// Steps computed, padding included.
Size steps_of(const Batches& batches, const std::vector<Size>& lengths) {
  Size steps = 0;
  for (const auto& one : batches) {
    Size longest = 0;
    for (Size row : one) longest = std::max(longest, lengths[row]);
    steps += longest * static_cast<Size>(one.size());
  }
  return steps;
}

void check_numbers(const Array& array, const std::vector<double>& expected) {
  BOOST_TEST(array.to_vector<double>() == expected, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(padded_batches)

BOOST_AUTO_TEST_CASE(by_length_without_chance) {
  const Batches batches = batches_by_length({5, 1, 3, 1, 9}, 2);
  BOOST_TEST((batches == Batches{{1, 3}, {2, 0}, {4}}));
  BOOST_TEST(batches_by_length({}, 2).empty());
  BOOST_CHECK_THROW(batches_by_length({1}, 0), unroll::Error);
}

BOOST_AUTO_TEST_CASE(every_row_once_and_little_padding) {
  constexpr Size kRows = 1003, kBatch = 8;  // three pools, the last one with a smaller batch
  const std::vector<Size> lengths = random_lengths(kRows);
  const Size real = std::accumulate(lengths.begin(), lengths.end(), Size{0});
  unroll::Generator generator(1);
  const Batches batches = batches_by_length(lengths, kBatch, generator);
  check_every_row_once(batches, kRows, kBatch);
  check_every_row_once(batches_by_length(lengths, kBatch), kRows, kBatch);
  BOOST_TEST(steps_of(batches, lengths) < real * 1.05);
  BOOST_CHECK_THROW(batches_by_length({1}, 0, generator), unroll::Error);
}

BOOST_AUTO_TEST_CASE(epochs_differ_and_seeds_repeat) {
  const std::vector<Size> lengths = random_lengths(500);
  unroll::Generator one(1), same(1);
  const Batches first = batches_by_length(lengths, 8, one);
  BOOST_TEST((first == batches_by_length(lengths, 8, same)));
  BOOST_TEST((first != batches_by_length(lengths, 8, one)));
  // Batches of short sequences do not all come first.
  std::vector<Size> longest;
  for (const auto& rows : first) longest.push_back(lengths[rows.back()]);
  BOOST_TEST(!std::is_sorted(longest.begin(), longest.begin() + 20));
}

BOOST_AUTO_TEST_CASE(padding_after_and_before) {
  const Batches sequences{{7, 8, 9}, {5}, {}, {6, 4}};
  const Padded after = pad(sequences, {0, 3, 2});
  BOOST_TEST(after.lengths == (std::vector<Size>{3, 2, 0}), boost::test_tools::per_element());
  BOOST_TEST(after.tokens.shape().text() == "(3, 3)");
  check_numbers(after.tokens, {7, 6, 0, 8, 4, 0, 9, 0, 0});
  check_numbers(after.mask, {1, 1, 0, 1, 1, 0, 1, 0, 0});
  const Padded before = pad(sequences, {0, 3, 2}, {.before = true, .value = -1});
  check_numbers(before.tokens, {7, -1, -1, 8, 6, -1, 9, 4, -1});
  check_numbers(before.mask, {1, 0, 0, 1, 1, 0, 1, 1, 0});
}

BOOST_AUTO_TEST_CASE(empty_sequences_make_one_step_of_padding) {
  const Padded batch = pad({{}, {}}, {0, 1}, {.value = 3});
  BOOST_TEST(batch.tokens.shape().text() == "(1, 2)");
  check_numbers(batch.tokens, {3, 3});
  check_numbers(batch.mask, {0, 0});
  BOOST_CHECK_THROW(pad({{1}}, {}), unroll::Error);
}

BOOST_AUTO_TEST_SUITE_END()
