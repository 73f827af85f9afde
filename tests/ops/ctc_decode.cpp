// Reading CTC frames, against all paths one by one.
#include "reference.hpp"

#include <map>

#include <unroll/ops/ctc_decode.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/loss.hpp>
#include <unroll/ops/softmax.hpp>

namespace {

using namespace reference;

using Labels = std::vector<Size>;

Labels read(const Index& path, Size blank) {
  Labels labels;
  for (std::size_t t = 0; t < path.size(); ++t)
    if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) labels.push_back(path[t]);
  return labels;
}

/// Probability of every reading of sequence b, and its likeliest path with its probability.
struct All {
  std::map<Labels, double> readings;
  Labels best_path_reading;
  double best_path = 0;

  All(const Array& log_p, Size b, Size frames, Size blank) {
    Index path(static_cast<std::size_t>(frames), 0);
    const Size classes = log_p.size(2);
    for (bool more = true; more;) {
      double p = 0;
      for (std::size_t t = 0; t < path.size(); ++t) p += at(log_p, {Size(t), b, path[t]});
      p = std::exp(p);
      readings[read(path, blank)] += p;
      if (p > best_path) best_path = p, best_path_reading = read(path, blank);
      more = false;
      for (Size& c : path) {
        if (++c < classes) {
          more = true;
          break;
        }
        c = 0;
      }
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ctc_decoding)

BOOST_AUTO_TEST_CASE(a_wide_beam_finds_every_reading) {
  for (Size blank : {0, 2}) {
    Array log_p = log_softmax(Variable(numbers({6, 3, 3}, 5)) * 1.5).value();
    Labels lengths{6, 4, 0};
    auto found = ctc_beam_search(log_p, {.beams = 1000, .blank = blank, .lengths = lengths});
    auto greedy = ctc_greedy(log_p, {.blank = blank, .lengths = lengths});
    BOOST_TEST(found.size() == 3u);
    for (std::size_t b = 0; b < 3; ++b) {
      All all(log_p, static_cast<Size>(b), lengths[b], blank);
      BOOST_TEST(found[b].size() == all.readings.size());
      double last = 1;
      for (const CtcReading& reading : found[b]) {
        double p = std::exp(reading.log_probability);
        BOOST_TEST(std::abs(p - all.readings.at(reading.labels)) < 1e-14);
        BOOST_TEST(reading.score == reading.log_probability);
        BOOST_TEST(p <= last);
        last = p;
      }
      BOOST_TEST((greedy[b].labels == all.best_path_reading));
      BOOST_TEST(std::abs(std::exp(greedy[b].log_probability) - all.best_path) < 1e-14);
    }
  }
}

// Probabilities are those of ctc_loss, in float32 too.
BOOST_AUTO_TEST_CASE(agrees_with_the_loss) {
  Array log_p = log_softmax(numbers({8, 1, 4}, 9, float32)).value();
  auto found = ctc_beam_search(log_p, {.beams = 5000})[0];
  BOOST_TEST(found.size() > 100u);
  for (const CtcReading& reading : found) {
    Size n = static_cast<Size>(reading.labels.size());
    Variable loss =
        ctc_loss(log_p, values(reading.labels, {n}), {8}, {n}, {.reduction = Reduction::sum});
    BOOST_TEST(std::abs(loss.item() + reading.log_probability) < 1e-4);
  }
}

// The likeliest path reads as nothing, the likeliest reading is "1": 0.24 against 0.4.
BOOST_AUTO_TEST_CASE(a_beam_sums_over_paths) {
  Array p = values({{0.5, 0.5 - 0.1, 0.1}, {0.6, 0.4, 0}}, float64);
  Array log_p = log(Variable(p)).value().expanded(1);
  BOOST_TEST(ctc_greedy(log_p)[0].labels.empty());
  auto found = ctc_beam_search(log_p, {.beams = 2})[0];
  BOOST_TEST(found.size() == 2u);
  BOOST_TEST((found[0].labels == Labels{1}));
  BOOST_TEST(std::abs(std::exp(found[0].log_probability) - (0.4 * 0.6 + 0.5 * 0.4 + 0.4 * 0.4)) <
             1e-14);
}

// No reading is returned twice, and none has more than its probability.
BOOST_AUTO_TEST_CASE(narrow_beams) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Array log_p = log_softmax(Variable(numbers({8, 1, 3}, seed)) * 2).value();
    All all(log_p, 0, 8, 0);
    for (Size beams : {1, 2, 3, 5}) {
      auto found = ctc_beam_search(log_p, {.beams = beams})[0];
      std::map<Labels, int> times;
      for (const CtcReading& reading : found) {
        BOOST_TEST(++times[reading.labels] == 1);
        BOOST_TEST(std::exp(reading.log_probability) <= all.readings.at(reading.labels) + 1e-14);
      }
      BOOST_TEST(static_cast<Size>(found.size()) == beams);
    }
  }
}

