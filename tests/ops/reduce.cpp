// Sums, products, extrema and norms against naive loops, with their gradients. Running sums and
// products are in scan.cpp.
#include "reference.hpp"

#include <limits>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace {

using namespace reference;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// f of the list of elements along the axes, for each index along the others.
template <class F>
Array reduced(const Array& x, const std::vector<Size>& axes, bool keepdims, F f) {
  std::vector<bool> gone(static_cast<std::size_t>(x.rank()), axes.empty());
  for (Size a : axes) gone[static_cast<std::size_t>(a < 0 ? a + x.rank() : a)] = true;
  Shape inner, outer;
  for (int k = 0; k < x.rank(); ++k) {
    bool g = gone[static_cast<std::size_t>(k)];
    inner.push_back(g ? x.shape()[k] : 1);
    outer.push_back(g ? 1 : x.shape()[k]);
  }
  Array y = build(outer, [&](const Index& o) {
    std::vector<double> list;
    build(inner, [&](Index i) {
      for (std::size_t k = 0; k < i.size(); ++k) i[k] += o[k];
      list.push_back(at(x, i));
      return 0.0;
    });
    return static_cast<double>(f(list));
  });
  if (keepdims) return y;
  Shape rest;
  for (int k = 0; k < x.rank(); ++k)
    if (!gone[static_cast<std::size_t>(k)]) rest.push_back(x.shape()[k]);
  return y.reshaped(rest);
}

using List = std::vector<double>;

double sum_of(const List& l) {
  long double s = 0;
  for (double v : l) s += v;
  return static_cast<double>(s);
}
double product_of(const List& l) {
  double p = 1;
  for (double v : l) p *= v;
  return p;
}
double norm_of(const List& l, double p) {
  double s = 0;
  for (double v : l) s = std::isinf(p) ? std::max(s, std::abs(v)) : s + std::pow(std::abs(v), p);
  return std::isinf(p) ? s : std::pow(s, 1 / p);
}
double variance_of(const List& l, double correction) {
  double n = static_cast<double>(l.size()), m = sum_of(l) / n, s = 0;
  for (double v : l) s += (v - m) * (v - m);
  return s / (n - correction);
}

const std::vector<std::vector<Size>> kAxes = {{},     {0},     {1},    {-1},
                                              {0, 2}, {-2, 0}, {2, 1}, {0, 1, 2}};

/// Values for all kinds of axes, contiguous and not, float32 too.
template <class Op, class F>
void check_values(Op op, F f) {
  Array x = numbers({3, 4, 5});
  for (const auto& axes : kAxes)
    for (bool keepdims : {false, true}) {
      Array expected = reduced(x, axes, keepdims, f);
      BOOST_TEST(close(op(Variable(x), axes, keepdims), expected));
      BOOST_TEST(close(op(Variable(awkward(x)), axes, keepdims), expected));
      BOOST_TEST(close(op(Variable(x.to(float32)), axes, keepdims), expected, 1e-5));
    }
}

