// Output layers of large vocabularies: SampledSoftmax, and AdaptiveSoftmax by its definition.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/adaptive_softmax.hpp>
#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/optimiser.hpp>
#include <unroll/layers/sampled_softmax.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

using namespace unroll;

namespace {

const Array targets = values(std::vector<Size>{0, 10, 3, 4, 7, 1, 5, 2}, {4, 2});

AdaptiveSoftmax adaptive(const AdaptiveSoftmaxOptions& options = {.div_value = 2}) {
  AdaptiveSoftmax layer(6, 11, {3, 5}, options);
  layer.to(float64);
  return layer;
}

/// x W^T + b of one row, by loops.
std::vector<double> product(const std::vector<double>& x, const Array& W, const Array& b = {}) {
  std::vector<double> y;
  for (Size o = 0; o < W.size(0); ++o) {
    double sum = b.size() ? b.at({o}) : 0;
    for (Size i = 0; i < W.size(1); ++i) sum += W.at({o, i}) * x[static_cast<std::size_t>(i)];
    y.push_back(sum);
  }
  return y;
}

std::vector<double> normalised(std::vector<double> x) {
  double total = 0;
  for (double e : x) total += std::exp(e);
  for (double& e : x) e -= std::log(total);
  return x;
}

/// torch's AdaptiveLogSoftmaxWithLoss.log_prob of one row.
std::vector<double> log_probabilities(const AdaptiveSoftmax& layer, const std::vector<double>& h) {
  const Array b = layer.head.b.empty() ? Array() : layer.head.b.value();
  std::vector<double> head = normalised(product(h, layer.head.W.value(), b));
  std::vector<double> all(head.begin(), head.begin() + 3);
  for (std::size_t k = 0; k < 2; ++k) {
    const auto& cluster = layer.clusters[k];
    for (double log_p :
         normalised(product(product(h, cluster.project.W.value()), cluster.readout.W.value())))
      all.push_back(head[3 + k] + log_p);
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(large_vocabulary)

BOOST_AUTO_TEST_CASE(adaptive_sizes) {
  AdaptiveSoftmax layer(64, 1000, {100, 400});
  auto named = layer.named_parameters();
  std::vector<std::pair<std::string, Shape>> expected{{"head.W", {102, 64}},
                                                      {"cluster0.project.W", {16, 64}},
                                                      {"cluster0.readout.W", {300, 16}},
                                                      {"cluster1.project.W", {4, 64}},
                                                      {"cluster1.readout.W", {600, 4}}};
  BOOST_TEST_REQUIRE(named.size() == expected.size());
  for (std::size_t k = 0; k < named.size(); ++k) {
    BOOST_TEST(named[k].name == expected[k].first);
    BOOST_TEST((named[k].parameter.shape() == expected[k].second));
  }
}

BOOST_AUTO_TEST_CASE(adaptive_by_definition) {
  Array h = random({4, 2, 6});
  for (bool bias : {false, true}) {
    AdaptiveSoftmax layer = adaptive({.div_value = 2, .head_bias = bias});
    if (bias) layer.head.b.assign(random({5}, 9));
    Array all = layer.log_probabilities(h).value(), best = layer.predict(h).value(),
          losses = layer.loss(h, targets, {.reduction = Reduction::none}).value();
    double sum = 0;
    for (Size t = 0; t < 4; ++t)
      for (Size b = 0; b < 2; ++b) {
        auto expected = log_probabilities(layer, h[t][b].to_vector<double>());
        Size largest = 0;
        for (Size c = 0; c < 11; ++c) {
          auto k = static_cast<std::size_t>(c);
          BOOST_TEST(std::abs(all.at({t, b, c}) - expected[k]) < 1e-13);
          if (expected[k] > expected[static_cast<std::size_t>(largest)]) largest = c;
        }
        auto y = static_cast<std::size_t>(targets.at({t, b}));
        BOOST_TEST(std::abs(losses.at({t, b}) + expected[y]) < 1e-13);
        BOOST_TEST(best.at({t, b}) == static_cast<double>(largest));
        sum -= expected[y];
      }
    BOOST_TEST(std::abs(layer.loss(h, targets).item() - sum / 8) < 1e-13);
    BOOST_TEST(std::abs(layer.loss(h, targets, {.reduction = Reduction::sum}).item() - sum) <
               1e-12);
  }
}

// Where a cluster is the likeliest entry of the head, the likeliest word may still be in the head.
BOOST_AUTO_TEST_CASE(adaptive_predictions_are_the_likeliest_words) {
  AdaptiveSoftmax layer = adaptive();
  Array h = (Variable(random({300, 6})) * 3).value();
  BOOST_TEST(identical(layer.predict(h).value(), argmax(layer.log_probabilities(h)).value()));
}

BOOST_AUTO_TEST_CASE(adaptive_gradients) {
  for (bool bias : {false, true}) {
    AdaptiveSoftmax layer = adaptive({.div_value = 2, .head_bias = bias});
    BOOST_TEST(gradcheck(
        [&](auto& h) {
          return layer.loss(h, targets, {.lengths = {4, 2}});
        },
        {{4, 2, 6}}, {.order = 2, .parameters = layer}));
    BOOST_TEST(gradcheck([&](auto& h) { return layer.log_probabilities(h); }, {{2, 6}},
                         {.order = 2, .parameters = layer}));
  }
}

BOOST_AUTO_TEST_CASE(adaptive_padding_may_hold_anything) {
  AdaptiveSoftmax layer = adaptive();
  Array h = random({4, 2, 6}), spoilt = h.copy(), wrong = targets.copy();
  for (Size t : {2, 3}) {
    spoilt[t].select(0, 1).fill(NAN);
    wrong[t].select(0, 1).fill(-100);
  }
  auto run = [&](const Array& h, const Array& y) {
    Tape tape;
    Variable x = tape.watch(h), loss = layer.loss(x, y, {.lengths = {4, 2}});
    tape.backward(loss);
    std::vector<Array> all{loss.value(), x.grad().value()};
    for (const Parameter& p : layer.parameters()) all.push_back(p.grad().value());
    layer.zero_grad();
    return all;
  };
  std::vector<Array> expected = run(h, targets), got = run(spoilt, wrong);
  for (std::size_t k = 0; k < expected.size(); ++k) BOOST_TEST(distance(got[k], expected[k]) == 0);
}

BOOST_AUTO_TEST_CASE(adaptive_errors) {
  for (std::vector<Size> cutoffs : {std::vector<Size>{}, {0, 3}, {4, 3}, {11}, {3, 3}})
    BOOST_TEST(error_of([&] { AdaptiveSoftmax(6, 11, cutoffs); }) ==
               "[adaptive_softmax] cutoffs do not rise from above 0 to below 11 classes; expected "
               "such as {2000, 10000}.");
  AdaptiveSoftmax layer = adaptive();
  BOOST_TEST(error_of([&] {
               layer.predict(zeros({2, 5}));
             }) == "[adaptive_softmax] h is (2, 5); expected (..., 6).");
  BOOST_TEST(error_of([&] {
               layer.loss(zeros({2, 6}), indices({0, 11}));
             }) == "[adaptive_softmax] target 11 at (1,) is not in [0, 11).");
}

BOOST_AUTO_TEST_CASE(sampled_layer) {
  SampledSoftmax layer(3, 30, {.samples = 8});
  layer.to(float64);
  Array h = random({4, 2, 3});
  BOOST_TEST(distance(layer.loss(h, targets), cross_entropy(layer(h), targets)) == 0);
  BOOST_TEST(gradcheck([&](auto& h) { return layer.loss(h, targets); }, {{4, 2, 3}},
                       {.order = 2, .parameters = layer}));
  Generator generator(2), same(2);
  {
    Tape tape(generator);
    ClassSample sample = sample_classes(8, 30, same);
    BOOST_TEST(distance(layer.loss(h, targets),
                        sampled_softmax_loss(h, layer.W, layer.b, targets, sample)) == 0);
  }
  Tape tape;
  BOOST_TEST(error_of([&] { layer.loss(h, targets); }) ==
             "[sampled_softmax] the tape has no generator; make it with Tape tape(generator), "
             "or give parallel_backward {.generator = &generator}.");
}

// Trained on 20 of 200 classes, the layer knows all of them.
BOOST_AUTO_TEST_CASE(training_on_samples_lowers_the_exact_loss) {
  SampledSoftmax layer(16, 200, {.samples = 20});
  Parameter inputs("inputs", random({200, 16}).to(float32));
  Adam optimiser({layer, inputs}, {.learning_rate = 0.03});
  Generator generator(3);
  Array all = arange(0, 200);
  BOOST_TEST(layer.loss(inputs, all).item() > 4);
  for (int k = 0; k < 300; ++k) {
    Tape tape(generator);
    tape.backward(layer.loss(inputs, all));
    optimiser.step();
  }
  BOOST_TEST(layer.loss(inputs, all).item() < 0.1);
  BOOST_TEST(identical(argmax(layer(inputs)).value(), all));
}

BOOST_AUTO_TEST_SUITE_END()
