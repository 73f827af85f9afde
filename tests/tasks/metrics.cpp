// Scores by hand where the golden cases do not reach: nothing to count, equal targets, misuse.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>

#include <unroll/autograd/error.hpp>

#include "common/metrics.hpp"
#include "common/sequence_metrics.hpp"

using namespace tasks;

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(rows_are_true_classes) {
  Confusion confusion(3);
  confusion.add(0, 2);
  confusion.add(0, 0);
  confusion.add(1, 1);
  BOOST_TEST(confusion.count(0, 2) == 1);
  BOOST_TEST(confusion.count(2, 0) == 0);
  BOOST_TEST(confusion.support(0) == 2);
  BOOST_TEST(confusion.of(0).precision == 1);
  BOOST_TEST(confusion.of(0).recall == 0.5);
  BOOST_TEST(confusion.of(2).precision == 0);  // predicted, never true
  BOOST_TEST(confusion.accuracy() == 2.0 / 3, boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(no_samples_score_nothing) {
  const Confusion confusion(2);
  BOOST_TEST(confusion.accuracy() == 0);
  BOOST_TEST(confusion.macro().f1 == 0);
  BOOST_TEST(confusion.weighted().f1 == 0);
  BOOST_TEST(std::isnan(Likelihood().perplexity()));
}

BOOST_AUTO_TEST_CASE(what_is_no_class_is_refused) {
  Confusion confusion(2);
  BOOST_CHECK_THROW(confusion.add(2, 0), unroll::Error);
  BOOST_CHECK_THROW(confusion.add(0, -1), unroll::Error);
  BOOST_CHECK_THROW(Confusion(0), unroll::Error);
  BOOST_TEST(confusion.samples() == 0);
}

BOOST_AUTO_TEST_CASE(r2_of_equal_targets) {
  BOOST_TEST(regression_scores({2, 2}, {2, 2}).r2 == 1);
  BOOST_TEST(regression_scores({2, 2}, {2, 3}).r2 == 0);
  BOOST_TEST(std::isnan(regression_scores({2}, {2}).r2));
  BOOST_TEST(regression_scores({2}, {5}).mean_squared_error == 9);
  BOOST_TEST(regression_scores({1, 2, 6}, {3, 3, 3}).r2 == 0);  // the mean of the targets
  BOOST_CHECK_THROW(regression_scores({1, 2}, {1}), unroll::Error);
  BOOST_CHECK_THROW(regression_scores({}, {}), unroll::Error);
}

BOOST_AUTO_TEST_CASE(likelihood_is_added_up) {
  Likelihood likelihood;
  likelihood.add(3 * std::log(8.0), 3);
  likelihood.add(std::log(8.0), 1);
  BOOST_TEST(likelihood.bits() == 3, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(likelihood.perplexity() == 8, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(edits) {
  using std::string;
  BOOST_TEST(edit_distance(string("kitten"), string("sitting")) == 3);
  BOOST_TEST(edit_distance(string(""), string("ab")) == 2);
  BOOST_TEST(edit_distance(string("ab"), string("")) == 2);
  BOOST_TEST(edit_distance(string("ab"), string("ba")) == 2);  // no transpositions
  ErrorRate rate;
  rate.add(string("abcd"), string("abcx"));
  rate.add(string(""), string("yz"));
  BOOST_TEST(rate.value() == 0.75);
}

BOOST_AUTO_TEST_CASE(bleu_of_nothing_is_zero) {
  BOOST_TEST(bleu({}, {}).score == 0);
  BOOST_TEST(bleu({{}}, {{{1, 2}}}).score == 0);
  BOOST_CHECK_THROW(bleu({{1}}, {{}}), unroll::Error);
  BOOST_CHECK_THROW(bleu({{1}}, {}), unroll::Error);
}

BOOST_AUTO_TEST_CASE(bleu_of_two_references_as_near_takes_the_shorter) {
  const Bleu result = bleu({{1, 2, 3, 4, 5}}, {{{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4}}});
  BOOST_TEST(result.reference_length == 4);
  BOOST_TEST(result.score == 1, boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_SUITE_END()
