// Initialisers: their moments, their structure, and that both precisions start alike.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include <unroll/layers/init.hpp>
#include <unroll/layers/module.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

struct Moments {
  double mean = 0, variance = 0, low = 0, high = 0;
};
Moments moments(const Initialiser& f, const Shape& shape) {
  Array a(shape);
  Generator generator(5);
  f(a, generator);
  std::vector<double> v = a.to_vector<double>();
  Moments m;
  for (double x : v) m.mean += x / double(v.size());
  for (double x : v) m.variance += (x - m.mean) * (x - m.mean) / double(v.size());
  m.low = *std::min_element(v.begin(), v.end());
  m.high = *std::max_element(v.begin(), v.end());
  return m;
}

Array drawn(const Initialiser& f, const Shape& shape, Type type = float64) {
  Array a(shape, type);
  Generator generator(5);
  f(a, generator);
  return a;
}

// Largest distance of x x^T from the identity.
double distance_from_orthonormal(const Array& x) {
  Array product = matmul(x, transpose(x)).value();
  double worst = 0;
  for (Size i = 0; i < product.size(0); ++i)
    for (Size j = 0; j < product.size(1); ++j)
      worst = std::max(worst, std::fabs(product.at({i, j}) - (i == j)));
  return worst;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(initialisers)

BOOST_AUTO_TEST_CASE(moments_are_as_documented) {
  Shape shape{200, 300};
  Moments m = moments(init::fan_in, shape);
  double bound = 1 / std::sqrt(300.0);
  BOOST_TEST(m.high <= bound);
  BOOST_TEST(m.low >= -bound);
  BOOST_TEST(m.variance == bound * bound / 3, boost::test_tools::tolerance(0.02));
  m = moments(init::xavier, shape);
  BOOST_TEST(m.variance == 2.0 / 500, boost::test_tools::tolerance(0.02));
  BOOST_TEST(m.high <= std::sqrt(6.0 / 500));
  m = moments(init::he, shape);
  BOOST_TEST(m.variance == 2.0 / 300, boost::test_tools::tolerance(0.02));
  BOOST_TEST(m.high > 3 * std::sqrt(2.0 / 300));
  m = moments(init::normal(2, 1), shape);
  BOOST_TEST(m.mean == 1, boost::test_tools::tolerance(0.03));
  BOOST_TEST(m.variance == 4, boost::test_tools::tolerance(0.02));
  m = moments(init::uniform(1, 3), shape);
  BOOST_TEST(m.low >= 1);
  BOOST_TEST(m.high < 3);
  BOOST_TEST(m.mean == 2, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(fans_of_kernels_and_biases) {
  double conv = 1 / std::sqrt(8.0 * 3 * 5);
  Moments m = moments(init::fan_in, {64, 8, 3, 5});
  BOOST_TEST(m.high <= conv);
  BOOST_TEST(m.high > 0.98 * conv);
  m = moments(init::xavier, {64, 8, 3, 5});
  BOOST_TEST(m.high <= std::sqrt(6.0 / (8 * 15 + 64 * 15)));
  BOOST_TEST(m.high > 0.98 * std::sqrt(6.0 / (8 * 15 + 64 * 15)));
  m = moments(init::fan_in, {400});
  BOOST_TEST(m.high <= 0.05);
  BOOST_TEST(m.high > 0.045);
}

BOOST_AUTO_TEST_CASE(orthogonal_matrices) {
  BOOST_TEST(distance_from_orthonormal(drawn(init::orthogonal, {70, 70})) < 1e-13);
  BOOST_TEST(distance_from_orthonormal(drawn(init::orthogonal, {40, 100})) < 1e-13);
  BOOST_TEST(distance_from_orthonormal(drawn(init::orthogonal, {100, 40}).transposed()) < 1e-13);
  BOOST_TEST(distance_from_orthonormal(drawn(init::orthogonal, {1, 1})) < 1e-13);
  Array gates = drawn(init::orthogonal, {4 * 33, 33});
  for (Size k = 0; k < 4; ++k)
    BOOST_TEST(distance_from_orthonormal(gates.sliced(0, k * 33, (k + 1) * 33)) < 1e-13);
  Array kernel = drawn(init::orthogonal, {6, 2, 3, 3});
  BOOST_TEST(distance_from_orthonormal(kernel.reshaped({6, 18})) < 1e-13);
  BOOST_CHECK_THROW(drawn(init::orthogonal, {5}), Error);
}

BOOST_AUTO_TEST_CASE(constants) {
  BOOST_TEST(identical(drawn(init::zeros, {3}), zeros({3}, float64)));
  BOOST_TEST(identical(drawn(init::ones, {3}), ones({3}, float64)));
  BOOST_TEST(identical(drawn(init::constant(2.5), {3}), full({3}, 2.5, float64)));
  BOOST_TEST(identical(drawn(init::forget_bias, {8}), values({0, 0, 1, 1, 0, 0, 0, 0}, float64)));
  BOOST_CHECK_THROW(drawn(init::forget_bias, {6}), Error);
}

BOOST_AUTO_TEST_CASE(blocks_draw_each_gate_by_itself) {
  Array a = drawn(init::blocks(4, init::xavier), {4 * 50, 20});
  double bound = std::sqrt(6.0 / (50 + 20)), most = 0;
  for (double x : a.to_vector<double>()) most = std::max(most, std::fabs(x));
  BOOST_TEST(most <= bound);
  BOOST_TEST(most > 0.98 * bound);
  BOOST_CHECK_THROW(drawn(init::blocks(3, init::xavier), {4, 20}), Error);
}

BOOST_AUTO_TEST_CASE(both_precisions_start_alike) {
  for (const Initialiser& f :
       {Initialiser(init::fan_in), Initialiser(init::orthogonal), Initialiser(init::he)})
    BOOST_TEST(identical(drawn(f, {20, 10}).to(float32), drawn(f, {20, 10}, float32)));
}

BOOST_AUTO_TEST_CASE(any_callable_is_an_initialiser) {
  struct Mine : Module {
    Parameter W = parameter("W", {3, 3}, [](Array& a, Generator&) { a.assign(eye(3)); });
  } mine;
  BOOST_TEST(identical(mine.W.value(), eye(3)));
}

BOOST_AUTO_TEST_SUITE_END()
