// (n) Functions with their own gradients.
#include <boost/test/unit_test.hpp>
#include <tuple>

#include <unroll/unroll.hpp>

using namespace std;
using namespace unroll;

namespace {

Variable cube(const Variable& x) {
  return differentiable(
      "cube", [](const Variable& x) { return x * x * x; },
      [](const Variable& dy, const Variable&, const Variable& x) { return dy * 3 * x * x; }, x);
}
Variable quotient(const Variable& a, const Variable& b) {
  return differentiable(
      "quotient", [](const Variable& a, const Variable& b) { return a / b; },
      [](const Variable& dy, const Variable& y, const Variable&, const Variable& b) {
        return tuple(dy / b, -(dy * y / b));
      },
      a, b);
}

}  // namespace

BOOST_AUTO_TEST_CASE(own_gradients) {
  Tape tape;
  auto x = tape.watch(values({1, 2}, float64));
  auto slope = grad(sum(cube(x)), x, {.create_graph = true});
  BOOST_TEST(identical(slope.value(), values({3, 12}, float64)));
  BOOST_TEST(identical(grad(sum(slope), x).value(), values({6, 12}, float64)));
  BOOST_TEST(gradcheck([](auto& x) { return cube(x); }, {{3, 4}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& a, auto& b) { return quotient(a, b); },
                       {Array(values({1, 2, 3})), Array(values({3, -2, 5}))}, {.order = 2}));
}
