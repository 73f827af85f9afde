// (j) Gradient checks as tests: one line each.
#include <boost/test/unit_test.hpp>
#include <string>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MinimalGatedUnit;

namespace {

struct Net : Module {
  MinimalGatedUnit cell = submodule("cell", MinimalGatedUnit(3, 4));
  Linear readout = submodule("readout", Linear(4, 2));
  Variable loss(const Variable& x, const Variable& y) const {
    return mean_squared_error(readout(over_time(cell, x).outputs()), y);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(checks)

BOOST_AUTO_TEST_CASE(cell) {
  BOOST_TEST(gradcheck(MinimalGatedUnit(3, 4), {.order = 2, .steps = 5}));
}
BOOST_AUTO_TEST_CASE(cell_on_given_input) {
  BOOST_TEST(gradcheck(MinimalGatedUnit(3, 4), zeros({5, 2, 3}), {.order = 2}));
}
BOOST_AUTO_TEST_CASE(function) {
  BOOST_TEST(gradcheck([](auto& x, auto& W) { return tanh(linear(x, W)); }, {{3, 4}, {5, 4}},
                       {.order = 2}));
}
BOOST_AUTO_TEST_CASE(function_one) {
  BOOST_TEST(gradcheck([](auto& x) { return tanh(x); }, {{3, 4}}));
}
BOOST_AUTO_TEST_CASE(model) {
  Net net;
  BOOST_TEST(gradcheck([&](auto& x, auto& y) { return net.loss(x, y); }, {{5, 2, 3}, {5, 2, 2}},
                       {.parameters = net}));
}
BOOST_AUTO_TEST_CASE(fails_readably) {
  auto report = gradcheck([](auto&) { return Variable(1.0); }, {{3, 4}});
  BOOST_TEST(!report);
  BOOST_TEST(report.text() ==
             "gradcheck failed: the result does not depend on input 0 (3, 4); use it, or pass "
             "{.may_be_constant = true}.");
}

BOOST_AUTO_TEST_SUITE_END()