template <class Op>
void check_gradients(Op op) {
  for (const auto& axes : {std::vector<Size>{}, {0}, {-1}, {0, 2}}) {
    BOOST_TEST(
        gradcheck([&](auto& x) { return sin(op(x, axes, false)); }, {{2, 3, 2}}, {.order = 2}));
    BOOST_TEST(
        gradcheck([&](auto& x) { return op(flip(transpose(x), {1}), axes, true) * x[0][1][1]; },
                  {{2, 2, 3}}, {.order = 2}));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reduce_ops)

BOOST_AUTO_TEST_CASE(sums) {
  auto op = [](const Variable& x, const std::vector<Size>& axes, bool keepdims) {
    return sum(x, {.axes = axes, .keepdims = keepdims});
  };
  check_values(op, sum_of);
  check_gradients(op);
  BOOST_TEST(sum(Variable(zeros({0}))).item() == 0);
  BOOST_TEST(close(sum(Variable(zeros({0, 2})), {.axes = {0}}), zeros({2})));
  BOOST_TEST(sum(Variable(zeros({0, 2})), {.axes = {1}}).shape() == Shape({0}));
  BOOST_TEST(identical(sum(Variable(indices({1, 2, 4}))).value(), indices({7})[0]));
  BOOST_TEST(sum(Variable(3.0)).item() == 3);
  BOOST_TEST(error_of([] { sum(Variable(zeros({2, 3})), {.axes = {2}}); }) ==
             "[sum] axis 2 does not exist in shape (2, 3); expected -2 to 1.");
  BOOST_TEST(error_of([] { sum(Variable(zeros({2, 3})), {.axes = {1, -1}}); }) ==
             "[sum] axis -1 of shape (2, 3) is named twice.");
}

BOOST_AUTO_TEST_CASE(long_float_sums_lose_little) {
  Array tenth = full({1000003}, 0.1f);
  double exact = 1000003 * static_cast<double>(0.1f);
  BOOST_TEST(std::abs(sum(Variable(tenth)).item() - exact) < 1e-6 * exact);
  BOOST_TEST(std::abs(mean(Variable(tenth)).item() - 0.1) < 1e-7);
}

BOOST_AUTO_TEST_CASE(means) {
  auto op = [](const Variable& x, const std::vector<Size>& axes, bool keepdims) {
    return mean(x, {.axes = axes, .keepdims = keepdims});
  };
  check_values(op, [](const List& l) { return sum_of(l) / static_cast<double>(l.size()); });
  check_gradients(op);
  BOOST_TEST(error_of([] { mean(Variable(zeros({0, 2})), {.axes = {0}}); }) ==
             "[mean] no elements along the reduced axes of shape (0, 2).");
  BOOST_TEST(error_of([] { mean(Variable(indices({1}))); }) ==
             "[mean] elements are int64; expected float32 or float64.");
}

BOOST_AUTO_TEST_CASE(products) {
  auto op = [](const Variable& x, const std::vector<Size>& axes, bool keepdims) {
    return prod(x, {.axes = axes, .keepdims = keepdims});
  };
  check_values(op, product_of);
  check_gradients(op);
  // rows with no, one, two and three zeros, and a zero at either end
  Array x = values({{2, -3, 4}, {0, -3, 4}, {2, 0, 4}, {2, -3, 0}, {0, 5, 0}, {0, 0, 0}}, float64);
  Tape tape;
  Variable v = tape.watch(x);
  Variable g = grad(prod(v, {.axes = {1}}), v, {.grad_outputs = Variable(ones({6}, float64))});
  BOOST_TEST(
      close(g, values({{-12, 8, -6}, {-12, 0, 0}, {0, 8, 0}, {0, 0, -6}, {0, 0, 0}, {0, 0, 0}},
                      float64)));
  BOOST_TEST(gradcheck([](auto& a) { return prod(a, {.axes = {1}}); }, {x}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& a) { return sum(prod(a, {.axes = {0}})); }, {x}, {.order = 2}));
  BOOST_TEST(prod(Variable(zeros({0}))).item() == 1);
}

BOOST_AUTO_TEST_CASE(extrema) {
  check_values([](const Variable& x, const auto& axes, bool keepdims) {
    return max(x, {.axes = axes, .keepdims = keepdims});
  }, [](const List& l) { return *std::max_element(l.begin(), l.end()); });
  check_values([](const Variable& x, const auto& axes, bool keepdims) {
    return min(x, {.axes = axes, .keepdims = keepdims});
  }, [](const List& l) { return *std::min_element(l.begin(), l.end()); });
  check_values([](const Variable& x, const auto& axes, bool keepdims) {
    return amax(x, {.axes = axes, .keepdims = keepdims});
  }, [](const List& l) { return *std::max_element(l.begin(), l.end()); });
  check_values([](const Variable& x, const auto& axes, bool keepdims) {
    return amin(x, {.axes = axes, .keepdims = keepdims});
  }, [](const List& l) { return *std::min_element(l.begin(), l.end()); });
  check_gradients([](const Variable& x, const auto& axes, bool keepdims) {
    return max(x, {.axes = axes, .keepdims = keepdims});
  });
  check_gradients([](const Variable& x, const auto& axes, bool keepdims) {
    return amin(x, {.axes = axes, .keepdims = keepdims});
  });
  BOOST_TEST(error_of([] { max(Variable(zeros({0, 2})), {.axes = {0}}); }) ==
             "[max] no elements along the reduced axes of shape (0, 2).");
  BOOST_TEST(max(Variable(zeros({0, 2})), {.axes = {1}}).shape() == Shape({0}));
  BOOST_TEST(max(Variable(indices({3, 9, 4}))).value().to_vector<Size>()[0] == 9);
}

BOOST_AUTO_TEST_CASE(long_rows_of_extrema) {
  for (Size n : {1, 15, 16, 17, 100}) {
    Array x = numbers({3, n}, static_cast<std::uint64_t>(n));
    List columns;
    for (Size row = 0; row < 3; ++row) {
      List l = x[row].to_vector<double>();
      columns.push_back(static_cast<double>(std::max_element(l.begin(), l.end()) - l.begin()));
    }
    Array expected = values(std::span<const double>(columns), {3}).to(int64);
    BOOST_TEST(identical(argmax(Variable(x)).value(), expected));
    BOOST_TEST(identical(argmax(Variable(x.to(float32))).value(), expected));
    BOOST_TEST(identical(argmin(-Variable(x)).value(), expected));
    BOOST_TEST(identical(argmax(transpose(Variable(x)), 0).value(), expected));
    BOOST_TEST(identical(argmax(Variable(x.transposed().copy()), 0).value(), expected));
  }
}

