// Running sums and products against naive loops, with their gradients. Sums and products over whole
// axes are in reduce.cpp.
#include "reference.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace {
using namespace reference;
}

BOOST_AUTO_TEST_SUITE(scan_ops)

BOOST_AUTO_TEST_CASE(running) {
  Array x = numbers({3, 4, 2});
  for (Size axis : {0, 1, -1}) {
    std::size_t a = static_cast<std::size_t>(axis < 0 ? axis + 3 : axis);
    auto upto = [&](Index i, bool product) {
      double y = product ? 1 : 0;
      for (Size last = i[a], k = 0; k <= last; ++k) {
        i[a] = k;
        y = product ? y * at(x, i) : y + at(x, i);
      }
      return y;
    };
    Array sums = build({3, 4, 2}, [&](const Index& i) { return upto(i, false); });
    Array products = build({3, 4, 2}, [&](const Index& i) { return upto(i, true); });
    for (const Array& v : {x, awkward(x)}) {
      BOOST_TEST(close(cumsum(Variable(v), axis), sums));
      BOOST_TEST(close(cumprod(Variable(v), axis), products));
    }
    BOOST_TEST(gradcheck([&](auto& v) { return sin(cumsum(v, axis)); }, {{2, 3, 2}}, {.order = 2}));
    BOOST_TEST(
        gradcheck([&](auto& v) { return sin(cumprod(v, axis)); }, {{2, 3, 2}}, {.order = 2}));
    BOOST_TEST(gradcheck([&](auto& v) { return sin(cumprod(transpose(v), axis)); }, {{2, 2, 3}},
                         {.order = 2}));
  }
  Array zeroes = values({{2, 0, 3, 4}, {0, 2, 0, 5}, {1, 2, 3, 0}}, float64);
  BOOST_TEST(gradcheck([](auto& v) { return cumprod(v, 1); }, {zeroes}, {.order = 2}));
  BOOST_TEST(identical(cumsum(Variable(indices({1, 2, 3})), 0).value(), indices({1, 3, 6})));
  BOOST_TEST(cumsum(Variable(full({1000000}, 0.1)), 0).value().at({999999}) == 1e5,
             boost::test_tools::tolerance(1e-6));
  BOOST_TEST(cumsum(Variable(zeros({0, 3})), 0).shape() == Shape({0, 3}));
  BOOST_TEST(error_of([] { cumsum(Variable(zeros({2})), 1); }) ==
             "[cumsum] axis 1 does not exist in shape (2,); expected -1 to 0.");
}

// Along an axis whose numbers lie far from each other.
BOOST_AUTO_TEST_CASE(the_first_axis) {
  const Array x = numbers({5, 37});
  for (auto f : {cumsum, cumprod}) {
    auto moved = [&](const Variable& v) { return transpose(f(transpose(v), 1)); };
    BOOST_TEST(identical(f(x, 0).value(), moved(x).value().copy()));
    auto gradient = [&](auto g) {
      Tape tape;
      const Variable v = tape.watch(x);
      return grad(g(v), v, {.grad_outputs = {numbers({5, 37}, 2)}}).value().copy();
    };
    BOOST_TEST(identical(gradient([&](const Variable& v) { return f(v, 0); }), gradient(moved)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
