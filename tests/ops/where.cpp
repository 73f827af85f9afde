// Choices between elements: of integers, which no float holds, and by conditions of another type. Values
// and gradients of floats are in the op table.
#include <boost/test/unit_test.hpp>

#include <unroll/ops/elementwise.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

using namespace unroll;

BOOST_AUTO_TEST_SUITE(where_)

BOOST_AUTO_TEST_CASE(conditions_too_small_for_the_values) {
  BOOST_TEST(where(full({}, 1e-300, float64), full({}, 1), full({}, 2)).item() == 1);
}

BOOST_AUTO_TEST_CASE(choices_among_integers) {
  const double large = 9007199254740991;  // 2^53 - 1: no float32
  const Array a = values({large, 2, 3}, float64).to(int64), b = values({{-1}, {-2}}).to(int64);
  for (const Variable& c : {Variable(values({0, 0.5, 0})), Variable(values({0, -1, 0}).to(int64))}) {
    BOOST_TEST(identical(where(c, a, b).value(), values({{-1, 2, -1}, {-2, 2, -2}}).to(int64)));
    BOOST_TEST(identical(where(c, 7, a).value(), values({large, 7, 3}, float64).to(int64)));
    BOOST_TEST(identical(where(c, a, 7).value(), values({7, 2, 7}).to(int64)));
    BOOST_TEST(identical(masked_fill(a, c, -1).value(), values({large, -1, 3}, float64).to(int64)));
    BOOST_TEST(error_of([&] { where(c, a, 0.5); }) ==
               "[where] elements are int64, the number beside them is 0.5; expected a whole one.");
  }
}

BOOST_AUTO_TEST_SUITE_END()
