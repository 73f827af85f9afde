// Sampled softmax: how often classes are drawn, the limit in which the loss is that of the whole
// softmax, and tying. The loss against loops is a row of the op table (table_sampled_softmax.cpp).
#include "reference.hpp"

#include <set>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/sampled_softmax.hpp>

namespace {

using namespace reference;

constexpr Size V = 9;

double log_uniform(Size c) {
  double k = static_cast<double>(c);
  return (std::log(k + 2) - std::log(k + 1)) / std::log(V + 1.0);
}

struct Inputs {
  Array h = numbers({4, 2, 3}), W = numbers({V, 3}, 2), b = numbers({V}, 3);
  Array targets = values(std::vector<Size>{0, 8, 2, 2, 5, 1, 7, 4}, {4, 2});
  ClassSample sample{indices({2, 0, 1, 6}), V, 7};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sampled_softmax)

BOOST_AUTO_TEST_CASE(classes_are_drawn_as_often_as_they_should) {
  constexpr int n = 50000;
  for (ClassSampler sampler : {ClassSampler::log_uniform, ClassSampler::uniform}) {
    Generator generator(3);
    std::vector<double> count(V, 0.0);
    for (int k = 0; k < n; ++k) {
      ClassSample sample = sample_classes(1, V, generator, {.sampler = sampler});
      ++count.at(static_cast<std::size_t>(sample.classes.at({0})));
    }
    ClassSample one = sample_classes(1, V, generator, {.sampler = sampler});
    double all = 0;
    for (Size c = 0; c < V; ++c) {
      double p = sampler == ClassSampler::uniform ? 1.0 / V : log_uniform(c);
      all += p;
      double deviation = std::sqrt(n * p * (1 - p));
      BOOST_TEST(std::abs(count[static_cast<std::size_t>(c)] - n * p) < 4 * deviation);
      BOOST_TEST(std::abs(std::exp(one.log_expected(c)) - p) < 1e-14);
    }
    BOOST_TEST(std::abs(all - 1) < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(unique_classes) {
  Generator generator(4);
  for (Size samples : {Size(1), Size(5), V}) {
    ClassSample sample = sample_classes(samples, V, generator);
    std::vector<Size> classes = sample.classes.to_vector<Size>();
    BOOST_TEST(std::set<Size>(classes.begin(), classes.end()).size() == classes.size());
    BOOST_TEST(sample.draws >= samples);
    double n = static_cast<double>(sample.draws);
    for (Size c = 0; c < V; ++c)
      BOOST_TEST(std::abs(std::exp(sample.log_expected(c)) - 1 + std::pow(1 - log_uniform(c), n)) <
                 1e-12);
  }
  Generator again(4), other(4);
  BOOST_TEST(identical(sample_classes(5, V, again).classes, sample_classes(5, V, other).classes));
}

// Every class, each certain to be there: nothing is left out but the target's own repetition.
BOOST_AUTO_TEST_CASE(a_sample_of_all_classes_is_the_whole_softmax) {
  Inputs in;
  ClassSample all{arange(0, V), V, 1000000};
  BOOST_TEST(close(sampled_softmax_loss(in.h, in.W, in.b, in.targets, all),
                   cross_entropy(linear(in.h, in.W, in.b), in.targets).value()));
}

BOOST_AUTO_TEST_CASE(gradients) {
  Inputs in;
  auto loss = [&](auto& h, auto& W, auto& b) {
    return sampled_softmax_loss(h, W, b, in.targets, in.sample, {.lengths = {4, 2}});
  };
  BOOST_TEST(gradcheck(loss, {in.h, in.W, in.b}, {.order = 2}));
  // Tied to the embedding: the Parameter is used twice.
  Parameter W("W", in.W.copy());
  auto tied = [&](auto& x) {
    return sampled_softmax_loss(x * embedding(W, in.targets), W, {}, in.targets, in.sample);
  };
  BOOST_TEST(gradcheck(tied, {in.h}, {.order = 2, .parameters = W}));
}

BOOST_AUTO_TEST_CASE(padding_may_hold_anything) {
  Inputs in;
  Array h = in.h.copy(), targets = in.targets.copy();
  for (Size t : {2, 3}) {
    h[t].select(0, 1).fill(std::nan(""));
    targets[t].select(0, 1).fill(-5);
  }
  for (bool create_graph : {false, true}) {
    auto run = [&](const Array& h, const Array& targets) {
      Tape tape;
      Variable x = tape.watch(h), W = tape.watch(in.W);
      Variable loss = sampled_softmax_loss(x, W, in.b, targets, in.sample, {.lengths = {4, 2}});
      std::vector<Variable> g = grad(loss, {x, W}, {.create_graph = create_graph});
      return std::vector<Array>{loss.value(), g[0].value(), g[1].value()};
    };
    std::vector<Array> expected = run(in.h, in.targets), got = run(h, targets);
    for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(close(got[k], expected[k]));
  }
}

BOOST_AUTO_TEST_CASE(errors) {
  Inputs in;
  Generator generator(1);
  BOOST_TEST(error_of([&] { sample_classes(V + 1, V, generator); }) ==
             "[sample_classes] 10 samples of 9 classes; expected at least one, and no more than "
             "there are.");
  BOOST_TEST(error_of([&] { sampled_softmax_loss(in.h, in.W[0], in.b, in.targets, in.sample); }) ==
             "[sampled_softmax_loss] h is (4, 2, 3), W (3,), b (9,), the sample of 9 classes; "
             "expected h (..., D), W (V, D), b (V).");
  BOOST_TEST(error_of([&] {
               sampled_softmax_loss(in.h, in.W, in.b, full({4, 2}, V, int64), in.sample);
             }) == "[sampled_softmax_loss] target 9 at (0, 0) is not in [0, 9).");
  BOOST_TEST(error_of([&] { sampled_softmax_loss(in.h, in.W, in.b, in.targets[0], in.sample); }) ==
             "[sampled_softmax_loss] targets are int64 (2,); expected int64 classes (4, 2).");
}

BOOST_AUTO_TEST_SUITE_END()
