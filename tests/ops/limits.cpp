// Where numbers and sizes come to their limits: float32 sums of millions, doubles beside float64,
// arrays that fit into no memory. What is right is what exact arithmetic gives.
#include "reference.hpp"

#include <unroll/autograd/differentiable.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace {

using namespace reference;

Array uniform_numbers(const Shape& shape) {
  Generator generator(3);
  Array x = Array::uninitialised(shape, float32);
  float* p = x.mutable_data<float>();
  for (Size i = 0; i < x.size(); ++i) p[i] = static_cast<float>(generator.uniform());
  return x;
}

/// Largest error of float32 numbers relative to float64 ones.
double relative_error(const Variable& narrow, const Variable& wide) {
  BOOST_TEST_REQUIRE((narrow.type() == float32 && wide.type() == float64));
  BOOST_TEST_REQUIRE(narrow.shape().text() == wide.shape().text());
  const auto a = narrow.value().to_vector<double>(), b = wide.value().to_vector<double>();
  double most = 0;
  for (std::size_t k = 0; k < b.size(); ++k) most = std::max(most, std::fabs(a[k] / b[k] - 1));
  return most;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limits)

// One by one, nothing is added to 2^24 any more.
BOOST_AUTO_TEST_CASE(sums_of_many_ones) {
  const Size n = 20'000'000;
  for (const auto& [shape, axes] : {std::pair{Shape{n, 2}, std::vector<Size>{0}},
                                    std::pair{Shape{4, n / 4, 2}, std::vector<Size>{0, 1}},
                                    std::pair{Shape{2, n}, std::vector<Size>{1}}}) {
    const Variable x = ones({}).broadcast_to(shape);
    BOOST_TEST(relative_error(sum(x, {.axes = axes}), full({2}, n, float64)) == 0);
    BOOST_TEST(relative_error(mean(x, {.axes = axes}), ones({2}, float64)) < 1e-7);
  }
  const Variable counted = full({}, 1, int64).broadcast_to({3'000'001, 2});
  BOOST_TEST(sum(counted, {.axes = {0}}).value().at({1}) == 3'000'001);
}

BOOST_AUTO_TEST_CASE(sums_over_any_axes) {
  const Array x = uniform_numbers({1000, 20, 50});
  for (std::vector<Size> axes : {std::vector<Size>{0}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}, {2}})
    for (const Array& a : {x, x.transposed().copy().transposed(), x.flipped(0)}) {
      const Variable narrow = sum(a, {.axes = axes}), wide = sum(a.to(float64), {.axes = axes});
      BOOST_TEST(relative_error(narrow, wide) < 3e-7);
    }
  const Array tall = uniform_numbers({1'000'000, 2});
  BOOST_TEST(relative_error(sum(tall, {.axes = {0}}), sum(tall.to(float64), {.axes = {0}})) < 3e-7);
  BOOST_TEST(relative_error(sum_to(tall, {1, 2}), sum_to(tall.to(float64), {1, 2})) < 3e-7);
}

