// CRFs beyond their formulas in the op table (table_crf.cpp): padding anywhere, forbidden
// transitions, large scores, structure of gradients, and the errors.
#include "reference.hpp"

#include <unroll/ops/crf.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace {

using namespace reference;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

LinearChain chain(const Variable& emissions, Size labels = 3) {
  return {emissions, numbers({labels, labels}, 2), numbers({labels}, 3), numbers({labels}, 4)};
}

// Steps 1, 3, 4 of the first sequence, 0 and 2 of the second; none of the third.
const Array holes = values(std::vector<Size>{0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0}, {5, 3});
const std::vector<std::vector<Size>> real_steps{{1, 3, 4}, {0, 2}, {}};

Array spoilt(const Array& emissions) {
  Array result = emissions.copy();
  for (Size t = 0; t < 5; ++t)
    for (Size b = 0; b < 3; ++b)
      if (holes.at({t, b}) == 0) result[t].select(0, b).fill(kNan);
  return result;
}

/// One sequence without its padding: (n, 1, ...).
Array alone(const Array& a, std::size_t b) {
  Array rows = index_select(select(a, 1, static_cast<Size>(b)), 0,
                            values(real_steps[b], {static_cast<Size>(real_steps[b].size())}))
                   .value();
  return rows.expanded(1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crf)

BOOST_AUTO_TEST_CASE(padding_anywhere_is_skipped) {
  Array emissions = numbers({5, 3, 3}), labels = zeros({5, 3}, int64);
  for (Size i = 0; i < 15; ++i) labels.mutable_data<Size>()[i] = holes.data<Size>()[i] ? i % 3 : -1;
  LinearChain padded = chain(spoilt(emissions));
  CrfOptions options{.mask = holes};
  Array score = crf_score(padded, labels, options).value(),
        all = crf_log_partition(padded, options).value();
  CrfMarginals p = crf_marginals(padded, options);
  CrfPaths best = crf_viterbi(padded, options);
  for (std::size_t b = 0; b < 3; ++b) {
    LinearChain one = chain(alone(emissions, b));
    Size n = static_cast<Size>(real_steps[b].size()), column = static_cast<Size>(b);
    BOOST_TEST(close(crf_score(one, alone(labels, b))[0], score[column]));
    BOOST_TEST(close(crf_log_partition(one)[0], all[column]));
    BOOST_TEST(close(crf_viterbi(one).scores[0], best.scores.value()[column]));
    BOOST_TEST(identical(crf_viterbi(one).paths.value(), alone(best.paths.value(), b)));
    CrfMarginals expected = crf_marginals(one);
    BOOST_TEST(close(alone(p.labels.value(), b), expected.labels.value()));
    for (Size k = 1; k < n; ++k)
      BOOST_TEST(close(p.pairs[real_steps[b][static_cast<std::size_t>(k)] - 1][column],
                       expected.pairs.value()[k - 1][0]));
  }
  // Nothing but zeros, and no NaN, where padded.
  BOOST_TEST(std::abs(sum(p.labels).item() - 5) < 1e-13);
  BOOST_TEST(std::abs(sum(p.pairs).item() - 3) < 1e-13);
  BOOST_TEST(best.paths.value().at({0, 0}) == -1);
}

BOOST_AUTO_TEST_CASE(gradients_with_padding_anywhere) {
  Array labels = zeros({5, 3}, int64);
  auto f = [&](auto& e, auto& A, auto& start, auto& end) {
    LinearChain chain{e, A, start, end};
    CrfMarginals p = crf_marginals(chain, {.mask = holes});
    return Variables{crf_log_likelihood(chain, labels, {.mask = holes}), p.labels, p.pairs};
  };
  BOOST_TEST(gradcheck(f, {{5, 3, 3}, {3, 3}, {3}, {3}}, {.order = 2}));
  for (bool create_graph : {false, true}) {
    Tape tape;
    Variable e = tape.watch(spoilt(numbers({5, 3, 3})));
    Array g =
        grad(sum(crf_log_partition(chain(e), {.mask = holes})), e, {.create_graph = create_graph})
            .value();
    BOOST_TEST(close(g, crf_marginals(chain(e), {.mask = holes}).labels.value()));
  }
}

// As in the scheme B, I, O: some labels cannot follow others.
BOOST_AUTO_TEST_CASE(forbidden_transitions) {
  Array emissions = numbers({4, 2, 2}), A = values({{0, -kInfinity}, {0.3, 0.2}}, float64);
  LinearChain some{emissions, A, {}, {}};
  // 1 may never follow 0, so a path is ones and then zeros.
  double sum_of_all = 0, best = -kInfinity;
  for (Size ones = 0; ones <= 4; ++ones) {
    double score =
        (ones > 0 && ones < 4 ? 0.3 : 0) + 0.2 * static_cast<double>(std::max<Size>(ones - 1, 0));
    for (Size t = 0; t < 4; ++t) score += emissions.at({t, 0, t < ones ? 1 : 0});
    sum_of_all += std::exp(score);
    best = std::max(best, score);
  }
  BOOST_TEST(close(crf_log_partition(some)[0], full({}, std::log(sum_of_all), float64)));
  BOOST_TEST(close(crf_viterbi(some).scores[0], full({}, best, float64)));
  CrfPaths paths = crf_viterbi_best(some, 6);
  BOOST_TEST(paths.scores.value().at({4, 0}) > -kInfinity);
  BOOST_TEST(paths.scores.value().at({5, 0}) == -kInfinity);
  BOOST_TEST(paths.paths.value().at({5, 0, 0}) == -1);
  BOOST_TEST(crf_marginals(some).pairs.value().at({0, 0, 0, 1}) == 0);
  BOOST_TEST(gradcheck(
      [&](auto& e) {
        return crf_log_partition({e, A, {}, {}});
      },
      {{4, 2, 2}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(large_scores) {
  for (Type type : {float32, float64}) {
    Array emissions = (Variable(numbers({6, 2, 3}, 1, type)) * 1e4).value();
    LinearChain one{emissions, zeros({3, 3}, type), {}, {}};
    BOOST_TEST(close(crf_log_partition(one), crf_viterbi(one).scores.value(), 1e-6));
  }
}

// What is padding must not overflow on its way to being left out, in gradients of gradients too.
BOOST_AUTO_TEST_CASE(large_transitions) {
  Tape tape;
  Variable e = tape.watch(numbers({5, 3, 3})),
           A = tape.watch((Variable(numbers({3, 3})) * 1e4).value());
  CrfMarginals p = crf_marginals({e, A, A[0], A[1]}, {.mask = holes});
  BOOST_TEST(std::abs(sum(p.labels).item() - 5) < 1e-9);
  BOOST_TEST(std::abs(sum(p.pairs).item() - 3) < 1e-9);
  for (const Variable& g : grad(sum(square(p.labels)) + sum(square(p.pairs)), {e, A}))
    BOOST_TEST(std::isfinite(sum(g).item()));
}

// Without transitions every step stands for itself.
BOOST_AUTO_TEST_CASE(without_transitions_a_softmax) {
  Array emissions = numbers({3, 2, 4});
  LinearChain one{emissions, zeros({4, 4}, float64), {}, {}};
  Array p = build({3, 2, 4}, [&](const Index& i) {
    double sum = 0;
    for (Size k = 0; k < 4; ++k) sum += std::exp(emissions.at({i[0], i[1], k}));
    return std::exp(emissions.at({i[0], i[1], i[2]})) / sum;
  });
  BOOST_TEST(close(crf_marginals(one).labels, p));
  BOOST_TEST(identical(crf_viterbi(one).paths.value(), argmax(emissions).value()));
}

BOOST_AUTO_TEST_CASE(equal_paths) {
  LinearChain one{zeros({3, 1, 2}), zeros({2, 2}), {}, {}};
  CrfPaths best = crf_viterbi_best(one, 3);
  BOOST_TEST(identical(best.paths.value().select(2, 0),
                       values(std::vector<Size>{0, 0, 0, 1, 0, 0, 0, 1, 0}, {3, 3})));
}

BOOST_AUTO_TEST_CASE(errors) {
  Array e = zeros({4, 2, 3}), A = zeros({3, 3}), y = zeros({4, 2}, int64);
  auto error = [&](const LinearChain& chain, const CrfOptions& options = {}) {
    return error_of([&] { crf_log_partition(chain, options); });
  };
  BOOST_TEST(error({zeros({4, 3}), A, {}, {}}) ==
             "[crf_log_partition] emissions are float32 (4, 3); expected float (T, B, K).");
  BOOST_TEST(error({e, zeros({3, 2}), {}, {}}) ==
             "[crf_log_partition] transitions are (3, 2), emissions (4, 2, 3); expected "
             "transitions (3, 3).");
  BOOST_TEST(error({e, A, zeros({2}), {}}) ==
             "[crf_log_partition] start is (2,), emissions (4, 2, 3); expected (3,).");
  BOOST_TEST(error({e, A, {}, {}}, {.lengths = {5, 1}}) ==
             "[crf_log_partition] lengths[0] is 5; expected a number in [0, 4].");
  BOOST_TEST(error({e, A, {}, {}}, {.mask = zeros({4})}) ==
             "[crf_log_partition] mask is (4,), emissions (4, 2, 3); expected (4, 2).");
  Array wrong = y.copy();
  wrong[3].fill(3);
  BOOST_TEST(error_of([&] {
               crf_score({e, A, {}, {}}, wrong, {.lengths = {3, 4}});
             }) == "[crf_score] label 3 at step 3 of sequence 1 is not in [0, 3).");
  BOOST_TEST(error_of([&] {
               crf_score({e, A, {}, {}}, zeros({4, 2}));
             }) == "[crf_score] labels are float32 (4, 2); expected int64 (4, 2), (T, B).");
  BOOST_TEST(error_of([&] {
               crf_viterbi_best({e, A, {}, {}}, 0);
             }) == "[crf_viterbi_best] n is 0; expected 1 or more.");
}

BOOST_AUTO_TEST_SUITE_END()