// "1" is dropped in the second frame, comes back in the third, and goes on to "1 2", which has been
// there all the time.
BOOST_AUTO_TEST_CASE(a_prefix_that_comes_back_goes_on_to_the_same_readings) {
  Array p = build({4, 1, 3}, [](const Index& i) {
    const double rows[4][3] = {
        {0.6, 0.39, 0.01}, {0.1, 0.01, 0.89}, {0.1, 0.89, 0.01}, {0.1, 0.01, 0.89}};
    return rows[i[0]][i[2]];
  });
  auto language = [](const Labels& prefix, Size label) {
    return static_cast<Size>(prefix.size()) + 1 == label ? 0.0 : -100.0;  // only 1, then 2
  };
  auto found = ctc_beam_search(log(Variable(p)), {.beams = 2, .language = language})[0];
  BOOST_TEST((found[0].labels == Labels{1, 2}));
  BOOST_TEST((found[1].labels == Labels{1}));
  double stayed = 0.39 * 0.89, blank = stayed * 0.1, label = stayed * 0.01;  // after three frames
  double back = 0.6 * 0.1 * 0.89;
  double expected = (blank + label) * 0.1 + label * 0.89 + back * 0.89;
  BOOST_TEST(std::abs(std::exp(found[0].log_probability) - expected) < 1e-14);
}

// The weight of a reading is its probability times that of the language model, and a bonus a label.
BOOST_AUTO_TEST_CASE(with_a_language_model) {
  Array log_p = log_softmax(numbers({5, 1, 3}, 4)).value();
  auto language = [](const Labels& prefix, Size label) {
    return (prefix.empty()           ? 0.3
            : prefix.back() == label ? -2.0
                                     : 0.5) *
           static_cast<double>(label);
  };
  All all(log_p, 0, 5, 0);
  auto found = ctc_beam_search(log_p, {.beams = 1000, .language = language})[0];
  double last = 1e9;
  for (const CtcReading& reading : found) {
    double added = 0;
    Labels prefix;
    for (Size label : reading.labels) {
      added += language(prefix, label);
      prefix.push_back(label);
    }
    double log_probability = std::log(all.readings.at(reading.labels));
    BOOST_TEST(std::abs(reading.log_probability - log_probability) < 1e-13);
    BOOST_TEST(std::abs(reading.score - log_probability - added) < 1e-13);
    BOOST_TEST(reading.score <= last);
    last = reading.score;
  }
  BOOST_TEST(found.size() == all.readings.size());
}

BOOST_AUTO_TEST_CASE(errors) {
  Array log_p = zeros({4, 2, 3});
  BOOST_TEST(error_of([&] { ctc_greedy(log_p[0]); }) ==
             "[ctc_greedy] log_probabilities are float32 (2, 3); expected float (T, B, V).");
  BOOST_TEST(error_of([&] { ctc_greedy(log_p, {.blank = 3}); }) ==
             "[ctc_greedy] blank is 3; expected a class in [0, 3).");
  BOOST_TEST(error_of([&] { ctc_beam_search(log_p, {.lengths = {1}}); }) ==
             "[ctc_beam_search] 1 lengths, but a batch of 2; expected one each.");
  BOOST_TEST(error_of([&] {
               ctc_beam_search(log_p, {.lengths = {1, 5}});
             }) == "[ctc_beam_search] lengths[1] is 5; expected a number in [0, 4].");
  BOOST_TEST(error_of([&] { ctc_beam_search(log_p, {.beams = 0}); }) ==
             "[ctc_beam_search] beams is 0; expected 1 or more.");
  Array spoilt = log_p.copy();
  spoilt[2].fill(std::nan(""));
  BOOST_TEST(error_of([&] { ctc_greedy(spoilt); }) ==
             "[ctc_greedy] NaN among the log_probabilities of frame 2 of sequence 0.");
  BOOST_TEST(ctc_greedy(spoilt, {.lengths = {2, 0}})[1].labels.empty());  // NaN in padding
}

BOOST_AUTO_TEST_SUITE_END()
