// fuse of NaN, infinities and zeros, in values and in the gradients that arrive: they go where the
// ordinary ops take them. Everything finite is in fuse.cpp.
#include <limits>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/reduce.hpp>

#include "reference.hpp"

namespace {

using namespace reference;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Equal element by element, NaN and infinities at the same places.
void same(const Variable& got, const Variable& expected, double tolerance) {
  const auto x = got.value().to_vector<double>(), y = expected.value().to_vector<double>();
  BOOST_REQUIRE(got.shape() == expected.shape());
  for (std::size_t i = 0; i < x.size(); ++i) {
    BOOST_TEST_INFO("element " << i << ": " << x[i] << ", expected " << y[i]);
    if (std::isnan(y[i]))
      BOOST_TEST(std::isnan(x[i]));
    else if (std::isinf(y[i]))
      BOOST_TEST(x[i] == y[i]);
    else
      BOOST_TEST(std::abs(x[i] - y[i]) <= tolerance * (1 + std::abs(y[i])));
  }
}

/// f of a (7, 19) turned in memory and of a (19,) that repeats, its value and both gradients, with
/// special numbers in a, in b, and in dy, at whole lanes and at the end.
template <class F>
Variables value_and_gradients(Type type, F&& f) {
  Array a = numbers({19, 7}, 1, type).transposed(), b = numbers({19}, 2, type),
        dy = numbers({7, 19}, 3, type);
  const double specials[] = {kNan, kInfinity, -kInfinity, 0};
  for (Size k = 0; k < 4; ++k) {
    a[k][5 * k].fill(specials[k]);
    b[18 - k].fill(specials[k]);
    dy[6 - k][3 * k + 1].fill(specials[k]);
  }
  Tape tape;
  Variables x{tape.watch(a), tape.watch(b)};
  Variable y = f(x[0], x[1]);
  Variables results = grad({y}, x, {.grad_outputs = {dy}});
  results.push_back(y);
  return results;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fuse_special)

BOOST_AUTO_TEST_CASE(values_that_are_known) {
  const Array x = values({kNan, kInfinity, -kInfinity, 0, 1}, float64);
  auto f = [](auto x) { return max(tanh(x), min(sigmoid(x), 0.5)) + 0 * clamp(x, -1, 1); };
  same(fuse(f, x), values({kNan, 1, 0, 0.5, std::tanh(1)}, float64), 1e-15);
}

// 1 / x has an infinite slope at 0.
BOOST_AUTO_TEST_CASE(what_no_result_depends_on_does_no_harm) {
  auto f = [](auto x) {
    [[maybe_unused]] auto dead = 1 / x;
    return std::tuple(2 * x, x + 1);
  };
  Tape tape;
  Variable x = tape.watch(zeros({9}));
  auto [useful, unused] = fuse(f, x);
  same(grad(sum(useful), x), full({9}, 2), 0);
}

BOOST_AUTO_TEST_CASE(as_the_ops_do) {
  auto f = [](auto a, auto b) { return tanh(a) * b + sigmoid(b) / a - exp(a); };
  for (Type type : {float32, float64}) {
    const Variables composed = value_and_gradients(type, f),
                    fused = value_and_gradients(
                        type, [&](auto& a, auto& b) { return fuse(f, a, b); });
    for (std::size_t k = 0; k < composed.size(); ++k)
      BOOST_TEST_CONTEXT(name_of(type) << ", result " << k)
        same(fused[k], composed[k], type == float32 ? 2e-5 : 1e-13);
  }
}

BOOST_AUTO_TEST_SUITE_END()
