// Matrix products and reductions against xtensor and xtensor-blas, an implementation that is not
// ours. It costs seconds to compile, so the other tests use plain loops.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/xtensor.hpp>
#include <unroll/ops/ops.hpp>

#if __has_include(<xtensor/reducers/xreducer.hpp>)
#include <xtensor/core/xmath.hpp>
#include <xtensor/reducers/xreducer.hpp>
#else
#include <xtensor/xmath.hpp>
#endif
#include <xtensor-blas/xlinalg.hpp>

using namespace unroll;

namespace {

// The largest difference, which is never small for unequal shapes or NaN.
double difference(const Variable& ours, const xt::xarray<double>& theirs) {
  Array a = ours.value();
  Array b = to_array(theirs);
  if (a.shape() != b.shape()) return 1e300;
  double most = 0;
  std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!(std::abs(x[i] - y[i]) <= most)) most = std::abs(x[i] - y[i]);
  return most;
}

struct Fixture {
  Generator generator{3};
  Array A = normal({7, 5}, generator, {.type = float64});
  Array B = normal({5, 6}, generator, {.type = float64});
  xt::xarray<double> a = as_xt<double>(A), b = as_xt<double>(B);
};

}  // namespace

BOOST_AUTO_TEST_SUITE(xtensor_reference)

BOOST_FIXTURE_TEST_CASE(products, Fixture) {
  xt::xarray<double> ab = xt::linalg::dot(a, b);
  BOOST_TEST(difference(matmul(A, B), ab) < 1e-13);
  BOOST_TEST(difference(linear(A, transpose(B)), ab) < 1e-13);
  BOOST_TEST(difference(matmul(transpose(B), transpose(A)), xt::transpose(ab)) < 1e-13);
  BOOST_TEST(difference(einsum("ij,jk->ki", {A, B}), xt::transpose(ab)) < 1e-13);
  BOOST_TEST(difference(matmul(A, B + 1.0), ab) > 1e-3);  // the measure sees a difference
}

BOOST_FIXTURE_TEST_CASE(gradient_of_a_product, Fixture) {
  Tape tape;
  Variable x = tape.watch(A), w = tape.watch(B);
  std::vector<Variable> g = grad(sum(square(matmul(x, w))), {x, w});
  xt::xarray<double> dy = 2 * xt::linalg::dot(a, b);
  xt::xarray<double> da = xt::linalg::dot(dy, xt::transpose(b));
  xt::xarray<double> db = xt::linalg::dot(xt::transpose(a), dy);
  BOOST_TEST(difference(g[0], da) < 1e-12);
  BOOST_TEST(difference(g[1], db) < 1e-12);
}

BOOST_FIXTURE_TEST_CASE(reductions, Fixture) {
  BOOST_TEST(difference(sum(A, {.axes = {0}}), xt::sum(a, {0})) < 1e-13);
  BOOST_TEST(difference(mean(A, {.axes = {-1}}), xt::mean(a, {1})) < 1e-13);
  BOOST_TEST(difference(max(A, {.axes = {1}}), xt::amax(a, {1})) < 1e-13);
}

BOOST_AUTO_TEST_SUITE_END()
