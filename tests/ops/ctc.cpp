// ctc_loss at its edges: labels that do not fit, empty targets, no frames, impossible classes, and
// the errors. Sums over all paths are rows of the op table (table_ctc.cpp).
#include "reference.hpp"

#include <limits>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/loss.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/softmax.hpp>

namespace {

using namespace reference;

using Lengths = std::vector<Size>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Array log_probabilities(Size T, Size B, Size C) { return log_softmax(numbers({T, B, C})).value(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(ctc)

BOOST_AUTO_TEST_CASE(padded_and_joined_targets_agree) {
  Array p = log_probabilities(6, 3, 5);
  Array joined = indices({1, 2, 2, 4, 3});
  Array padded = values(Lengths{1, 2, 2, -1, 99, 0, 4, 3, 0}, {3, 3});  // beyond an end: anything
  Lengths inputs{6, 1, 5}, lengths{3, 0, 2};
  CtcOptions each{.reduction = Reduction::none};
  Variable a = ctc_loss(p, joined, inputs, lengths, each);
  BOOST_TEST(identical(a.value(), ctc_loss(p, padded, inputs, lengths, each).value()));
  BOOST_TEST(close(ctc_loss(p, joined, inputs, lengths, {.reduction = Reduction::sum}),
                   sum(a).value()));
  BOOST_TEST(close(ctc_loss(p, joined, inputs, lengths),
                   mean(a / values({3, 1, 2}, float64)).value()));
}

BOOST_AUTO_TEST_CASE(an_empty_target_is_all_blanks) {
  Array p = log_probabilities(4, 1, 3);
  double expected = 0;
  for (Size t = 0; t < 3; ++t) expected -= p.at({t, 0, 2});
  BOOST_TEST(close(ctc_loss(p, zeros({0}, int64), {3}, {0}, {.blank = 2}),
                   full({}, expected, float64)));
}

// Labels that need more frames than there are: +inf, or 0 on demand; the rest of the batch is
// unharmed, and frames beyond the end have no gradient.
BOOST_AUTO_TEST_CASE(labels_that_do_not_fit) {
  Array p = log_probabilities(4, 3, 3);
  Array targets = values(Lengths{1, 1, 1, 2, 0, 0, 1, 2, 0}, {3, 3});
  Lengths inputs{4, 3, 0}, lengths{3, 1, 2};  // 1 1 1 needs 5 frames, and two labels some
  for (bool zero : {false, true})
    for (bool create_graph : {false, true}) {
      Tape tape;
      Variable x = tape.watch(p);
      Variable loss = ctc_loss(x, targets, inputs, lengths,
                               {.reduction = Reduction::none, .zero_infinity = zero});
      Variable alone = ctc_loss(Variable(p.sliced(1, 1, 2)), indices({2}), {3}, {1});
      double missing = zero ? 0 : kInfinity;
      BOOST_TEST(close(loss, values({missing, alone.item(), missing}, float64)));
      Array g = grad(sum(loss), x, {.create_graph = create_graph}).value();
      for (Size t = 0; t < 4; ++t)
        for (Size c = 0; c < 3; ++c) {
          bool may_be_nan = !zero && c < 2;  // blank and the only label
          BOOST_TEST(std::isnan(g.at({t, 0, c})) == may_be_nan);
          if (!may_be_nan) BOOST_TEST(g.at({t, 0, c}) == 0);
          BOOST_TEST((std::isfinite(g.at({t, 1, c})) && (t < 3 || g.at({t, 1, c}) == 0)));
          BOOST_TEST(g.at({t, 2, c}) == 0);
        }
      for (Size t = 0; t < 3; ++t) {  // the path is somewhere in each frame
        double total = 0;
        for (Size c = 0; c < 3; ++c) total += g.at({t, 1, c});
        BOOST_TEST(std::abs(total + 1) < 1e-12);
      }
    }
}

// Second derivatives stay finite beside a sequence that does not fit and counts 0.
BOOST_AUTO_TEST_CASE(second_order_beside_an_impossible_sequence) {
  Array targets = values(Lengths{1, 1, 1, 2, 1, 0}, {2, 3});
  BOOST_TEST(gradcheck([&](auto& x) {
    return ctc_loss(log_softmax(x), targets, {4, 4}, {3, 2}, {.zero_infinity = true});
  }, {{4, 2, 3}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(impossible_classes) {
  Array p = log_probabilities(3, 1, 3);
  p.select(2, 0).fill(-kInfinity);  // never a blank: 1 1 2 and 1 2 2 are the paths left
  auto loss = [&](const Variable& x) { return ctc_loss(x, indices({1, 2}), {3}, {2}); };
  auto path = [&](Size a, Size b, Size c) {
    return std::exp(p.at({0, 0, a}) + p.at({1, 0, b}) + p.at({2, 0, c}));
  };
  double first = path(1, 1, 2), second = path(1, 2, 2);
  BOOST_TEST(close(loss(p), full({}, -std::log(first + second) / 2, float64)));
  for (bool create_graph : {false, true}) {
    Tape tape;
    Variable x = tape.watch(p);
    Array g = grad(loss(x), x, {.create_graph = create_graph}).value();
    double share = first / (first + second);
    std::vector<double> shares{0, -1, 0, 0, -share, share - 1, 0, 0, -1};
    Array expected = values(std::span<const double>(shares), {3, 1, 3});
    BOOST_TEST(close(g, (Variable(expected) / 2).value()));
  }
}

BOOST_AUTO_TEST_CASE(many_frames_neither_overflow_nor_vanish) {
  const Size T = 3000, C = 4;
  Array p = full({T, 1, C}, -std::log(4.0), float32);
  Lengths labels(500, 1);
  for (std::size_t k = 0; k < labels.size(); ++k) labels[k] += static_cast<Size>(k % 3);
  Array targets = values(std::span<const Size>(labels), {500});
  Tape tape;
  Variable x = tape.watch(p);
  Variable loss = ctc_loss(x, targets, {T}, {500}, {.reduction = Reduction::sum});
  // No repeats: a path chooses among T frames where its 500 runs of labels and blanks change:
  // binomial(T + 500, 1000) paths of probability C^-T each.
  double log_paths = std::lgamma(T + 501.0) - std::lgamma(1001.0) - std::lgamma(T - 499.0);
  BOOST_TEST(std::abs(loss.item() / (T * std::log(4.0) - log_paths) - 1) < 1e-6);
  Array total = sum(grad(loss, x)).value();
  BOOST_TEST(std::abs(total.item() / T + 1) < 1e-4);
}

BOOST_AUTO_TEST_CASE(errors) {
  Array p = log_probabilities(4, 2, 3), y = indices({1, 2, 1});
  auto error = [&](const Array& targets, Lengths inputs, Lengths lengths, CtcOptions options = {}) {
    return error_of([&] { ctc_loss(p, targets, inputs, lengths, options); });
  };
  BOOST_TEST(error_of([&] { ctc_loss(p[0], y, {4, 4}, {2, 1}); }) ==
             "[ctc_loss] log_probabilities are (2, 3); expected (T, B, C).");
  BOOST_TEST(error(y, {4, 5}, {2, 1}) ==
             "[ctc_loss] input_lengths[1] is 5; expected a number in [0, 4].");
  BOOST_TEST(error(y, {4}, {2, 1}) ==
             "[ctc_loss] 1 input_lengths, but a batch of 2; expected one each.");
  BOOST_TEST(error(y, {4, 4}, {1, 1}) ==
             "[ctc_loss] target_lengths sum to 2, but there are 3 labels.");
  BOOST_TEST(error(indices({1, 0, 2}), {4, 4}, {2, 1}) ==
             "[ctc_loss] label 0 (number 1 of sequence 0) is not in [0, 3) or is the blank 0.");
  BOOST_TEST(error(indices({1, 2, 3}), {4, 4}, {2, 1}) ==
             "[ctc_loss] label 3 (number 0 of sequence 1) is not in [0, 3) or is the blank 0.");
  BOOST_TEST(error(y, {4, 4}, {2, 1}, {.blank = 3}) ==
             "[ctc_loss] blank is 3; expected a class in [0, 3).");
  BOOST_TEST(error(zeros({3, 2}, int64), {4, 4}, {2, 1}) ==
             "[ctc_loss] targets are int64 (3, 2); expected int64 labels one after the other, or "
             "(2, S).");
}

BOOST_AUTO_TEST_SUITE_END()
