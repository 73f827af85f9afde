// Products with a prepared right side: by OpenBLAS and by panels of libxsmm the same numbers, as
// plain loops give them; and linear, which prepares a weight that it uses again.
#include "reference.hpp"

#include <unroll/autograd/memory.hpp>
#include <unroll/ops/ops.hpp>
#include <unroll/ops/right_side.hpp>

namespace {

using namespace reference;
using kernel::Multiplier;
using kernel::RightSide;

Array product_by_loops(const Array& a, const Array& b, const Array& c, bool accumulate) {
  Array y = zeros(c.shape(), float64);
  const Size m = c.size(0), n = c.size(1), k = b.size(0);
  for (Size i = 0; i < m; ++i)
    for (Size j = 0; j < n; ++j) {
      double sum = accumulate ? c.at({i, j}) : 0;
      for (Size l = 0; l < k; ++l) sum += a.at({i, l}) * b.at({l, j});
      y.mutable_data<double>()[i * n + j] = sum;
    }
  return y;
}

double worst_difference(const Array& a, const Array& b) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double worst = x.size() == y.size() ? 0 : 1e9;
  for (std::size_t k = 0; k < x.size() && k < y.size(); ++k)
    worst = !(std::abs(x[k] - y[k]) <= worst) ? std::abs(x[k] - y[k]) : worst;  // NaN gets in
  return worst;
}

