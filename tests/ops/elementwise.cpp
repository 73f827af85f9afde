// What the op table cannot say of elementwise.hpp: accuracy over whole ranges, special numbers,
// every length and stride, gradients of values that share memory, and what is kept.
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include <boost/test/unit_test.hpp>

#include <unroll/autograd/generator.hpp>
#include <unroll/autograd/substitution.hpp>
#include <unroll/autograd/tape.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

#include "../common/error_of.hpp"

using namespace unroll;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Function1 {
  const char* name;
  Variable (*f)(const Variable&);
  double (*reference)(double);
  double low, high;
  bool near_zero;  // relatively accurate at tiny arguments too
};

double sigmoid_of(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
double softplus_of(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }

// Domains leave out where a result would be denormal, and roots of f away from 0, near which no
// function with a rounded argument is relatively accurate.
const std::vector<Function1> kFunctions{
    {"exp", exp, std::exp, -700, 700, true},
    {"expm1", expm1, std::expm1, -50, 700, true},
    {"log", log, std::log, 1e-300, 1e300, false},
    {"log near 1", log, std::log, 0.5, 2, false},
    {"log1p", log1p, std::log1p, -0.9, 20, true},
    {"log2", log2, std::log2, 1.5, 1e9, false},
    {"log10", log10, std::log10, 1.5, 1e9, false},
    {"sqrt", sqrt, std::sqrt, 0, 1e9, true},
    {"rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1e-9, 1e9, false},
    {"sin", sin, std::sin, -3, 3, true},
    {"cos", cos, std::cos, -1.5, 1.5, true},
    {"sinh", sinh, std::sinh, -20, 20, true},
    {"cosh", cosh, std::cosh, -20, 20, true},
    {"atan", atan, std::atan, -50, 50, true},
    {"tanh", tanh, std::tanh, -20, 20, true},
    {"erf", erf, std::erf, -5, 5, true},
    {"sigmoid", sigmoid, sigmoid_of, -700, 40, true},
    {"softplus", softplus, softplus_of, -700, 40, true},
    {"log_sigmoid", log_sigmoid, [](double x) { return -softplus_of(-x); }, -40, 700, true},
    {"silu", silu, [](double x) { return x * sigmoid_of(x); }, -700, 40, true},
    {"softsign", softsign, [](double x) { return x / (1 + std::fabs(x)); }, -9, 9, true},
};

std::vector<double> points(const Function1& f, bool single) {
  std::mt19937_64 random(7);
  double scale = single && std::fmax(-f.low, f.high) > 80 ? 0.12 : 1;  // of float32's exponents
  std::vector<double> x;
  std::uniform_real_distribution<double> uniform(f.low * scale, f.high * scale);
  for (int k = 0; k < 4000; ++k) x.push_back(uniform(random));
  for (int e = -1; f.near_zero && e > (single ? -30 : -300); --e) {
    x.push_back(std::exp2(e) * 1.37);
    if (f.low < 0) x.push_back(-std::exp2(e) * 1.37);
  }
  if (single)
    for (double& one : x) one = static_cast<float>(one);
  return x;
}

Array array_of(const std::vector<double>& x, Type type = float64) {
  return values(std::span<const double>(x), {static_cast<Size>(x.size())}).to(type);
}

/// Largest relative error of f.
double worst(const Function1& f, Type type) {
  std::vector<double> x = points(f, type == float32);
  std::vector<double> y = f.f(array_of(x, type)).value().to_vector<double>();
  double worst = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    double want = f.reference(x[k]);
    if (want == 0 || std::fabs(want) > 3e38) continue;
    if (type == float32 && std::fabs(want) < 1e-36) continue;
    worst = std::fmax(worst, std::fabs(y[k] - want) / std::fabs(want));
    if (std::isnan(y[k])) return kInfinity;
  }
  return worst;
}

double at(Variable (*f)(const Variable&), double x, Type type = float64) {
  return f(full({}, x, type)).item();
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

std::vector<double> gradient_of(const std::function<Variable(const Variable&)>& f,
                                const std::vector<double>& x) {
  Tape tape;
  Variable in = tape.watch(array_of(x));
  return grad(sum(f(in)), in).value().to_vector<double>();
}

Array counted(Size rows, Size columns, double scale, Type type) {
  std::vector<double> x;
  for (Size k = 0; k < rows * columns; ++k) x.push_back(scale * static_cast<double>(k % 97 - 40));
  return values(std::span<const double>(x), {rows, columns}).to(type);
}

/// Arrays of all kinds of strides that broadcast to (rows, n).
std::vector<Array> views_of(Size rows, Size n, Type type) {
  return {counted(rows, n, 0.25, type),
          counted(n, rows, 0.5, type).transposed(),
          counted(rows, 2 * n, 0.125, type).sliced(1, 0, 2 * n, 2),
          counted(rows, n, 0.25, type).flipped(1),
          counted(rows, n + 3, 0.5, type).sliced(1, 2, n + 2),
          counted(1, n, 0.5, type),
          counted(rows, 1, 0.5, type),
          counted(1, 1, 3, type)};
}

/// a b - a and the gradients of a b, against single numbers; all are exact.
void check_product(const Array& a, const Array& b) {
  const Shape shape = broadcast_shapes("test", a.shape(), b.shape());
  auto at = [](const Array& x, Size i, Size j) {
    return x.at({x.shape()[0] == 1 ? 0 : i, x.shape()[1] == 1 ? 0 : j});
  };
  Array y(shape, a.type()), da(a.shape(), a.type()), db(b.shape(), b.type());
  auto add = [&](Array& x, Size i, Size j, double what) {
    Array cell = x.select(0, x.shape()[0] == 1 ? 0 : i);
    cell = cell.select(0, x.shape()[1] == 1 ? 0 : j);
    cell.fill(cell.item() + what);
  };
  for (Size i = 0; i < shape[0]; ++i)
    for (Size j = 0; j < shape[1]; ++j) {
      add(y, i, j, at(a, i, j) * at(b, i, j) - at(a, i, j));
      add(da, i, j, at(b, i, j));
      add(db, i, j, at(a, i, j));
    }
  Tape tape;
  Variable u = tape.watch(a), v = tape.watch(b);
  const std::string shapes = a.text() + " and " + b.text();
  BOOST_REQUIRE_MESSAGE(identical((u * v - u).value(), y), shapes);
  std::vector<Variable> g = grad(u * v, {u, v}, {.grad_outputs = {ones(shape, a.type())}});
  BOOST_REQUIRE_MESSAGE(identical(g[0].value(), da), shapes);
  BOOST_REQUIRE_MESSAGE(identical(g[1].value(), db), shapes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(elementwise_ops)

BOOST_AUTO_TEST_CASE(accurate_in_double) {
  for (const Function1& f : kFunctions) {
    double error = worst(f, float64);
    BOOST_TEST(error < 1.2e-15, f.name << " is off by " << error);
  }
}

BOOST_AUTO_TEST_CASE(accurate_in_float) {
  for (const Function1& f : kFunctions) {
    double error = worst(f, float32);
    BOOST_TEST(error < 5e-7, f.name << " is off by " << error);
  }
}

BOOST_AUTO_TEST_CASE(nan_goes_through) {
  for (Type type : {float32, float64}) {
    for (auto f : {abs, sign, floor, square, reciprocal, sqrt, rsqrt, exp, expm1, log, log1p, log2,
                   log10, sin, cos, sinh, cosh, atan, tanh, erf, sigmoid, log_sigmoid, relu, relu6,
                   softplus, silu, gelu, gelu_tanh, mish, selu, softsign, hard_sigmoid})
      BOOST_TEST(std::isnan(at(f, kNaN, type)));
    Variable nan = full({}, kNaN, type), one = full({}, 1, type);
    for (const Variable& y :
         {elu(nan), leaky_relu(nan), hardtanh(nan), clamp(nan, 0, 1), pow(nan, 2), pow(nan, 0.5),
          maximum(nan, one), maximum(one, nan), minimum(nan, one), minimum(one, nan),
          maximum(nan, 1), minimum(nan, 1), atan2(nan, one), atan2(one, nan), hypot(nan, one)})
      BOOST_TEST(std::isnan(y.item()));
    for (const Variable& y : {nan < one, nan <= one, nan > one, nan >= one, equals(nan, nan)})
      BOOST_TEST(y.item() == 0);
    BOOST_TEST(not_equals(nan, nan).item() == 1);
  }
}

BOOST_AUTO_TEST_CASE(limits) {
  struct Case {
    Variable (*f)(const Variable&);
    double x, y;
  };
  for (const Case& c : std::vector<Case>{
           {exp, kInfinity, kInfinity}, {exp, -kInfinity, 0}, {exp, 1000, kInfinity},
           {exp, -1000, 0}, {expm1, -kInfinity, -1}, {expm1, kInfinity, kInfinity},
           {log, 0, -kInfinity}, {log, kInfinity, kInfinity}, {log, -1, kNaN},
           {log1p, -1, -kInfinity},
           {log1p, kInfinity, kInfinity}, {log1p, -2, kNaN}, {sqrt, -1, kNaN}, {tanh, kInfinity, 1},
           {tanh, -kInfinity, -1}, {sigmoid, kInfinity, 1}, {sigmoid, -kInfinity, 0},
           {softplus, kInfinity, kInfinity}, {softplus, -kInfinity, 0}, {log_sigmoid, -1000, -1000},
           {log_sigmoid, kInfinity, 0}, {erf, kInfinity, 1}, {erf, -kInfinity, -1},
           {relu, -kInfinity, 0},
           {relu, kInfinity, kInfinity}, {sin, kInfinity, kNaN}, {reciprocal, 0, kInfinity},
           {rsqrt, 0, kInfinity}, {floor, -0.5, -1}, {floor, 1e30, 1e30}})
    for (Type type : {float32, float64}) {
      double y = at(c.f, c.x, type), want = type == float32 ? static_cast<float>(c.y) : c.y;
      BOOST_TEST(same(y, want), y << " at " << c.x << ", expected " << want);
    }
  BOOST_TEST(std::signbit(at(tanh, -0.0)));
  BOOST_TEST(at(log, 5e-320) == std::log(5e-320), boost::test_tools::tolerance(1e-14));  // denormal
}

BOOST_AUTO_TEST_CASE(every_length_and_stride) {
  for (Type type : {float32, float64})
    for (Size rows : {1, 2, 5})
      for (Size n = 0; n <= 70; n += n < 34 ? 1 : 9) {
        const std::vector<Array> views = views_of(rows, n, type);
        for (const Array& a : views)
          for (const Array& b : views) check_product(a, b);
      }
}

BOOST_AUTO_TEST_CASE(many_short_rows) {
  for (Type type : {float32, float64})
    for (Size n : {1, 3, 20, 63}) {
      const std::vector<Array> views = views_of(261, n, type);
      for (const Array& a : views)
        for (const Array& b : views) check_product(a, b);
    }
}

BOOST_AUTO_TEST_CASE(gradients_of_inputs_that_share_memory) {
  using V = const Variable&;
  using List = std::vector<double>;
  BOOST_TEST(gradient_of([](V x) { return x * x; }, {1, 2, 3}) == List({2, 4, 6}));
  BOOST_TEST(gradient_of([](V x) { return x / x; }, {1, 2, 4}) == List({0, 0, 0}));
  // Overlapping views, and a value with a view of itself.
  auto neighbours = [](V x) { return sliced(x, 0, 0, 3) * sliced(x, 0, 1, 4); };
  BOOST_TEST(gradient_of(neighbours, {1, 2, 3, 4}) == List({2, 4, 6, 3}));
  BOOST_TEST(gradient_of([](V x) { return x * flip(x, {0}); }, {1, 2, 3}) == List({6, 4, 2}));
  BOOST_TEST(gradient_of([](V x) { Variable m = reshape(x, {2, 2}); return m * transpose(m); },
                         {1, 2, 3, 4}) == List({2, 6, 4, 8}));
  BOOST_TEST(gradient_of([](V x) { auto p = chunk(x, 3, 0); return p[0] * p[1] - p[1] * p[2]; },
                         {2, 3, 5}) == List({3, -3, -3}));
  BOOST_TEST(gradient_of([](V x) { return x * sum(x); }, {1, 2}) == List({6, 6}));
}

// Whole lanes of one input, whose gradient is summed in a place of its own or in columns of another's.
BOOST_AUTO_TEST_CASE(gradients_of_whole_lanes) {
  for (Type type : {float32, float64})
    for (bool columns : {false, true}) {
      Generator g(3);
      Tape tape;
      const Variable x = tape.watch(normal({4, 24}, g, {.type = type}));
      const Variable part = columns ? sliced(x, 1, 8, 24) : sliced(x, 0, 0, 2);
      const Variable weights(normal(part.shape(), g, {.type = type}));
      const Variable y = tanh(part), z = square(part);
      const Variable dx = grad(sum(y * weights) + sum(z), x);
      const std::vector<double> p = part.value().to_vector<double>(),
                                w = weights.value().to_vector<double>();
      const Array seen = columns ? dx.value().sliced(1, 8, 24) : dx.value().sliced(0, 0, 2);
      const std::vector<double> d = seen.to_vector<double>();
      double worst = 0, rest = 0;
      for (std::size_t k = 0; k < p.size(); ++k) {
        const double t = std::tanh(p[k]), expected = w[k] * (1 - t * t) + 2 * p[k];
        worst = std::fmax(worst, std::fabs(d[k] - expected));
      }
      const Array unseen = columns ? dx.value().sliced(1, 0, 8) : dx.value().sliced(0, 2, 4);
      for (double v : unseen.to_vector<double>()) rest += std::fabs(v);
      BOOST_TEST(worst < (type == float32 ? 1e-5 : 1e-12));
      BOOST_TEST(rest == 0);
    }
}

BOOST_AUTO_TEST_CASE(ties_and_kinks) {
  using V = const Variable&;
  using List = std::vector<double>;
  const List x{-1, 0, 1};
  BOOST_TEST(gradient_of([](V x) { return maximum(x, x * x); }, x) == List({-2, 0.5, 1.5}));
  BOOST_TEST(gradient_of([](V x) { return maximum(x, 0); }, x) == List({0, 0.5, 1}));
  BOOST_TEST(gradient_of([](V x) { return minimum(0, x); }, x) == List({1, 0.5, 0}));
  BOOST_TEST(gradient_of([](V x) { return relu(x); }, x) == List({0, 0, 1}));
  BOOST_TEST(gradient_of([](V x) { return abs(x); }, x) == List({-1, 0, 1}));
  BOOST_TEST(gradient_of([](V x) { return relu6(x); }, {0, 3, 6}) == List({0, 1, 0}));
  BOOST_TEST(gradient_of([](V x) { return clamp(x, -1, 1); }, {-1, 0, 1, 2}) == List({1, 1, 1, 0}));
  BOOST_TEST(gradient_of([](V x) { return hardtanh(x); }, {-1, 0, 1}) == List({0, 1, 0}));
  BOOST_TEST(gradient_of([](V x) { return leaky_relu(x, 0.1); }, x) == List({0.1, 0.1, 1}));
  BOOST_TEST(gradient_of([](V x) { return elu(x, 1.5); }, {0, 1}) == List({1.5, 1}));
  BOOST_TEST(gradient_of([](V x) { return pow(x, 0); }, x) == List({0, 0, 0}));
  BOOST_TEST(gradient_of([](V x) { return hypot(x, 0); }, x) == List({-1, 0, 1}));
}

BOOST_AUTO_TEST_CASE(numbers_are_exact_in_both_types) {
  Variable x = full({}, 1, float64), c = full({}, 1, float64);
  BOOST_TEST((x * 0.1).item() == 0.1);
  BOOST_TEST((0.1 + (x - 1)).item() == 0.1);
  BOOST_TEST(where(c, 0.1, x).item() == 0.1);
  BOOST_TEST(masked_fill(x, c, 0.1).item() == 0.1);
  BOOST_TEST((full({}, 1) * 0.1).item() == static_cast<double>(0.1f));
  BOOST_TEST((full({}, 0.1) < 0.1).item() == 0);  // 0.1f is not below 0.1f
}

// What stands for a Parameter is read also by what changes nothing, and read once.
BOOST_AUTO_TEST_CASE(nothing_to_do_for_what_stands_for_a_parameter) {
  const Parameter w("w", values({1, 2}, float64)), other("other", values({3, 4}, float64));
  Generator generator(1);
  Variables got;
  {
    const Substitution swap({{w, other}, {other, w}});
    got = {to(w, float64), +w, dropout(w, 0, generator), dropout(w, 0.5)};
    for (const Variable& x : got) BOOST_TEST(sum(x).item() == 7);
  }
  for (const Variable& x : got) BOOST_TEST(sum(x).item() == 7);
}

BOOST_AUTO_TEST_CASE(numbers_make_no_nodes) {
  Tape tape;
  Variable x = tape.watch(ones({3}));
  Size before = tape.nodes();
  Variable y = 2 * x, z = 1 - x, m = x > 0;
  BOOST_TEST(tape.nodes() == before + 2);
  BOOST_TEST(!m.is_recorded());
}

BOOST_AUTO_TEST_CASE(only_what_is_needed_is_kept) {
  auto change_then_backward = [](const std::function<Variable(const Variable&)>& f) {
    Tape tape;
    Array x = values({1, 2, 3});
    Variable in = tape.watch(x), y = sum(f(in));
    x.mutable_data<float>()[0] = 7;
    tape.backward(y);
  };
  for (auto f : {exp, tanh, sigmoid, relu, sqrt})  // these need their result only
    BOOST_CHECK_NO_THROW(change_then_backward(f));
  BOOST_CHECK_NO_THROW(change_then_backward([](const Variable& x) { return 2 * (x + x) - x; }));
  std::string message = error_of([&] { change_then_backward(square); });
  BOOST_TEST(message.find("[square] input 0 (3,) was changed after it was recorded") == 0, message);
}

BOOST_AUTO_TEST_SUITE_END()
