// Clipping of gradients: norms against closed forms, who is counted, what is left alone. Golden
// group `clip` has PyTorch's numbers.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <unroll/layers/clip.hpp>

#include "common/error_of.hpp"

using namespace unroll;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Parameter with_gradient(const Array& gradient, const char* name = "w") {
  Parameter p(name, zeros(gradient.shape(), gradient.type()));
  p.set_grad(gradient);
  return p;
}

std::vector<double> numbers(const Variable& x) { return x.value().to_vector<double>(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(clip)

BOOST_AUTO_TEST_CASE(norm_over_all_parameters_together) {
  Parameter a = with_gradient(values({3, 0}, float64)), b = with_gradient(values({-4}, float64));
  BOOST_TEST(global_norm({a, b}) == 5);
  BOOST_TEST(global_norm({a, b}, {.p = 1}) == 7);
  BOOST_TEST(global_norm({a, b}, {.p = kInfinity}) == 4);
  BOOST_TEST(global_norm({a, b}, {.p = 3}) == std::cbrt(27. + 64.),
             boost::test_tools::tolerance(1e-14));
  BOOST_TEST(global_norm({Parameter("w", zeros({2}))}) == 0);
}

BOOST_AUTO_TEST_CASE(norm_of_many_elements_and_both_types) {
  for (Size n : {1, 7, 8, 9, 1000, 4099}) {  // around the eight interleaved sums
    Array g = Array(Shape{n}, float32);
    for (Size i = 0; i < n; ++i) g.mutable_data<float>()[i] = static_cast<float>(i % 2 ? -2 : 2);
    Parameter a = with_gradient(g), b = with_gradient(g.to(float64));
    BOOST_TEST(global_norm(a) == 2 * std::sqrt(n), boost::test_tools::tolerance(1e-14));
    BOOST_TEST(global_norm({a, b}) == std::sqrt(8. * n), boost::test_tools::tolerance(1e-14));
    BOOST_TEST(global_norm(a, {.p = 1}) == 2. * n);
    BOOST_TEST(global_norm(a, {.p = kInfinity}) == 2);
  }
}

BOOST_AUTO_TEST_CASE(norm_whose_squares_overflow_or_vanish) {
  Parameter big = with_gradient(values({3e200, 4e200}, float64));
  BOOST_TEST(global_norm(big) == 5e200, boost::test_tools::tolerance(1e-14));
  Parameter small = with_gradient(values({3e-200, 4e-200}, float64));
  BOOST_TEST(global_norm(small) / 5e-200 == 1, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(global_norm(with_gradient(values({3e30, 4e30}))) == 5e30,  // float32
             boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(scales_only_above_the_limit) {
  Parameter a = with_gradient(values({3, 0}, float64)), b = with_gradient(values({-4}, float64));
  BOOST_TEST(clip_global_norm({a, b}, 5.1) == 5);
  BOOST_TEST(numbers(a.grad()) == (std::vector<double>{3, 0}));
  BOOST_TEST(clip_global_norm({a, b}, 1) == 5);
  const double factor = 1 / (5 + 1e-6);
  BOOST_TEST(numbers(a.grad()) == (std::vector<double>{3 * factor, 0}));
  BOOST_TEST(numbers(b.grad()) == (std::vector<double>{-4 * factor}));
  clip_global_norm({a, b}, 0);
  BOOST_TEST(numbers(b.grad()) == (std::vector<double>{0}));
}

BOOST_AUTO_TEST_CASE(a_parameter_given_twice_is_clipped_once) {
  Parameter a = with_gradient(values({3, 4}, float64));
  BOOST_TEST(clip_global_norm({a, a}, 2.5) == 5);
  BOOST_TEST(global_norm(a) == 2.5, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(takes_modules) {
  struct Net : Module {
    Parameter W = parameter("W", {2}), b = parameter("b", {1});
  } net;
  net.W.set_grad(values({3, 0}));
  net.b.set_grad(values({4}));
  BOOST_TEST(clip_global_norm(net, 1) == 5);
  BOOST_TEST(global_norm(net) == 1, boost::test_tools::tolerance(1e-6));
  clip_value(net, 0.1);
  BOOST_TEST(net.b.grad().item() == 0.1, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(frozen_parameters_and_missing_gradients_are_left_out) {
  Parameter a = with_gradient(values({3, 4})), frozen = with_gradient(values({100}));
  Parameter none("none", zeros({2}));
  frozen.freeze();
  BOOST_TEST(clip_global_norm({a, none, frozen}, 1) == 5);
  BOOST_TEST(frozen.grad().item() == 100);
  BOOST_TEST(none.grad().empty());
}

BOOST_AUTO_TEST_CASE(gradients_that_are_not_finite_are_reported_and_left) {
  for (double bad : {std::nan(""), kInfinity}) {
    for (double p : {1., 2., 3., kInfinity}) {
      Parameter a = with_gradient(values({3, bad, 1}, float64)), b = with_gradient(values({1, 2}));
      double norm = clip_global_norm({a, b}, 1, {.p = p});
      BOOST_TEST(!std::isfinite(norm));
      BOOST_TEST(std::isnan(norm) == std::isnan(bad));
      BOOST_TEST(a.grad().value().at({0}) == 3);
      BOOST_TEST(b.grad().value().at({1}) == 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(clips_each_element) {
  Parameter a = with_gradient(values({-2, -0.5, 0, 0.25, std::nan(""), kInfinity}, float64));
  clip_value(a, 0.5);
  std::vector<double> g = numbers(a.grad());
  BOOST_TEST(g[0] == -0.5);
  BOOST_TEST(g[1] == -0.5);
  BOOST_TEST(g[3] == 0.25);
  BOOST_TEST(std::isnan(g[4]));
  BOOST_TEST(g[5] == 0.5);
}

BOOST_AUTO_TEST_CASE(a_gradient_that_was_handed_out_does_not_change) {
  Parameter a = with_gradient(values({3, 4}));
  Variable before = a.grad();
  clip_global_norm(a, 1);
  BOOST_TEST(before.value().at({0}) == 3);
  BOOST_TEST(a.grad().value().at({0}) < 1);
}

BOOST_AUTO_TEST_CASE(strided_gradient) {
  Parameter a("w", zeros({2, 2}));
  Array g = values({{3, 4}, {0, 0}});
  a.data().gradient = Record::make(g.transposed());
  BOOST_TEST(clip_global_norm(a, 1) == 5);
  BOOST_TEST(a.grad().value().at({1, 0}) == 0.8, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(g.at({0, 1}) == 4);
}

BOOST_AUTO_TEST_CASE(wrong_arguments) {
  Parameter a = with_gradient(values({3, 4}));
  BOOST_TEST(error_of([&] { clip_global_norm(a, -1); }) ==
             "[clip_global_norm] max_norm is -1; expected a number of at least 0.");
  BOOST_TEST(error_of([&] { clip_global_norm(a, 1, {.p = 0}); }) ==
             "[global_norm] p is 0; expected a number above 0, or infinity.");
  BOOST_TEST(error_of([&] { clip_value(a, std::nan("")); }) ==
             "[clip_value] limit is nan; expected a number of at least 0.");
}

BOOST_AUTO_TEST_SUITE_END()