void check(Size m, Size n, Size k, Type type, bool accumulate, bool transposed) {
  Generator g(1);
  const Array a = normal({m, k}, g, {.type = type}), c = normal({m, n}, g, {.type = type});
  const Array b = transposed ? normal({n, k}, g, {.type = type}).transposed()
                             : normal({k, n + 3}, g, {.type = type}).sliced(1, 1, n + 1);
  const Array expected = product_by_loops(a, b, c, accumulate);
  const double tolerance = type == float32 ? 1e-4 : 1e-12;
  for (Multiplier by : {Multiplier::openblas, Multiplier::libxsmm}) {
    Array y = accumulate ? c.copy() : full(c.shape(), NAN, type);
    RightSide(b, by).multiply(a, y, accumulate);
    const double worst = worst_difference(y, expected);
    BOOST_TEST(worst < tolerance,
               m << "x" << n << "x" << k << " by " << static_cast<int>(by) << ": " << worst);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(right_side)

BOOST_AUTO_TEST_CASE(both_multiply_alike) {
  for (Size m : {1, 2, 3, 20, 64, 65, 131})  // blocks of 64 rows, and what is left
    for (Size n : {1, 31, 32, 33, 64, 100})  // panels of 32 columns, and what is left
      for (Size k : {1, 7, 40})
        for (Type type : {float32, float64})
          for (bool accumulate : {false, true}) check(m, n, k, type, accumulate, (m + n) % 2 == 0);
}

BOOST_AUTO_TEST_CASE(empty_sizes) {
  for (auto [m, n, k] : {std::array<Size, 3>{0, 3, 4}, {3, 0, 4}, {3, 4, 0}})
    for (bool accumulate : {false, true}) check(m, n, k, float64, accumulate, true);
}

// Each use of a weight gives the same numbers, prepared or not, and so do its gradients: few rows gain
// soon and many at once, one row never.
BOOST_AUTO_TEST_CASE(first_use_and_later_ones) {
  for (Type type : {float32, float64})
    for (Size rows : {1, 9, 20}) {
      Generator g(2);
      Parameter W("W", normal({70, 40}, g, {.type = type}));
      const Array x = normal({rows, 40}, g, {.type = type}), dy = normal({rows, 70}, g, {.type = type});
      Tape tape;
      std::vector<Variable> inputs, outputs;
      Variable sum_of_all = zeros({}, type);
      for (int k = 0; k < 4; ++k) {
        inputs.push_back(tape.watch(x));
        outputs.push_back(linear(inputs.back(), W));
        sum_of_all = sum_of_all + sum(outputs.back() * dy);
      }
      tape.backward(sum_of_all);
      const double tolerance = type == float32 ? 1e-4 : 1e-12;
      const Array y = product_by_loops(x, W.value().transposed(), dy, false);
      const Array dx = product_by_loops(dy, W.value(), x, false);
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        BOOST_TEST(worst_difference(outputs[k].value(), y) < tolerance);
        BOOST_TEST(worst_difference(inputs[k].grad().value(), dx) < tolerance);
      }
    }
}

// With a bias that is a row, as most are, and with others, before and after the weight is prepared.
BOOST_AUTO_TEST_CASE(a_bias) {
  for (Size rows : {1, 9, 130}) {
    Generator g(4);
    Parameter W("W", normal({70, 40}, g));
    const Array x = normal({rows, 40}, g), row = normal({70}, g);
    const Array every_other = normal({140}, g).reshaped({70, 2}).sliced(1, 0, 1).reshaped({70});
    const Array column = normal({rows, 1}, g), one = normal({}, g);
    Tape tape;
    for (int k = 0; k < 8; ++k)
      for (const Array& b : {row, every_other, column, one, row.reshaped({1, 70})}) {
        const Array start = b.broadcast_to({rows, 70}).contiguous();
        const Array expected = product_by_loops(x, W.value().transposed(), start, true);
        BOOST_TEST(worst_difference(linear(x, W, b).value(), expected) < 1e-4);
      }
  }
}

// A weight that is changed between two uses is prepared again.
BOOST_AUTO_TEST_CASE(a_changed_weight) {
  Generator g(3);
  Parameter W("W", normal({40, 8}, g));
  const Array x = normal({5, 8}, g);
  Tape tape;
  for (int k = 0; k < 3; ++k) linear(x, W);
  W.assign(normal({40, 8}, g));
  const Array expected = product_by_loops(x, W.value().transposed(), zeros({5, 40}), false);
  for (int k = 0; k < 3; ++k) BOOST_TEST(worst_difference(linear(x, W).value(), expected) < 1e-4);
}

// Preparing costs about what so many products save.
BOOST_AUTO_TEST_CASE(the_use_that_prepares) {
  const int at_once = kernel::fastest_multiplier() == Multiplier::libxsmm ? 1 : 2;
  for (auto [rows, expected] : {std::pair<Size, int>{1, 100}, {2, 2}, {15, 2}, {16, at_once}}) {
    Parameter W("W", ones({40, 8}));
    const Array x = ones({rows, 8});
    Memos memos;
    const std::int64_t before = live_memory_of_thread();
    int uses = 0;
    while (live_memory_of_thread() == before && uses < 100) linear(x, W), ++uses;
    BOOST_TEST(uses == expected, rows << " rows: " << uses);
  }
}

// Without a tape a weight stays prepared as long as the oldest Memos lives.
BOOST_AUTO_TEST_CASE(memos) {
  Generator g(3);
  Parameter W("W", normal({40, 8}, g));
  const Array x = normal({5, 8}, g);
  const auto products = [&] {
    const Array expected = product_by_loops(x, W.value().transposed(), zeros({5, 40}), false);
    for (int k = 0; k < 3; ++k)
      BOOST_TEST(worst_difference(linear(x, W).value(), expected) < 1e-4);
  };
  const auto live = [] { return live_memory_of_thread(); };
  const std::int64_t before = live();
  products();
  BOOST_TEST(live() == before);
  {
    Memos oldest;
    {
      Memos inner;
      products();
    }
    BOOST_TEST(live() >= before + 40 * 8 * 4);
    const std::int64_t kept = live();
    W.assign(normal({40, 8}, g));
    products();
    BOOST_TEST(live() == kept);  // the old one is gone
  }
  BOOST_TEST(live() == before);
}

BOOST_AUTO_TEST_CASE(a_changed_weight_of_which_a_view_is_taken) {
  Generator g(3);
  Parameter P("P", normal({8, 40}, g));
  const Array x = normal({5, 8}, g);
  Tape tape;
  const Variable W = transpose(P);
  for (int k = 0; k < 3; ++k) linear(x, W);
  P.assign(normal({8, 40}, g));
  const Array expected = product_by_loops(x, P.value(), zeros({5, 40}), false);
  for (int k = 0; k < 3; ++k) BOOST_TEST(worst_difference(linear(x, W).value(), expected) < 1e-4);
}

BOOST_AUTO_TEST_SUITE_END()
