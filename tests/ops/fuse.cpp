// fuse: the three readings of a lambda agree with each other and with the ordinary ops, for all
// functions, shapes and orders; what a lambda may be and do. NaN and infinities are in
// fuse_special.cpp.
#include <array>
#include <cmath>
#include <functional>

#include <boost/test/unit_test.hpp>

#include <unroll/autograd/gradcheck.hpp>
#include <unroll/ops/fuse.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

#include "../common/error_of.hpp"

using namespace unroll;

namespace {

Array numbers(const Shape& shape, double low, double high, Type type = float64) {
  std::vector<double> x;
  Size n = shape.count();
  for (Size k = 0; k < n; ++k)
    x.push_back(low + (high - low) * static_cast<double>(k * 7 % n) / static_cast<double>(n));
  return values(std::span<const double>(x), shape).to(type);
}

double difference(const Variable& a, const Variable& b) {
  BOOST_REQUIRE_MESSAGE(a.shape() == b.shape(), a.shape().text() << " and " << b.shape().text());
  BOOST_REQUIRE((a.type() == b.type()));
  std::vector<double> x = a.value().to_vector<double>(), y = b.value().to_vector<double>();
  double most = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (x[k] == y[k] || (std::isnan(x[k]) && std::isnan(y[k]))) continue;
    double d = std::fabs(x[k] - y[k]) / std::fmax(1, std::fabs(y[k]));
    most = d > most || std::isnan(d) ? d : most;
  }
  return most;
}

using Unary = std::function<Variable(const Variable&)>;

/// Values, gradients and second gradients of two functions are the same.
void agree(const char* name, const Unary& fuse_f, const Unary& f, const std::vector<double>& x) {
  for (Type type : {float64, float32}) {
    const double tolerance = type == float64 ? 4e-15 : 2e-6;
    const Array a = values(std::span<const double>(x), {static_cast<Size>(x.size())}).to(type);
    Tape tape;
    Variable in = tape.watch(a), fused = fuse_f(in), plain = f(in);
    BOOST_TEST(difference(fused, plain) <= tolerance, name << ": value");
    const Variable w = numbers(a.shape(), 0.5, 1.5, type);
    auto gradient = [&](const Variable& y, const Variable& weight, bool graph) {
      return grad(y, in, {.create_graph = graph, .grad_outputs = weight, .retain_graph = true});
    };
    const Variable first = gradient(plain, w, true), again = gradient(fused, w, true);
    BOOST_TEST(difference(gradient(fused, w, false), first) <= tolerance, name << ": gradient");
    BOOST_TEST(difference(again, first) <= tolerance, name << ": differentiable gradient");
    if (!first.is_recorded()) continue;  // the gradient is constant
    BOOST_TEST(difference(gradient(again, w, false), gradient(first, w, false)) <= tolerance,
               name << ": second gradient");
  }
}

template <class F>
void agree(const char* name, F f, const std::vector<double>& x) {
  agree(name, [f](const Variable& x) { return fuse(f, x); }, f, x);
}

const std::vector<double> kAnywhere{-7, -3, -2, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 1.5, 2, 3, 6, 9};
const std::vector<double> kPositive{0.25, 0.5, 1, 1.5, 2, 3, 6, 9, 20};

