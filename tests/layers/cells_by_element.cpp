// The equations of the cells that most networks are made of, written out for one element at a time.
// What holds for every cell is in cells.cpp.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "common/numbers.hpp"

#include <unroll/layers/cells/elman_of_order.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

using Numbers = std::vector<double>;
Numbers numbers(const Variable& x) { return x.value().to_vector<double>(); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
/// Row `row` of W times x.
double product(const Variable& W, Size row, const Numbers& x) {
  double sum = 0;
  for (std::size_t k = 0; k < x.size(); ++k) sum += W.value().at({row, Size(k)}) * x[k];
  return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cells_by_element)

BOOST_AUTO_TEST_CASE(elman_by_element) {
  Elman cell(3, 4);
  cell.to(float64);
  cell.b.assign(random({4}));
  Variable x = random({1, 3}), h = random({1, 4}, 5);
  Numbers y = numbers(cell.step(x, {h}).h);
  for (Size k = 0; k < 4; ++k)
    BOOST_TEST(y[std::size_t(k)] ==
                   std::tanh(product(cell.W, k, numbers(x)) + product(cell.U, k, numbers(h)) +
                             numbers(cell.b)[std::size_t(k)]),
               boost::test_tools::tolerance(1e-13));
  Elman rectified(3, 4, {.activation = relu});
  rectified.to(float64);
  y = numbers(rectified.step(x, {h}).h);
  for (Size k = 0; k < 4; ++k)
    BOOST_TEST(y[std::size_t(k)] == std::max(0.0, product(rectified.W, k, numbers(x)) +
                                                      product(rectified.U, k, numbers(h))),
               boost::test_tools::tolerance(1e-13));
}

BOOST_AUTO_TEST_CASE(elman_of_order_two_by_element) {
  ElmanOfOrder cell(3, 4, 2);
  cell.to(float64);
  Variable x = random({1, 3}), h = random({1, 4}, 5), before = random({1, 4}, 6);
  auto next = cell.step(x, {{h, before}});
  for (Size k = 0; k < 4; ++k)
    BOOST_TEST(numbers(next.h[0])[std::size_t(k)] ==
                   std::tanh(product(cell.W, k, numbers(x)) + product(cell.U[0], k, numbers(h)) +
                             product(cell.U[1], k, numbers(before))),
               boost::test_tools::tolerance(1e-13));
  BOOST_TEST((next.h[1].record() == h.record()));
  BOOST_TEST(next.h.size() == 2u);
}

BOOST_AUTO_TEST_CASE(lstm_by_element) {
  LSTM cell(3, 4);
  cell.to(float64);
  BOOST_TEST(identical(cell.b.value().sliced(0, 4, 8).copy(), ones({4}, float64)));
  Variable x = random({1, 3}), h = random({1, 4}, 5), c = random({1, 4}, 6);
  auto next = cell.step(x, {h, c});
  auto gate = [&](Size g, Size k) {
    return product(cell.W, 4 * g + k, numbers(x)) + product(cell.U, 4 * g + k, numbers(h)) +
           numbers(cell.b)[std::size_t(4 * g + k)];
  };
  for (Size k = 0; k < 4; ++k) {
    double c1 = sigmoid(gate(1, k)) * numbers(c)[std::size_t(k)] +
                sigmoid(gate(0, k)) * std::tanh(gate(2, k));
    BOOST_TEST(numbers(next.c)[std::size_t(k)] == c1, boost::test_tools::tolerance(1e-13));
    BOOST_TEST(numbers(next.h)[std::size_t(k)] == sigmoid(gate(3, k)) * std::tanh(c1),
               boost::test_tools::tolerance(1e-13));
  }
}

BOOST_AUTO_TEST_CASE(gru_by_element) {
  GRU cell(3, 4);
  cell.to(float64);
  cell.b.assign(random({12}, 7));
  cell.bh.assign(random({12}, 8));
  Variable x = random({1, 3}), h = random({1, 4}, 5);
  Numbers y = numbers(cell.step(x, {h}).h);
  auto of_x = [&](Size g, Size k) {
    return product(cell.W, 4 * g + k, numbers(x)) + numbers(cell.b)[std::size_t(4 * g + k)];
  };
  auto of_h = [&](Size g, Size k) {
    return product(cell.U, 4 * g + k, numbers(h)) + numbers(cell.bh)[std::size_t(4 * g + k)];
  };
  for (Size k = 0; k < 4; ++k) {
    double r = sigmoid(of_x(0, k) + of_h(0, k)), z = sigmoid(of_x(1, k) + of_h(1, k));
    double n = std::tanh(of_x(2, k) + r * of_h(2, k));
    BOOST_TEST(y[std::size_t(k)] == (1 - z) * n + z * numbers(h)[std::size_t(k)],
               boost::test_tools::tolerance(1e-13));
  }
}

BOOST_AUTO_TEST_CASE(projected_lstm_by_element) {
  LSTM whole(3, 4), cell(3, 4, {.projection = 2});
  for (LSTM* one : {&whole, &cell}) one->to(float64);
  BOOST_TEST(cell.output_size() == 2);
  Variable x = random({1, 3}), h = random({1, 2}, 5), c = random({1, 4}, 6);
  // The gates of the plain one are the same if its U sees the projected state.
  whole.W.assign(cell.W.value());
  whole.U.assign(zeros({16, 4}, float64));
  Array beside = whole.U.mutable_value();
  for (Size k = 0; k < 2; ++k)
    for (Size row = 0; row < 16; ++row)
      beside[row].sliced(0, k, k + 1).assign(cell.U.value()[row][k]);
  const auto next = cell.step(x, {h, c});
  const auto expected = whole.step(x, {pad(h, {{0, 0}, {0, 2}}), c});
  BOOST_TEST(distance(next.c, expected.c) < 1e-14);
  for (Size k = 0; k < 2; ++k)
    BOOST_TEST(numbers(next.h)[std::size_t(k)] == product(cell.P, k, numbers(expected.h)),
               boost::test_tools::tolerance(1e-13));
  const LSTM::State zero = cell.zero_state(x);
  BOOST_TEST(zero.h.shape() == Shape({1, 2}));
  BOOST_TEST(zero.c.shape() == Shape({1, 4}));
}

BOOST_AUTO_TEST_SUITE_END()