// An operand that was repeated gets the sum of as many gradients.
BOOST_AUTO_TEST_CASE(gradients_of_what_was_repeated) {
  const Array x = uniform_numbers({500'000, 2}), W = uniform_numbers({2, 2});
  auto gradient = [&](Type type, auto f) {
    Tape tape;
    Variable b = tape.watch(full({2}, 0.5, type));
    return grad(f(Variable(x.to(type)), b), b, {.grad_outputs = Variable(x.to(type))});
  };
  auto compare = [&](const char* name, auto f) {
    BOOST_TEST(relative_error(gradient(float32, f), gradient(float64, f)) < 3e-7, name);
  };
  compare("add", [](const Variable& x, const Variable& b) { return x + b; });
  compare("bias", [&](const Variable& x, const Variable& b) {
    return linear(x, Variable(W.to(x.type())), b);
  });
  compare("multiply", [](const Variable& x, const Variable& b) { return x * b; });
  compare("reshaped", [](const Variable& x, const Variable& b) {
    return reshape(reshape(x, {1, 50'000, 10, 2}) * b, {500'000, 2});
  });
  compare("strided", [](const Variable& x, const Variable& b) { return flip(x, {0}) * b; });
  compare("scalars", [](const Variable& x, const Variable& b) { return b[0] * x + x / b[1]; });
}

// 0.1 has another value in float32, off by 1.5e-9.
BOOST_AUTO_TEST_CASE(numbers_beside_float64) {
  const Array a = values({0.3}, float64);
  const Parameter p("p", a);
  const double c = 0.1, v = 0.3;
  auto exact = [](const char* name, const Variable& y, double expected) {
    BOOST_TEST((y.type() == float64), name);
    BOOST_TEST(std::fabs(y.item() - expected) <= 1e-16 + 2e-16 * std::fabs(expected), name);
  };
  auto check = [&](const auto& x) {
    exact("add", add(x, c), v + c);
    exact("number added to", add(c, x), c + v);
    exact("subtract", subtract(x, c), v - c);
    exact("number less", subtract(c, x), c - v);
    exact("multiply", multiply(x, c), v * c);
    exact("number times", multiply(c, x), c * v);
    exact("divide", divide(x, c), v / c);
    exact("number through", divide(c, x), c / v);
    exact("maximum", maximum(x * 0.1, c), c);
    exact("number or more", maximum(c, x * 0.1), c);
    exact("minimum", minimum(x, c), c);
    exact("number or less", minimum(c, x), c);
    exact("atan2", atan2(x, c), std::atan2(v, c));
    exact("atan2 of number", atan2(c, x), std::atan2(c, v));
    exact("hypot", hypot(x, c), std::hypot(v, c));
    exact("hypot of number", hypot(c, x), std::hypot(c, v));
    exact("pow", pow(x, c), std::pow(v, c));
    exact("power of number", pow(c, x), std::pow(c, v));
    exact("max", max(x * 0.1, c), c);
    exact("min", min(c, x), c);
    exact("where", where(x < 1, c, x), c);
    exact("equals", equals(c, x * 0 + c), 1);
    exact("equals number", equals(x * 0 + c, c), 1);
    exact("not_equals", not_equals(c, x * 0 + c), 0);
    exact("fuse", fuse([](auto a, auto b) { return a * b; }, x, c), v * c);
    exact("differentiable",
          differentiable(
              "product", [](const Variable& a, const Variable& b) { return a * b; },
              [](const Variable& dy, const Variable&, const Variable& a, const Variable& b) {
                return std::tuple(dy * b, dy * a);
              },
              x, c),
          v * c);
  };
  check(Variable(a));
  check(p);
  BOOST_TEST(atan2(Variable(a), 2).item() == std::atan2(v, 2));  // whole numbers as well
  BOOST_TEST((hypot(Variable(a.to(float32)), c).type() == float32));
  BOOST_TEST(hypot(a, c).item() == hypot(Variable(a), c).item());
}

// The way out of "mixed element types": a recorded value of one type meets the other.
BOOST_AUTO_TEST_CASE(conversions) {
  const Array a = values({0.5, -1.5, 2}), c = values({3, 0.1, -2}, float64);
  for (Type type : {float32, float64}) {
    const Type other = type == float32 ? float64 : float32;
    Tape tape;
    Variable x = tape.watch(a.to(type)), y = to(x * x, other) * Variable(c.to(other));
    BOOST_TEST((y.type() == other));
    Variable dx = grad(sum(y * y), x, {.create_graph = true, .retain_graph = true});
    BOOST_TEST((dx.type() == type));
    Variable ddx = grad(sum(to(dx, other)), x);
    BOOST_TEST((ddx.type() == type));
    for (Size k = 0; k < 3; ++k) {  // (c x^2)^2
      double v = a.at({k}), w = c.at({k}) * c.at({k});
      BOOST_TEST(std::fabs(dx.value().at({k}) - 4 * w * v * v * v) < 1e-5);
      BOOST_TEST(std::fabs(ddx.value().at({k}) - 12 * w * v * v) < 1e-5);
    }
  }
  Tape tape;
  Variable x = tape.watch(a);
  BOOST_TEST((to(x, float32).record() == x.record()));
  BOOST_TEST(identical(to(x, int64).value(), indices({0, -1, 2})));
  BOOST_TEST(!to(x, int64).is_recorded());
  BOOST_TEST((to(indices({3}), float64).type() == float64));
}

BOOST_AUTO_TEST_CASE(sizes_that_overflow) {
  const Size big = Size{1} << 40, huge = Size{1} << 62;
  auto message = [](const Shape& shape, Type type = float32) {
    return error_of([&] { zeros(shape, type); });
  };
  BOOST_TEST(message({huge}) == "[array] shape (" + std::to_string(huge) +
                                    ",) has too many elements.");
  BOOST_TEST(message({big, big}) == "[array] shape (1099511627776, 1099511627776) has too many "
                                    "elements.");
  BOOST_TEST(message({2, huge, 2}).find("has too many elements") != std::string::npos);
  BOOST_TEST(message({huge / 2}, float64).find("has too many elements") != std::string::npos);
  BOOST_TEST(message({big, -1}) == "[array] shape (1099511627776, -1) has a negative size.");
  BOOST_TEST(error_of([&] { full({huge}, 1); }).find("has too many elements") != std::string::npos);
  // Fewer bytes than 2^63, but more than any size class has.
  BOOST_CHECK_THROW(zeros({huge / 8}), std::bad_alloc);
  BOOST_CHECK_THROW(zeros({huge / 16}, float64), std::bad_alloc);
  BOOST_TEST(zeros({0, 5}).size() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