struct GatesOfLstm {
  template <class X>
  auto operator()(X i, X f, X g, X o, X c0) const {
    auto c = sigmoid(f) * c0 + sigmoid(i) * tanh(g);
    return std::tuple(sigmoid(o) * tanh(c), c);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(fuse_op)

BOOST_AUTO_TEST_CASE(functions_of_one_number) {
  agree("abs", [](auto x) { return abs(x); }, kAnywhere);
  agree("square", [](auto x) { return square(x); }, kAnywhere);
  agree("sin", [](auto x) { return sin(x); }, kAnywhere);
  agree("cos", [](auto x) { return cos(x); }, kAnywhere);
  agree("sinh", [](auto x) { return sinh(x); }, kAnywhere);
  agree("cosh", [](auto x) { return cosh(x); }, kAnywhere);
  agree("atan", [](auto x) { return atan(x); }, kAnywhere);
  agree("erf", [](auto x) { return erf(x); }, kAnywhere);
  agree("exp", [](auto x) { return exp(x); }, kAnywhere);
  agree("expm1", [](auto x) { return expm1(x); }, kAnywhere);
  agree("reciprocal", [](auto x) { return reciprocal(x); }, kPositive);
  agree("sqrt", [](auto x) { return sqrt(x); }, kPositive);
  agree("rsqrt", [](auto x) { return rsqrt(x); }, kPositive);
  agree("log", [](auto x) { return log(x); }, kPositive);
  agree("log1p", [](auto x) { return log1p(x); }, kPositive);
  agree("log2", [](auto x) { return log2(x); }, kPositive);
  agree("log10", [](auto x) { return log10(x); }, kPositive);
  agree("pow", [](auto x) { return pow(x, 2.5) + pow(x, 2) + pow(x, -1) + pow(x, 0); }, kPositive);
  agree("sign, floor", [](auto x) { return x * sign(x) + x * floor(x); }, kAnywhere);
  agree("stop_gradient", [](auto x) { return x * stop_gradient(x); }, kAnywhere);
}

BOOST_AUTO_TEST_CASE(activations) {
  agree("tanh", [](auto x) { return tanh(x); }, kAnywhere);
  agree("sigmoid", [](auto x) { return sigmoid(x); }, kAnywhere);
  agree("log_sigmoid", [](auto x) { return log_sigmoid(x); }, kAnywhere);
  agree("softplus", [](auto x) { return softplus(x); }, kAnywhere);
  agree("silu", [](auto x) { return silu(x); }, kAnywhere);
  agree("gelu", [](auto x) { return gelu(x); }, kAnywhere);
  agree("gelu_tanh", [](auto x) { return gelu_tanh(x); }, kAnywhere);
  agree("mish", [](auto x) { return mish(x); }, kAnywhere);
  agree("softsign", [](auto x) { return softsign(x); }, kAnywhere);
  agree("relu", [](auto x) { return x * relu(x); }, kAnywhere);
  agree("relu6", [](auto x) { return x * relu6(x); }, kAnywhere);
  agree("elu", [](auto x) { return elu(x) + elu(x, 1.3); }, kAnywhere);
  agree("selu", [](auto x) { return selu(x); }, kAnywhere);
  agree("leaky_relu", [](auto x) { return leaky_relu(x) + x * leaky_relu(x, 0.1); }, kAnywhere);
  agree("hard_sigmoid", [](auto x) { return x * hard_sigmoid(x); }, kAnywhere);
  agree("hardtanh", [](auto x) { return x * hardtanh(x) + hardtanh(x, -2, 3); }, kAnywhere);
  agree("clamp", [](auto x) { return x * clamp(x, -2, 3) + clamp(x, 0.5); }, kAnywhere);
}

BOOST_AUTO_TEST_CASE(operators_and_choices) {
  agree("numbers", [](auto x) { return 2 * x + 1 - x / 3 - (4 - x) * (1 / (x * x + 2)); },
        kAnywhere);
  agree("negation", [](auto x) { return -(-x * x) + +x; }, kAnywhere);
  auto assigning = [](auto x) {
    auto y = x;
    y += x * x;
    y -= 0.5;
    y *= x;
    y /= x * x + 1;
    return y;
  };
  agree("assignment", assigning, kAnywhere);
  auto choosing = [](auto x) {
    return where(x > 1 && x < 5, x * x, -x) + where(!(x >= 0) || x <= -1, 1.5, x);
  };
  agree("where", choosing, kAnywhere);
  auto comparing = [](auto x) {
    return where(equals(x, 0.5), x * 3, 0.5) + where(not_equals(x, 2), x * x, 0);
  };
  agree("equals", comparing, kAnywhere);
  agree("mask as a number", [](auto x) { return (x > 0) * x * x; }, kAnywhere);
  agree("maximum", [](auto x) { return maximum(x, x * x) + max(x, 0.5) + maximum(1, -x); },
        kAnywhere);
  agree("minimum", [](auto x) { return minimum(x, x * x) + min(x, 0.5) + min(x * x, -x); },
        kAnywhere);
  agree("atan2, hypot", [](auto x) { return atan2(x, x * x + 1) + hypot(x, x + 3); }, kPositive);
  agree("atan2 of numbers", [](auto x) { return atan2(x, 0.5) * atan2(0.5, x); }, kAnywhere);
  agree("hypot of numbers", [](auto x) { return hypot(x, 2) * hypot(0.3, x); }, kAnywhere);
  agree("power of a number", [](auto x) { return pow(1.3, x); }, kAnywhere);
  agree("pow of constants",
        [](auto x) { return pow(x, stop_gradient(x)) + pow(stop_gradient(x), x); }, kPositive);
  agree("pow of two", [](auto x) { return pow(x, x) + pow(x + 1, 0.5 * x); }, kPositive);
}

BOOST_AUTO_TEST_CASE(gradients_against_differences) {
  auto cell = [](auto& i, auto& f, auto& g, auto& o, auto& c) {
    return fuse(GatesOfLstm(), i, f, g, o, c);
  };
  BOOST_TEST(gradcheck(cell, {{2, 9}, {2, 9}, {2, 9}, {2, 9}, {2, 9}}, {.order = 2}));
  BOOST_TEST(gradcheck(cell, {{3, 2, 4}, {2, 1}, {4}, {1, 2, 4}, {}}, {.order = 2}));
  auto quotient = [](auto& x, auto& y) {
    return fuse([](auto a, auto b) { return a * tanh(b) / (1 + a * a); }, x, y);
  };
  BOOST_TEST(gradcheck(quotient, {{5, 1}, {1, 3}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(views_of_one_value) {
  for (Type type : {float64, float32}) {
    Tape tape;
    Variable gates = tape.watch(numbers({3, 80}, -2, 2, type));
    Variable c = tape.watch(numbers({3, 20}, -1, 1, type));
    auto p = chunk<4>(gates, -1);
    auto [h1, c1] = fuse(GatesOfLstm(), p[0], p[1], p[2], p[3], c);
    auto [h2, c2] = GatesOfLstm()(p[0], p[1], p[2], p[3], c);
    BOOST_TEST(difference(h1, h2) < 1e-6);
    auto a = grad({sum(h1 * h1 + c1)}, {gates, c}, {.retain_graph = true});
    auto b = grad({sum(h2 * h2 + c2)}, {gates, c}, {.retain_graph = true});
    for (std::size_t k : {0, 1})
      BOOST_TEST(difference(a[k], b[k]) < (type == float64 ? 1e-14 : 1e-5));
    // One value as several inputs, and one result without a gradient.
    Variable z = tape.watch(numbers({7}, 0.5, 3, type));
    auto [s, t] = fuse([](auto a, auto b) { return std::tuple(a * b + a, log(a)); }, z, z);
    BOOST_TEST(difference(grad(sum(s), z), 2 * z + 1) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(strided_operands) {
  const auto f = [](auto a, auto b, auto c) {
    return std::tuple(sigmoid(a) * b + c, tanh(b * c) - a);
  };
  auto views = [](const Variable& x, const Variable& y, const Variable& z) {
    return Variables{transpose(x), flip(y, {0, 1}), sliced(z, 1, 0, 14, 2)};
  };
  const Array x = numbers({7, 5}, -2, 2), y = numbers({5, 7}, -1, 1), z = numbers({5, 14}, -1, 2);
  const Variables v = views(x, y, z);
  const auto [p, q] = fuse(f, v[0], v[1], v[2]);
  const auto [r, s] = f(v[0], v[1], v[2]);
  BOOST_TEST(difference(p, r) < 1e-14);
  BOOST_TEST(difference(q, s) < 1e-14);
  const auto fused = [&](const Variable& x, const Variable& y, const Variable& z) {
    const Variables v = views(x, y, z);
    const auto [p, q] = fuse(f, v[0], v[1], v[2]);
    return p * q;
  };
  BOOST_TEST(gradcheck(fused, {x, y, z}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(kinds_of_inputs_and_results) {
  Parameter p("p", numbers({4}, -1, 1, float32));
  const Array a = numbers({3, 4}, 0, 2, float32);
  const double scale = 0.1;
  Tape tape;
  Variable one = fuse([scale](auto p, auto a, auto c) { return p * scale + a * c; }, p, a, 2.5);
  BOOST_TEST(difference(one, p * 0.1 + Variable(a) * 2.5) < 1e-6);
  tape.backward(sum(one));
  BOOST_TEST(difference(p.grad(), Variable(full({4}, 0.3))) < 1e-6);

  Tape second;
  Variable x = second.watch(numbers({2, 3}, 0, 1)), row = second.watch(numbers({3}, 0, 1));
  // A constant, an input as it is, and a result of the smaller input only: all in the common shape.
  auto [k, same, doubled] = fuse([](auto x, auto r) { return std::tuple(1.5, x, r * r); }, x, row);
  BOOST_TEST(difference(k, full({2, 3}, 1.5, float64)) == 0);
  BOOST_TEST(difference(same, x) == 0);
  BOOST_TEST((doubled.shape() == Shape{2, 3}));
  for (bool graph : {false, true}) {
    auto g = grad({sum(k + 3 * same + doubled * same)}, {x, row},
                  {.create_graph = graph, .retain_graph = true});
    BOOST_TEST(difference(g[0], 3 + row * row + 0 * x) < 1e-14);
    BOOST_TEST(difference(g[1], 2 * row * sum(x, {.axes = {0}})) < 1e-14);
  }
  std::array<Variable, 2> pair = {x, x};
  std::tie(pair[0], pair[1]) = fuse([](auto x) { return std::array{x + 1, x * 2}; }, x);
  BOOST_TEST(difference(pair[1], x * 2) == 0);
  BOOST_TEST(fuse([](auto x) { return x * 0.1; }, 1.0).item() == static_cast<double>(0.1f));
  BOOST_TEST(fuse([](auto x, auto c) { return x * c; }, full({}, 1, float64), 0.1).item() == 0.1);
}

BOOST_AUTO_TEST_CASE(long_lambdas) {
  // More operations than the tape in registers holds; a loop whose length is known at run time.
  for (int n : {3, 12, 200}) {
    auto f = [n](auto x) {
      auto y = x;
      for (int k = 0; k < n; ++k) y = sin(y * 1.3) + 0.1 * y;
      return y;
    };
    Tape tape;
    Variable x = tape.watch(numbers({21}, -1, 1)), fused = fuse(f, x), plain = f(x);
    BOOST_TEST(difference(fused, plain) < 1e-12);
    Variable dx = grad(sum(fused), x, {.retain_graph = true});
    BOOST_TEST(difference(dx, grad(sum(plain), x)) < 1e-10);
  }
}

BOOST_AUTO_TEST_CASE(lengths) {
  for (Size n = 0; n <= 70; ++n)
    agree("length", [](auto x) { return tanh(x) * x; }, numbers({n}, -2, 2).to_vector<double>());
  for (const Shape& shape : {Shape{0, 4}, Shape{3, 0}}) {
    Tape tape;
    Variable x = tape.watch(zeros(shape)), row = tape.watch(ones({1, shape[1]}));
    Variable y = fuse([](auto x, auto r) { return x * r; }, x, row);
    BOOST_TEST((y.shape() == shape));
    auto g = grad({sum(y)}, {x, row});
    BOOST_TEST(difference(g[1], zeros({1, shape[1]})) == 0);
  }
}

BOOST_AUTO_TEST_CASE(more_inputs_than_registers) {
  std::array<Variable, 70> x;
  Tape tape;
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = tape.watch(full({5}, static_cast<double>(k)));
  Variable y = std::apply([](const auto&... v) {
    return fuse([](auto... e) { return (square(e) + ...); }, v...);
  }, x);
  BOOST_TEST(difference(y, full({5}, 70 * 69 * 139 / 6.0)) == 0);
  tape.backward(sum(y));
  for (std::size_t k = 0; k < x.size(); ++k)
    BOOST_TEST(difference(x[k].grad(), full({5}, 2.0 * static_cast<double>(k))) == 0);
}

BOOST_AUTO_TEST_CASE(keeps_its_inputs_only) {
  auto f = [](auto x) { return exp(x) * x; };
  {
    Tape tape;
    Variable x = tape.watch(ones({3})), y = sum(fuse(f, x));
    BOOST_TEST(tape.nodes() == 2);
  }
  Tape tape;
  Array a = ones({3});
  Variable x = tape.watch(a), y = sum(fuse(f, x));
  a.mutable_data<float>()[1] = 2;
  std::string message = error_of([&] { tape.backward(y); });
  BOOST_TEST(message.find("[fuse] input 0 (3,) was changed after it was recorded") == 0, message);
}

BOOST_AUTO_TEST_CASE(mistakes_are_sentences) {
  auto f = [](auto a, auto b) { return a + b; };
  std::string message = error_of([&] { fuse(f, zeros({2, 3}), zeros({4})); });
  BOOST_TEST(message.find("[fuse]") == 0, message);
  BOOST_TEST(message.find("(2, 3)") != std::string::npos, message);
  BOOST_TEST(message.find("(4,)") != std::string::npos, message);
  message = error_of([&] { fuse(f, zeros({3}), indices({1, 2, 3})); });
  BOOST_TEST(message.find("[fuse] elements are int64, shape (3,); expected float32") == 0, message);
  message = error_of([&] { fuse(f, Variable(), zeros({3})); });
  BOOST_TEST(message.find("[fuse] input 0 is empty") == 0, message);
}

BOOST_AUTO_TEST_SUITE_END()
