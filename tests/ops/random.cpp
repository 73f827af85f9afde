// Random arrays, categorical and dropout: their distributions from fixed seeds, that they repeat,
// and the errors. Bounds are five standard deviations of what is measured.
#include "reference.hpp"

#include <limits>
#include <map>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/softmax.hpp>

namespace {

using namespace reference;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Moments {
  double mean = 0, variance = 0, low = 0, high = 0;
};
Moments moments_of(const Array& a) {
  std::vector<double> x = a.to_vector<double>();
  Moments m{.low = x[0], .high = x[0]};
  double n = static_cast<double>(x.size());
  for (double e : x) {
    m.mean += e / n;
    m.low = std::min(m.low, e);
    m.high = std::max(m.high, e);
  }
  for (double e : x) m.variance += (e - m.mean) * (e - m.mean) / n;
  return m;
}

/// How often each class is drawn from n equal rows, divided by n.
std::map<Size, double> frequencies(const std::vector<double>& logits, Size n,
                                   const CategoricalOptions& options = {}) {
  Generator generator(3);
  Array row = values(std::span<const double>(logits), {1, static_cast<Size>(logits.size())});
  Array x = row.broadcast_to({n, row.size(1)});
  std::map<Size, double> share;
  for (Size c : categorical(x, generator, options).value().to_vector<Size>())
    share[c] += 1 / static_cast<double>(n);
  return share;
}

bool near(double frequency, double p, Size n) {
  return std::abs(frequency - p) <= 5 * std::sqrt(p * (1 - p) / static_cast<double>(n)) + 1e-9;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(random_ops)

BOOST_AUTO_TEST_CASE(uniform_numbers) {
  for (Type type : {float32, float64}) {
    Generator generator(1);
    const Size n = 100000;
    Moments m = moments_of(uniform({n}, generator, {.high = 3, .low = -1, .type = type}));
    BOOST_TEST((m.low >= -1 && m.low < -0.999 && m.high < 3 && m.high > 2.999));
    BOOST_TEST(std::abs(m.mean - 1) < 5 * std::sqrt(16.0 / 12 / n));
    BOOST_TEST(std::abs(m.variance - 16.0 / 12) < 5 * 16 / std::sqrt(180.0 * n));
  }
}

// Where rounding would reach the upper end, as between neighbouring floats, it does not.
BOOST_AUTO_TEST_CASE(uniform_never_reaches_its_upper_end) {
  Generator generator(1);
  double low = 1, high = 1 + 0x1.0p-23;
  for (float x : uniform({1000}, generator, {.high = high, .low = low}).to_vector<float>())
    BOOST_TEST(x == 1);
  for (double x : uniform({10}, generator, {.high = 2, .low = 2}).to_vector<double>())
    BOOST_TEST(x == 2);
}

BOOST_AUTO_TEST_CASE(normal_numbers) {
  Generator generator(1);
  const Size n = 100000;
  Array x = normal({n}, generator, {.mean = 2, .stddev = 3, .type = float64});
  Moments m = moments_of(x);
  BOOST_TEST(std::abs(m.mean - 2) < 5 * 3 / std::sqrt(n));
  BOOST_TEST(std::abs(m.variance - 9) < 5 * 9 * std::sqrt(2.0 / n));
  double beyond = 0;  // two standard deviations on either side: erfc(sqrt(2))
  for (double e : x.to_vector<double>()) beyond += std::abs(e - 2) > 6 ? 1.0 / n : 0;
  BOOST_TEST(near(beyond, std::erfc(std::sqrt(2.0)), n));
  BOOST_TEST((normal({2}, generator).type() == float32));
}

BOOST_AUTO_TEST_CASE(bernoulli_numbers) {
  Generator generator(1);
  const Size n = 100000;
  for (double p : {0.0, 0.1, 0.5, 1.0}) {
    Array x = bernoulli({n}, p, generator);
    Moments m = moments_of(x);
    BOOST_TEST(near(m.mean, p, n));
    for (float e : x.to_vector<float>()) BOOST_REQUIRE((e == 0 || e == 1));
  }
}

BOOST_AUTO_TEST_CASE(same_seed_same_numbers) {
  auto all = [](std::uint64_t seed) {
    Generator g(seed);
    Tape tape(g);
    Variable x = tape.watch(ones({50}));
    std::vector<Array> draws{uniform({50}, g), normal({50}, g), bernoulli({50}, 0.5, g),
                             categorical(zeros({50, 10}), g).value(), dropout(x, 0.5).value()};
    return draws;
  };
  std::vector<Array> first = all(1), again = all(1), other = all(2);
  for (std::size_t k = 0; k < first.size(); ++k) {
    BOOST_TEST(identical(first[k], again[k]));
    BOOST_TEST(!identical(first[k], other[k]));
  }
  Generator a(4), b(4);  // float32 and float64 are the same draws
  BOOST_TEST(close(normal({20}, a), normal({20}, b, {.type = float64}), 1e-6));
}

// ---- categorical -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(categorical_follows_the_softmax) {
  const Size n = 50000;
  std::vector<double> logits{0, 1, -kInfinity, 2, -30};
  for (double temperature : {1.0, 0.5, 3.0}) {
    std::vector<double> p;
    double total = 0;
    for (double x : logits) p.push_back(std::exp(x / temperature)), total += p.back();
    auto share = frequencies(logits, n, {.temperature = temperature});
    for (std::size_t c = 0; c < p.size(); ++c)
      BOOST_TEST(near(share[static_cast<Size>(c)], p[c] / total, n));
    BOOST_TEST(share[2] == 0);
  }
}

BOOST_AUTO_TEST_CASE(categorical_without_temperature_is_argmax) {
  Generator generator(1);
  Generator::State before = generator.state();
  Array x = values({{1, 5, 5}, {2, 0, 1}, {-kInfinity, -3, -kInfinity}});
  BOOST_TEST(identical(categorical(x, generator, {.temperature = 0}).value(), indices({1, 0, 1})));
  BOOST_TEST((generator.state() == before));
  Array apart = values({{1, 5, 4}, {2, 0, 1}, {-kInfinity, -3, -kInfinity}});
  BOOST_TEST(identical(categorical(apart, generator, {.temperature = 1e-300}).value(),
                       indices({1, 0, 1})));
}

BOOST_AUTO_TEST_CASE(top_k) {
  const Size n = 20000;
  auto share = frequencies({1, 3, 2, 3, 0}, n, {.top_k = 3});
  double e = std::exp(-1.0), total = 2 + e;
  BOOST_TEST(near(share[1], 1 / total, n));
  BOOST_TEST(near(share[3], 1 / total, n));
  BOOST_TEST(near(share[2], e / total, n));
  BOOST_TEST((share[0] == 0 && share[4] == 0));
  share = frequencies({0, 7, 7, 7}, 1000, {.top_k = 2});  // of equal ones the first
  BOOST_TEST((share[1] > 0 && share[2] > 0 && share[3] == 0 && share[0] == 0));
  share = frequencies({0, 1, 0}, 100, {.top_k = 1});
  BOOST_TEST(near(share[1], 1, 100));
  share = frequencies({-kInfinity, 1, -kInfinity}, 100, {.top_k = 3});
  BOOST_TEST(near(share[1], 1, 100));
  BOOST_TEST((frequencies({1, 3, 2}, 500, {.top_k = 99}) == frequencies({1, 3, 2}, 500)));
}

BOOST_AUTO_TEST_CASE(nucleus) {
  const Size n = 20000;
  std::vector<double> logits{std::log(0.1), std::log(0.5), std::log(0.15), std::log(0.25)};
  auto share = frequencies(logits, n, {.nucleus = 0.7});  // 0.5 + 0.25 are enough
  BOOST_TEST((near(share[1], 2.0 / 3, n) && near(share[3], 1.0 / 3, n)));
  BOOST_TEST((share[0] == 0 && share[2] == 0));
  share = frequencies(logits, n, {.nucleus = 0.8});
  BOOST_TEST((near(share[2], 0.15 / 0.9, n) && share[0] == 0));
  share = frequencies(logits, 100, {.nucleus = 1e-9});  // never less than one
  BOOST_TEST(near(share[1], 1, 100));
  share = frequencies(logits, n, {.nucleus = 0.6, .top_k = 2});  // of what top_k left: 2/3, 1/3
  BOOST_TEST(near(share[1], 1, n));
}

BOOST_AUTO_TEST_CASE(categorical_shapes) {
  Generator generator(1);
  Variable drawn = categorical(zeros({2, 3, 4}), generator);
  BOOST_TEST(drawn.shape() == Shape({2, 3}));
  BOOST_TEST((drawn.type() == int64));
  BOOST_TEST(categorical(zeros({4}), generator).shape() == Shape());
  BOOST_TEST(categorical(zeros({0, 4}), generator).shape() == Shape({0}));
  Array x = numbers({20, 7});
  Generator a(5), b(5);
  BOOST_TEST(identical(categorical(x, a).value(), categorical(awkward(x), b).value()));
}

BOOST_AUTO_TEST_CASE(categorical_errors) {
  Generator g(1);
  Array x = zeros({2, 3});
  BOOST_TEST(error_of([&] { categorical(x, g, {.temperature = -1}); }) ==
             "[categorical] temperature is -1; expected 0 or a positive number.");
  BOOST_TEST(error_of([&] { categorical(x, g, {.temperature = kNan}); }) ==
             "[categorical] temperature is nan; expected 0 or a positive number.");
  BOOST_TEST(error_of([&] { categorical(x, g, {.nucleus = 0}); }) ==
             "[categorical] nucleus is 0; expected a number in (0, 1].");
  BOOST_TEST(error_of([&] { categorical(x, g, {.top_k = -1}); }) ==
             "[categorical] top_k is -1; expected a count, or 0 for all.");
  BOOST_TEST(error_of([&] { categorical(zeros({2, 0}), g); }) ==
             "[categorical] logits are float32 (2, 0); expected float (..., V) with V > 0.");
  x.select(0, 1).fill(-kInfinity);
  BOOST_TEST(error_of([&] { categorical(x, g); }) ==
             "[categorical] row 1 has no finite logit; expected a class that can be drawn.");
  x.select(0, 1).select(0, 2).fill(kNan);
  BOOST_TEST(error_of([&] { categorical(x, g); }) ==
             "[categorical] logit 2 of row 1 is nan; expected finite numbers or -inf.");
}

BOOST_AUTO_TEST_CASE(errors_of_distributions) {
  Generator g(1);
  BOOST_TEST(error_of([&] { uniform({2}, g, {.high = 0, .low = 1}); }) ==
             "[uniform] low is 1, high is 0; expected low <= high, both finite.");
  BOOST_TEST(error_of([&] { normal({2}, g, {.stddev = -1}); }) ==
             "[normal] mean is 0, stddev is -1; expected finite numbers, stddev >= 0.");
  BOOST_TEST(error_of([&] { bernoulli({2}, 1.5, g); }) ==
             "[bernoulli] p is 1.5; expected a probability in [0, 1].");
  BOOST_TEST(error_of([&] { normal({2}, g, {.type = int64}); }) ==
             "[normal] elements are int64; expected float32 or float64.");
}

// ---- dropout -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(dropout_keeps_the_mean) {
  const Size n = 100000;
  for (Type type : {float32, float64}) {
    Generator generator(1);
    Tape tape(generator);
    Variable x = tape.watch(full({n}, 3, type)), y = dropout(x, 0.25);
    double kept = 0;
    for (double e : y.value().to_vector<double>()) {
      BOOST_REQUIRE((e == 0 || e == 4));
      kept += e == 4 ? 1.0 / n : 0;
    }
    BOOST_TEST(near(kept, 0.75, n));
    Array mask = grad(sum(y), x).value();  // the gradient passes where the value did, scaled alike
    BOOST_TEST(close(Variable(mask) * 3, y.value(), 1e-6));
  }
}