BOOST_AUTO_TEST_CASE(equal_extrema) {
  Tape tape;
  Variable x = tape.watch(values({{1, 3, 3}, {3, 0, 3}}, float64));
  auto gradient = [&](const Variable& y) {
    return grad(y, x, {.grad_outputs = Variable(ones(y.shape(), float64))});
  };
  // along one axis the first, over everything and with amax all of them
  BOOST_TEST(close(gradient(max(x, {.axes = {1}})), values({{0, 1, 0}, {1, 0, 0}}, float64)));
  BOOST_TEST(close(gradient(max(x, {.axes = {0}})), values({{0, 1, 1}, {1, 0, 0}}, float64)));
  BOOST_TEST(close(gradient(max(x)), values({{0, .25, .25}, {.25, 0, .25}}, float64)));
  BOOST_TEST(close(gradient(amax(x, {.axes = {1}})), values({{0, .5, .5}, {.5, 0, .5}}, float64)));
  BOOST_TEST(
      close(gradient(amin(-x, {.axes = {1}})), values({{0, -.5, -.5}, {-.5, 0, -.5}}, float64)));
  BOOST_TEST(identical(argmax(x).value(), indices({1, 0})));
  BOOST_TEST(identical(argmin(x, 0).value(), indices({0, 1, 0})));
}

BOOST_AUTO_TEST_CASE(nan_is_never_lost) {
  for (Size place : {0, 5, 20}) {
    Array x = numbers({2, 21});
    x.select(0, 1).select(0, place).fill(kNan);
    x.select(0, 0).select(0, 3).fill(kInfinity);
    for (const Array& a : {x, awkward(x)}) {
      BOOST_TEST(std::isnan(max(Variable(a)).item()));
      BOOST_TEST(std::isnan(min(Variable(a), {.axes = {1}}).value().at({1})));
      BOOST_TEST(max(Variable(a), {.axes = {1}}).value().at({0}) == kInfinity);
      BOOST_TEST(std::isnan(max(Variable(a), {.axes = {0}}).value().at({place})));
      BOOST_TEST(argmax(Variable(a)).value().at({1}) == static_cast<double>(place));
      BOOST_TEST(argmin(Variable(a), 0).value().at({place}) == 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(variances) {
  for (double correction : {0.0, 1.0}) {
    auto op = [&](const Variable& x, const std::vector<Size>& axes, bool keepdims) {
      return variance(x, {.axes = axes, .correction = correction, .keepdims = keepdims});
    };
    check_values(op, [&](const List& l) { return variance_of(l, correction); });
    check_gradients(op);
    auto root = [&](const Variable& x, const std::vector<Size>& axes, bool keepdims) {
      return standard_deviation(x, {.axes = axes, .correction = correction, .keepdims = keepdims});
    };
    check_values(root, [&](const List& l) { return std::sqrt(variance_of(l, correction)); });
    check_gradients(root);
  }
  Tape tape;
  Variable x = tape.watch(full({3}, 2, float64));
  BOOST_TEST(close(grad(standard_deviation(x), x), zeros({3}, float64)));
  BOOST_TEST(error_of([] { variance(Variable(zeros({1, 4})), {.axes = {0}, .correction = 1}); }) ==
             "[variance] 1 elements along the axes of shape (1, 4) with correction 1; expected "
             "more "
             "elements.");
}

BOOST_AUTO_TEST_CASE(norms) {
  for (double p : {1.0, 2.0, 3.0, 2.5, kInfinity}) {
    auto op = [&](const Variable& x, const std::vector<Size>& axes, bool keepdims) {
      return norm(x, {.axes = axes, .keepdims = keepdims, .p = p});
    };
    check_values(op, [&](const List& l) { return norm_of(l, p); });
    check_gradients(op);
    Tape tape;
    Variable x = tape.watch(values({{0, 0}, {3, -4}}, float64));
    Variable y = norm(x, {.axes = {1}, .p = p});
    Variable g = grad(y, x, {.create_graph = true, .grad_outputs = Variable(ones({2}, float64))});
    BOOST_TEST(close(Variable(g.value()[0]), zeros({2}, float64)));
    BOOST_TEST(std::isfinite(sum(grad(sum(square(g)), x)).item()));
    // nor does a NaN reach what the norm was multiplied by
    Variable w = tape.watch(values({2, 3}, float64));
    g = grad(sum(norm(x, {.axes = {1}, .p = p}) * w), x, {.create_graph = true});
    BOOST_TEST(std::isfinite(sum(grad(sum(square(g)), w)).item()));
  }
  BOOST_TEST(norm(Variable(values({3, 4}))).item() == 5);
  BOOST_TEST(error_of([] { norm(Variable(zeros({2})), {.p = 0}); }) ==
             "[norm] p is 0; expected more than 0.");
}

BOOST_AUTO_TEST_SUITE_END()
