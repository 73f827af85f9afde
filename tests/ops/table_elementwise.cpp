// Rows of the op table for elementwise.hpp, and for the additions of autograd/op.hpp.
#include <cmath>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/elementwise.hpp>

#include "op_table.hpp"

namespace {

using namespace op_table;
namespace u = unroll;

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }
double softplus_of(double x) { return std::log1p(std::exp(x)); }
double clip(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

/// A comparison: two inputs, no gradient. Whole numbers are often equal.
Row comparison(std::string name, Variable (*f)(const Variable&, const Variable&),
               double (*reference)(double, double), bool whole = true) {
  Input in = whole ? index({3, 4}, 3) : real({3, 4});
  Row row = binary(std::move(name), f, reference, in, in);
  row.variant = whole ? "of int64" : "";
  row.constant = true;
  return row;
}

Row with(Row row, std::string variant) {
  row.variant = std::move(variant);
  return row;
}

/// A function without slope.
Row flat(Row row) {
  row.constant = true;
  return row;
}

// With a number on one side.
Variable add_right(const Variable& x) { return x + 1.5; }
Variable add_left(const Variable& x) { return 1.5 + x; }
Variable subtract_right(const Variable& x) { return x - 1.5; }
Variable subtract_left(const Variable& x) { return 1.5 - x; }
Variable multiply_right(const Variable& x) { return x * 1.5; }
Variable multiply_left(const Variable& x) { return 1.5 * x; }
Variable divide_right(const Variable& x) { return x / 1.5; }
Variable divide_left(const Variable& x) { return 1.5 / x; }

const Rows arithmetic{
    binary("add", u::add, [](double a, double b) { return a + b; }),
    binary("operator+", u::operator+, [](double a, double b) { return a + b; }),
    with(unary("operator+", add_right, [](double x) { return x + 1.5; }), "number right"),
    with(unary("operator+", add_left, [](double x) { return x + 1.5; }), "number left"),
    binary("operator-", u::operator-, [](double a, double b) { return a - b; }),
    with(unary("operator-", subtract_right, [](double x) { return x - 1.5; }), "number right"),
    with(unary("operator-", subtract_left, [](double x) { return 1.5 - x; }), "number left"),
    with(unary("operator-", u::negative, [](double x) { return -x; }), "of one"),
    binary("operator*", u::operator*, [](double a, double b) { return a * b; }),
    with(unary("operator*", multiply_right, [](double x) { return x * 1.5; }), "number right"),
    with(unary("operator*", multiply_left, [](double x) { return x * 1.5; }), "number left"),
    binary(
        "operator/", u::operator/, [](double a, double b) { return a / b; }, real({3, 4}),
        real({3, 4}, 0.5, 2)),
    with(unary("operator/", divide_right, [](double x) { return x / 1.5; }), "number right"),
    with(unary(
             "operator/", divide_left, [](double x) { return 1.5 / x; }, 0.5, 2),
         "number left"),
    binary("subtract", u::subtract, [](double a, double b) { return a - b; }),
    binary("multiply", u::multiply, [](double a, double b) { return a * b; }),
    binary(
        "divide", u::divide, [](double a, double b) { return a / b; }, real({3, 4}),
        real({3, 4}, -2, -0.5)),
    unary("negative", u::negative, [](double x) { return -x; }),
};

const Rows two_arguments{
    binary(
        "maximum", static_cast<Variable (*)(const Variable&, const Variable&)>(u::maximum),
        [](double a, double b) { return a > b ? a : b; }, real({3, 4}, 0, 1), real({3, 4}, 1.1, 2)),
    with(binary(
             "maximum", static_cast<Variable (*)(const Variable&, const Variable&)>(u::maximum),
             [](double a, double b) { return a > b ? a : b; }, real({3, 4}, 1.1, 2),
             real({3, 4}, 0, 1)),
         "first greater"),
    with(unary(
             "maximum", [](const Variable& x) { return maximum(x, 0.25); },
             [](double x) { return x > 0.25 ? x : 0.25; }, -2, 2, {0.25}),
         "number right"),
    with(unary(
             "maximum", [](const Variable& x) { return maximum(0.25, x); },
             [](double x) { return x > 0.25 ? x : 0.25; }, -2, 2, {0.25}),
         "number left"),
    binary(
        "minimum", static_cast<Variable (*)(const Variable&, const Variable&)>(u::minimum),
        [](double a, double b) { return a < b ? a : b; }, real({3, 4}, 0, 1), real({3, 4}, 1.1, 2)),
    with(unary(
             "minimum", [](const Variable& x) { return minimum(x, 0.25); },
             [](double x) { return x < 0.25 ? x : 0.25; }, -2, 2, {0.25}),
         "number right"),
    with(unary(
             "minimum", [](const Variable& x) { return minimum(0.25, x); },
             [](double x) { return x < 0.25 ? x : 0.25; }, -2, 2, {0.25}),
         "number left"),
    binary(
        "atan2", u::atan2, [](double a, double b) { return std::atan2(a, b); }, real({3, 4}),
        real({3, 4}, 0.5, 2)),
    with(binary(
             "atan2", u::atan2, [](double a, double b) { return std::atan2(a, b); },
             real({3, 4}, -2, -0.5), real({3, 4}, -2, -0.5)),
         "third quadrant"),
    binary(
        "hypot", u::hypot, [](double a, double b) { return std::hypot(a, b); },
        real({3, 4}, 0.3, 2), real({3, 4}, -2, -0.3)),
    binary(
        "pow", static_cast<Variable (*)(const Variable&, const Variable&)>(u::pow),
        [](double a, double b) { return std::pow(a, b); }, real({3, 4}, 0.5, 2)),
    with(
        unary(
            "pow", [](const Variable& x) { return pow(x, 3); }, [](double x) { return x * x * x; }),
        "3"),
    with(unary(
             "pow", [](const Variable& x) { return pow(x, -1.5); },
             [](double x) { return std::pow(x, -1.5); }, 0.5, 2),
         "-1.5"),
};

const Rows comparisons{
    comparison("operator<", u::operator<, [](double a, double b) { return double(a < b); }),
    comparison(
        "operator<", u::operator<, [](double a, double b) { return double(a < b); }, false),
    comparison("operator<=", u::operator<=, [](double a, double b) { return double(a <= b); }),
    comparison(
        "operator<=", u::operator<=, [](double a, double b) { return double(a <= b); }, false),
    comparison("operator>", u::operator>, [](double a, double b) { return double(a > b); }),
    comparison(
        "operator>", u::operator>, [](double a, double b) { return double(a > b); }, false),
    comparison("operator>=", u::operator>=, [](double a, double b) { return double(a >= b); }),
    comparison(
        "operator>=", u::operator>=, [](double a, double b) { return double(a >= b); }, false),
    comparison("equals", u::equals, [](double a, double b) { return double(a == b); }),
    comparison(
        "equals", u::equals, [](double a, double b) { return double(a == b); }, false),
    comparison("not_equals", u::not_equals, [](double a, double b) { return double(a != b); }),
    comparison(
        "not_equals", u::not_equals, [](double a, double b) { return double(a != b); }, false),
    comparison("operator&&", u::operator&&, [](double a, double b) { return double(a && b); }),
    comparison("operator||", u::operator||, [](double a, double b) { return double(a || b); }),
    flat(with(unary(
                  "operator<", [](const Variable& x) { return x < 0.5; },
                  [](double x) { return double(x < 0.5); }),
              "number right")),
    flat(with(unary(
                  "operator>=", [](const Variable& x) { return 0.5 >= x; },
                  [](double x) { return double(0.5 >= x); }),
              "number left")),
    flat(unary("operator!", u::operator!, [](double x) { return double(x == 0); })),
};

const Rows mathematics{
    unary("abs", u::abs, [](double x) { return std::fabs(x); }, -2, 2, {0}),
    flat(unary("sign", u::sign, [](double x) { return double((x > 0) - (x < 0)); })),
    flat(unary(
        "floor", u::floor, [](double x) { return std::floor(x); }, -5, 5)),
    unary("square", u::square, [](double x) { return x * x; }),
    unary(
        "reciprocal", u::reciprocal, [](double x) { return 1 / x; }, 0.5, 2),
    unary(
        "sqrt", u::sqrt, [](double x) { return std::sqrt(x); }, 0.3, 4),
    unary(
        "rsqrt", u::rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.3, 4),
    unary("exp", u::exp, [](double x) { return std::exp(x); }),
    unary("expm1", u::expm1, [](double x) { return std::expm1(x); }),
    unary(
        "log", u::log, [](double x) { return std::log(x); }, 0.3, 4),
    unary(
        "log1p", u::log1p, [](double x) { return std::log1p(x); }, -0.6, 3),
    unary(
        "log2", u::log2, [](double x) { return std::log2(x); }, 0.3, 4),
    unary(
        "log10", u::log10, [](double x) { return std::log10(x); }, 0.3, 4),
    unary(
        "sin", u::sin, [](double x) { return std::sin(x); }, -4, 4),
    unary(
        "cos", u::cos, [](double x) { return std::cos(x); }, -4, 4),
    unary("sinh", u::sinh, [](double x) { return std::sinh(x); }),
    unary("cosh", u::cosh, [](double x) { return std::cosh(x); }),
    unary(
        "atan", u::atan, [](double x) { return std::atan(x); }, -4, 4),
    unary("tanh", u::tanh, [](double x) { return std::tanh(x); }),
    unary("erf", u::erf, [](double x) { return std::erf(x); }),
};

const Rows activations{
    unary("sigmoid", u::sigmoid, sigmoid_of, -5, 5),
    unary(
        "log_sigmoid", u::log_sigmoid, [](double x) { return -softplus_of(-x); }, -5, 5),
    unary("relu", u::relu, [](double x) { return x > 0 ? x : 0; }, -2, 2, {0}),
    unary("relu6", u::relu6, [](double x) { return clip(x, 0, 6); }, -3, 9, {0, 6}),
    unary("softplus", u::softplus, softplus_of, -5, 5),
    unary(
        "silu", u::silu, [](double x) { return x * sigmoid_of(x); }, -5, 5),
    unary("gelu", u::gelu, [](double x) { return x * (1 + std::erf(x / std::sqrt(2.))) / 2; }),
    unary("gelu_tanh", u::gelu_tanh,
          [](double x) {
            const double inner = std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
            return x * (1 + std::tanh(inner)) / 2;
          }),
    unary(
        "mish", u::mish, [](double x) { return x * std::tanh(softplus_of(x)); }, -5, 5),
    unary(
        "elu", [](const Variable& x) { return u::elu(x, 1.3); },
        [](double x) { return x > 0 ? x : 1.3 * std::expm1(x); }, -2, 2, {0}),
    unary("selu", u::selu,
          [](double x) {
            const double scale = 1.0507009873554804934193349852946;
            return scale * (x > 0 ? x : 1.6732632423543772848170429916717 * std::expm1(x));
          },
          -2, 2, {0}),
    unary(
        "leaky_relu", [](const Variable& x) { return u::leaky_relu(x, 0.1); },
        [](double x) { return x > 0 ? x : 0.1 * x; }, -2, 2, {0}),
    unary("softsign", u::softsign, [](double x) { return x / (1 + std::fabs(x)); }, -2, 2, {0}),
    unary("hard_sigmoid", u::hard_sigmoid, [](double x) { return clip(x + 3, 0, 6) / 6; }, -5, 5,
          {-3, 3}),
    unary(
        "hardtanh", [](const Variable& x) { return u::hardtanh(x, -0.5, 1.5); },
        [](double x) { return clip(x, -0.5, 1.5); }, -2, 3, {-0.5, 1.5}),
    unary(
        "clamp", [](const Variable& x) { return u::clamp(x, -0.5, 1.5); },
        [](double x) { return clip(x, -0.5, 1.5); }, -2, 3, {-0.5, 1.5}),
    with(unary(
             "clamp", [](const Variable& x) { return u::clamp(x, -0.5); },
             [](double x) { return x < -0.5 ? -0.5 : x; }, -2, 2, {-0.5}),
         "from below only"),
};

/// where and masked_fill read their condition as an int64 input.
NumbersList choose(const NumbersList& x) {
  const Index shape = broadcast(x[0].shape, broadcast(x[1].shape, x[2].shape));
  return build(shape, [&](const Index& i) {
    return broadcast_at(x[0], i) != 0 ? broadcast_at(x[1], i) : broadcast_at(x[2], i);
  });
}

const Rows choices{
    {.name = "where",
     .f = [](auto& x) { return where(x[0], x[1], x[2]); },
     .reference = choose,
     .inputs = {index({3, 4}, 2), real({3, 4}), real({3, 4})}},
    {.name = "where",
     .variant = "broadcast",
     .f = [](auto& x) { return where(x[0], x[1], x[2]); },
     .reference = choose,
     .inputs = {index({3, 1}, 2), real({1, 4}), empty_as(real({2, 1, 1}), {2, 1, 1})}},
    {.name = "where",
     .variant = "number if false",
     .f = [](auto& x) { return where(x[0], x[1], 0.5); },
     .reference =
         [](auto& x) {
           return choose({x[0], x[1], build({}, [](auto&) { return 0.5; })});
         },
     .inputs = {index({3, 4}, 2), real({3, 4})}},
    {.name = "where",
     .variant = "number if true",
     .f = [](auto& x) { return where(x[0], 0.5, x[1]); },
     .reference =
         [](auto& x) {
           return choose({x[0], build({}, [](auto&) { return 0.5; }), x[1]});
         },
     .inputs = {index({3, 4}, 2), real({3, 4})}},
    {.name = "masked_fill",
     .f = [](auto& x) { return masked_fill(x[1], x[0], -7.5); },
     .reference =
         [](auto& x) {
           return choose({x[0], build({}, [](auto&) { return -7.5; }), x[1]});
         },
     .inputs = {empty_as(index({4}, 2), {4}), real({3, 4})}},
    with(unary(
             "to", [](const Variable& x) { return to(x * x, u::float64); },
             [](double x) { return x * x; }),
         "float64"),
    flat(with(unary(
                  "to", [](const Variable& x) { return to(x, u::int64); },
                  [](double x) { return std::trunc(x); }, -5, 5),
              "int64")),
    flat(unary("stop_gradient", u::stop_gradient, [](double x) { return x; })),
};

}  // namespace
