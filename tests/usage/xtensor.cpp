// (o) xtensor: any of its expressions makes an Array, and an Array becomes one of its containers.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/xtensor.hpp>
#include <unroll/unroll.hpp>

BOOST_AUTO_TEST_CASE(xtensor_in_and_out) {
  xt::xarray<float> a = xt::ones<float>({3, 4});
  unroll::Variable x = unroll::to_array(a * 2.f + 1.f);  // an xtensor expression in
  auto y = unroll::tanh(x);
  auto v = unroll::as_xt<float>(y.value());  // an xtensor container out
  BOOST_TEST(v.size() == 12u);
  BOOST_TEST(v(2, 3) == 0.99505475f, boost::test_tools::tolerance(1e-6f));
}