BOOST_AUTO_TEST_CASE(dropout_gradients) {
  // gradcheck repeats the draws of the tape's generator.
  auto f = [](auto& x) { return square(dropout(square(x), 0.4)); };
  BOOST_TEST(gradcheck(f, {{3, 5}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(dropout_needs_a_generator_only_while_recording) {
  Variable x = ones({3});
  BOOST_TEST(identical(dropout(x, 0.9).value(), x.value()));  // nothing records: inference
  {
    Tape tape;
    BOOST_TEST(error_of([&] { dropout(x, 0.9); }) ==
               "[dropout] the tape has no generator; make it with Tape tape(generator), "
               "or give parallel_backward {.generator = &generator}.");
    BOOST_TEST(identical(dropout(x, 0).value(), x.value()));
    BOOST_TEST(identical(no_grad([&] { return dropout(x, 0.9); }).value(), x.value()));
  }
  Generator g(1);
  Array y = dropout(ones({1000}), 0.5, g).value();  // an explicit generator draws without a tape
  BOOST_TEST((moments_of(y).low == 0 && moments_of(y).high == 2));
}

BOOST_AUTO_TEST_CASE(dropped_numbers_may_be_anything) {
  Generator g(1);
  Array y = dropout(full({1000}, kNan), 0.5, g).value();
  double zero = 0;
  for (double e : y.to_vector<double>()) zero += e == 0;
  BOOST_TEST(near(zero / 1000, 0.5, 1000));
}

BOOST_AUTO_TEST_CASE(dropout_errors) {
  Generator g(1);
  for (double p : {-0.1, 1.0, 1.5, kNan}) {
    std::string expected = "[dropout] p is " + detail::text_of(p) +
                           "; expected a probability in [0, 1).";
    BOOST_TEST(error_of([&] { dropout(ones({3}), p); }) == expected);
    BOOST_TEST(error_of([&] { dropout(ones({3}), p, g); }) == expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()
