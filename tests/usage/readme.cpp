// The gradient example of README.md with the numbers it shows.
#include <boost/test/unit_test.hpp>

#include <unroll/unroll.hpp>

using namespace unroll;

BOOST_AUTO_TEST_CASE(readme_gradient) {
  Parameter W("W", values({{1, 2}, {3, 4}}));
  Variable x = values({1, -1});
  Tape tape;
  auto y = tanh(linear(x, W));
  tape.backward(sum(y));
  for (double number : y.value().to_vector<double>())
    BOOST_TEST(number == -0.761594, boost::test_tools::tolerance(1e-6));
  const std::vector<double> expected{0.419974, -0.419974, 0.419974, -0.419974};
  const std::vector<double> gradient = W.grad().value().to_vector<double>();
  BOOST_REQUIRE(gradient.size() == expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k)
    BOOST_TEST(gradient[k] == expected[k], boost::test_tools::tolerance(2e-6));
}
