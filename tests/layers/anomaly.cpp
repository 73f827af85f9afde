// Anomaly mode on recurrent layers: products that the steps share and gradients that are collected
// over them are still reported at the step where they went wrong.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/ops.hpp>

using namespace unroll;

BOOST_AUTO_TEST_SUITE(anomaly_in_layers)

BOOST_AUTO_TEST_CASE(a_bad_input_is_found_in_its_step) {
  LSTM cell(3, 4);
  for (Size bad : {1, 5}) {
    Array x = ones({8, 2, 3});
    x[bad].fill(NAN);
    std::string message = error_of([&] {
      Tape tape({.anomaly = true});
      over_time(cell, x);
    });
    BOOST_TEST(message.find("(2, 3) with 6 not finite") != message.npos, message);
    BOOST_TEST(message.find(" at LSTM t=" + std::to_string(bad) + " is not finite") != message.npos,
               message);
  }
}

// Which operation of a fused lambda is to blame.
BOOST_AUTO_TEST_CASE(a_bad_value_within_a_fused_lambda) {
  auto f = [](auto a, auto b) { return std::tuple(exp(log(a) * 0.5) + b, b); };
  const Array a = values({1, -1, 4}), b = values({{1, 2, 3}, {4, 5, 6}});
  BOOST_TEST(error_of([&] {
               Tape tape({.anomaly = true});
               fuse(f, tape.watch(a), b);
             }) == "[anomaly] the value of log((3,) in [-1, 4]) is not finite.");
  Tape tape({.anomaly = true});
  const auto [y, constant] = fuse(f, tape.watch(values({1, 9, 4}, float64)), b);
  BOOST_TEST(distance(y, values({{2, 5, 5}, {5, 8, 8}}, float64)) < 1e-14);
  BOOST_TEST(distance(constant, b.to(float64)) == 0);
  const Variable broadcast = fuse([](auto a, auto) { return a * a; }, tape.watch(a), b);
  BOOST_TEST(broadcast.shape() == b.shape());
  BOOST_TEST(broadcast.value().is_contiguous());
}

BOOST_AUTO_TEST_CASE(a_bad_weight_gradient_is_found_in_its_step) {
  Parameter W("W", full({2, 3}, 1e-30));
  Tape tape({.anomaly = true});
  Variable loss = zeros({});
  for (Size t = 0; t < 6; ++t) {
    Scope scope("reader");
    scope.step(t);
    loss = loss + sum(linear(full({4, 3}, t == 3 ? 1e25 : 1), W)) * 1e20;
  }
  BOOST_TEST(error_of([&] { tape.backward(loss); }) ==
             "[anomaly] a gradient that comes out of linear((4, 3) in [1e+25, 1e+25], W (2, 3) in "
             "[1e-30, 1e-30]) at reader t=3 is not finite.");
  BOOST_TEST(W.grad().empty());
}

// An infinity that is written hides what a query does not see.
BOOST_AUTO_TEST_CASE(an_infinity_that_is_meant) {
  Tape tape({.anomaly = true});
  const Variable x = tape.watch(random({3, 4}));
  const Array mask = values({{1, 0, 1}, {0, 0, 0}, {1, 1, 1}});
  grad(sum(square(attention(x, x, x, {.causal = true, .mask = mask}).output)), x);
  const Variable scores = masked_fill(matmul(x, transpose(x)), equals(mask, 0), -INFINITY);
  grad(sum(square(softmax(scores[0]))), x);
  BOOST_TEST(error_of([&] { scores - scores; }).find(" is not finite.") != std::string::npos);
  BOOST_TEST(error_of([&] { exp(1e5 * x); }).find(" is not finite.") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_same_numbers_with_and_without) {
  Generator generator(1);
  GRU cell(3, 4);
  cell.initialise(generator);
  Array x = normal({6, 2, 3}, generator);
  auto gradients = [&](bool anomaly) {
    Tape tape({.anomaly = anomaly});
    std::vector<Array> list;
    for (const Variable& g : grad(sum(square(over_time(cell, x).outputs())), cell))
      list.push_back(g.value());
    return list;
  };
  std::vector<Array> plain = gradients(false), checked = gradients(true);
  for (std::size_t k = 0; k < plain.size(); ++k)
    BOOST_TEST(max(abs(Variable(plain[k]) - checked[k])).item() < 1e-5);
}

BOOST_AUTO_TEST_SUITE_END()
