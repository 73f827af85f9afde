// Mathematical functions with their gradients, which are given in the comments with dy left out.
#include <unroll/ops/elementwise_op.hpp>

namespace unroll {

// |x|: sign(x), 0 at 0.
Variable abs(const Variable& x) {
  return elementwise<Keep::inputs>(
      "abs", [](auto x) { return abs(x); }, [](auto dy, auto x) { return dy * sign(x); }, x);
}

// Constant between its jumps: no gradient.
Variable sign(const Variable& x) {
  return elementwise<Keep::nothing>("sign", [](auto x) { return sign(x); }, kNoGradient, x);
}
Variable floor(const Variable& x) {
  return elementwise<Keep::nothing>("floor", [](auto x) { return floor(x); }, kNoGradient, x);
}

// x^2: 2x.
Variable square(const Variable& x) {
  return elementwise<Keep::inputs>(
      "square", [](auto x) { return x * x; }, [](auto dy, auto x) { return dy * (x + x); }, x);
}
// 1 / x: -y^2.
Variable reciprocal(const Variable& x) {
  return elementwise<Keep::results>(
      "reciprocal", [](auto x) { return reciprocal(x); },
      [](auto dy, auto y) { return -dy * y * y; }, x);
}
// sqrt(x): 1 / (2y).
Variable sqrt(const Variable& x) {
  return elementwise<Keep::results>(
      "sqrt", [](auto x) { return sqrt(x); }, [](auto dy, auto y) { return dy * 0.5 / y; }, x);
}
// x^(-1/2): -y^3 / 2.
Variable rsqrt(const Variable& x) {
  return elementwise<Keep::results>(
      "rsqrt", [](auto x) { return rsqrt(x); },
      [](auto dy, auto y) { return dy * -0.5 * y * y * y; }, x);
}

// e^x: y.
Variable exp(const Variable& x) {
  return elementwise<Keep::results>(
      "exp", [](auto x) { return exp(x); }, [](auto dy, auto y) { return dy * y; }, x);
}
// e^x - 1: y + 1.
Variable expm1(const Variable& x) {
  return elementwise<Keep::results>(
      "expm1", [](auto x) { return expm1(x); }, [](auto dy, auto y) { return dy * (y + 1); }, x);
}
// log x: 1 / x.
Variable log(const Variable& x) {
  return elementwise<Keep::inputs>(
      "log", [](auto x) { return log(x); }, [](auto dy, auto x) { return dy / x; }, x);
}
// log(1 + x): 1 / (1 + x).
Variable log1p(const Variable& x) {
  return elementwise<Keep::inputs>(
      "log1p", [](auto x) { return log1p(x); }, [](auto dy, auto x) { return dy / (x + 1); }, x);
}
// log x / log 2: 1 / (x log 2).
Variable log2(const Variable& x) {
  return elementwise<Keep::inputs>(
      "log2", [](auto x) { return log2(x); },
      [](auto dy, auto x) { return dy / (x * 0.69314718055994530942); }, x);
}
// log x / log 10: 1 / (x log 10).
Variable log10(const Variable& x) {
  return elementwise<Keep::inputs>(
      "log10", [](auto x) { return log10(x); },
      [](auto dy, auto x) { return dy / (x * 2.30258509299404568402); }, x);
}

// sin x: cos x.
Variable sin(const Variable& x) {
  return elementwise<Keep::inputs>(
      "sin", [](auto x) { return sin(x); }, [](auto dy, auto x) { return dy * cos(x); }, x);
}
// cos x: -sin x.
Variable cos(const Variable& x) {
  return elementwise<Keep::inputs>(
      "cos", [](auto x) { return cos(x); }, [](auto dy, auto x) { return -dy * sin(x); }, x);
}
// sinh x: cosh x.
Variable sinh(const Variable& x) {
  return elementwise<Keep::inputs>(
      "sinh", [](auto x) { return sinh(x); }, [](auto dy, auto x) { return dy * cosh(x); }, x);
}
// cosh x: sinh x.
Variable cosh(const Variable& x) {
  return elementwise<Keep::inputs>(
      "cosh", [](auto x) { return cosh(x); }, [](auto dy, auto x) { return dy * sinh(x); }, x);
}
// atan x: 1 / (1 + x^2).
Variable atan(const Variable& x) {
  return elementwise<Keep::inputs>(
      "atan", [](auto x) { return atan(x); }, [](auto dy, auto x) { return dy / (x * x + 1); }, x);
}
// atan(y / x) in the right quadrant: x / (x^2 + y^2) and -y / (x^2 + y^2).
Variable atan2(const Variable& y, const Variable& x) {
  return elementwise<Keep::inputs>(
      "atan2", [](auto y, auto x) { return atan2(y, x); },
      [](auto dz, auto y, auto x) {
        auto scaled = dz / (x * x + y * y);
        return std::tuple(scaled * x, -scaled * y);
      },
      y, x);
}
// sqrt(a^2 + b^2): a / y and b / y, 0 at the origin.
Variable hypot(const Variable& a, const Variable& b) {
  return elementwise<Keep::all>(
      "hypot", [](auto a, auto b) { return hypot(a, b); },
      [](auto dy, auto y, auto a, auto b) {
        auto scaled = where(equals(y, 0.0), 0.0, dy / y);
        return std::tuple(scaled * a, scaled * b);
      },
      a, b);
}

// x^p: p x^(p-1); 0 for p = 0, at x = 0 too.
Variable pow(const Variable& x, double p) {
  auto value = [p](auto x) { return pow(x, p); };
  if (p == 0) return elementwise<Keep::nothing>("pow", value, kNoGradient, x);
  if (p == 1) return elementwise<Keep::nothing>("pow", value, kPassOn, x);
  return elementwise<Keep::inputs>(
      "pow", value, [p](auto dy, auto x) { return dy * (pow(x, p - 1) * p); }, x);
}
// a^b: b a^(b-1), 0 where b = 0; and y log a, 0 where a = 0 and b >= 0.
Variable pow(const Variable& a, const Variable& b) {
  return elementwise<Keep::all>(
      "pow", [](auto a, auto b) { return pow(a, b); },
      [](auto dy, auto y, auto a, auto b) {
        auto da = where(equals(b, 0.0), 0.0, dy * (b * pow(a, b - 1)));
        auto db = where(equals(a, 0.0) && b >= 0.0, 0.0, dy * (y * log(a)));
        return std::tuple(da, db);
      },
      a, b);
}

// (2 / sqrt(pi)) times the integral of exp(-t^2) over 0..x.
Variable erf(const Variable& x) {
  return elementwise<Keep::inputs>(
      "erf", [](auto x) { return erf(x); },
      [](auto dy, auto x) { return dy * (exp(-(x * x)) * 1.12837916709551257390); }, x);
}

}  // namespace unroll
