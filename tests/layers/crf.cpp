// CRF as a layer: its Parameters and gradients, and a task that emissions alone cannot solve.
// Values are tested in ops/table_crf.cpp.
#include <boost/test/unit_test.hpp>

#include "common/numbers.hpp"

#include <unroll/autograd/generator.hpp>
#include <unroll/layers/crf.hpp>
#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/optimiser.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>

using namespace unroll;

BOOST_AUTO_TEST_SUITE(crf_layer)

BOOST_AUTO_TEST_CASE(parameters) {
  CRF crf(3), plain(3, {.ends = false});
  BOOST_TEST(crf.parameter_count() == 15);
  BOOST_TEST(plain.parameter_count() == 9);
  BOOST_TEST(plain.start.empty());
}

BOOST_AUTO_TEST_CASE(gradients) {
  Array tags = values(std::vector<Size>{0, 1, 2, 2, 1, -1, 0, -1}, {4, 2});
  for (bool ends : {true, false}) {
    CRF crf(3, {.ends = ends});
    BOOST_TEST(gradcheck(
        [&](auto& e) {
          return crf.log_likelihood(e, tags, {.lengths = {4, 2}});
        },
        {{4, 2, 3}}, {.order = 2, .parameters = crf}));
    BOOST_TEST(gradcheck(
        [&](auto& e) {
          return crf.marginals(e, {.lengths = {4, 2}}).labels;
        },
        {{4, 2, 3}}, {.order = 2, .parameters = crf}));
  }
}

// The tag of a step is the tag before plus one, modulo 3, and the emissions tell the first one
// only: nothing but learned transitions can carry it on.
BOOST_AUTO_TEST_CASE(learns_transitions) {
  CRF crf(3);
  Adam optimiser(crf, {.learning_rate = 0.1});
  Array emissions = zeros({6, 3, 3}), tags = zeros({6, 3}, int64);
  for (Size b = 0; b < 3; ++b) {
    emissions[0].select(0, b).select(0, b).fill(4);
    for (Size t = 0; t < 6; ++t) tags[t].select(0, b).fill(static_cast<double>((b + t) % 3));
  }
  std::vector<Size> lengths{6, 4, 5};
  BOOST_TEST(!identical(crf.viterbi(emissions).paths.value(), tags));
  for (int k = 0; k < 100; ++k) {
    Tape tape;
    tape.backward(-mean(crf.log_likelihood(emissions, tags, {.lengths = lengths})));
    optimiser.step();
  }
  CrfPaths best = crf.viterbi(emissions);
  BOOST_TEST(identical(best.paths.value(), tags));
  // A path's score is that of ops/crf.hpp, for losses that compare paths.
  Variable score = crf_score(crf.chain(emissions), best.paths);
  for (Size b = 0; b < 3; ++b) BOOST_TEST(std::abs(score[b].item() - best.scores[b].item()) < 1e-4);
  BOOST_TEST(crf.marginals(emissions).labels.value().at({5, 0, 2}) > 0.9);
}

BOOST_AUTO_TEST_SUITE_END()
