// Activation functions with their gradients, which are given in the comments with dy left out.
#include <unroll/ops/elementwise_op.hpp>

namespace unroll {

// tanh x: 1 - y^2.
Variable tanh(const Variable& x) {
  return elementwise<Keep::results>(
      "tanh", [](auto x) { return tanh(x); }, [](auto dy, auto y) { return dy * (1 - y * y); }, x);
}
// 1 / (1 + e^-x): y (1 - y).
Variable sigmoid(const Variable& x) {
  return elementwise<Keep::results>(
      "sigmoid", [](auto x) { return sigmoid(x); },
      [](auto dy, auto y) { return dy * (y * (1 - y)); }, x);
}
// log sigmoid(x): sigmoid(-x).
Variable log_sigmoid(const Variable& x) {
  return elementwise<Keep::inputs>(
      "log_sigmoid", [](auto x) { return log_sigmoid(x); },
      [](auto dy, auto x) { return dy * sigmoid(-x); }, x);
}
// max(x, 0): 1 where x > 0, 0 at 0.
Variable relu(const Variable& x) {
  return elementwise<Keep::results>(
      "relu", [](auto x) { return relu(x); },
      [](auto dy, auto y) { return where(y <= 0, 0.0, dy); }, x);
}
// min(max(x, 0), 6): 1 strictly between.
Variable relu6(const Variable& x) {
  return elementwise<Keep::inputs>(
      "relu6", [](auto x) { return relu6(x); },
      [](auto dy, auto x) { return where(x > 0 && x < 6, dy, 0.0); }, x);
}
// log(1 + e^x): sigmoid(x).
Variable softplus(const Variable& x) {
  return elementwise<Keep::inputs>(
      "softplus", [](auto x) { return softplus(x); },
      [](auto dy, auto x) { return dy * sigmoid(x); }, x);
}
// x s, s = sigmoid(x): s (1 + x (1 - s)).
Variable silu(const Variable& x) {
  return elementwise<Keep::inputs>(
      "silu", [](auto x) { return silu(x); },
      [](auto dy, auto x) {
        auto s = sigmoid(x);
        return dy * (s * (x * (1 - s) + 1));
      },
      x);
}
// x P(x), P the normal distribution function: P(x) + x exp(-x^2 / 2) / sqrt(2 pi).
Variable gelu(const Variable& x) {
  return elementwise<Keep::inputs>(
      "gelu", [](auto x) { return gelu(x); },
      [](auto dy, auto x) {
        auto p = (erf(x * 0.70710678118654752440) + 1) * 0.5;
        return dy * (p + x * exp(x * x * -0.5) * 0.39894228040143267794);
      },
      x);
}
// x (1 + t) / 2, t = tanh(a (x + b x^3)): (1 + t) / 2 + x (1 - t^2) a (1 + 3 b x^2) / 2.
Variable gelu_tanh(const Variable& x) {
  return elementwise<Keep::inputs>(
      "gelu_tanh", [](auto x) { return gelu_tanh(x); },
      [](auto dy, auto x) {
        const double a = 0.79788456080286535588, b = 0.044715;
        auto t = tanh((x + x * x * x * b) * a);
        return dy * ((t + 1) * 0.5 + x * (1 - t * t) * ((x * x * (3 * b) + 1) * (a / 2)));
      },
      x);
}
// x t, t = tanh(softplus(x)): t + x sigmoid(x) (1 - t^2).
Variable mish(const Variable& x) {
  return elementwise<Keep::inputs>(
      "mish", [](auto x) { return mish(x); },
      [](auto dy, auto x) {
        auto t = tanh(softplus(x));
        return dy * (t + x * sigmoid(x) * (1 - t * t));
      },
      x);
}
// x for x > 0, else alpha (e^x - 1): 1, or alpha e^x = y + alpha.
Variable elu(const Variable& x, double alpha) {
  return elementwise<Keep::all>(
      "elu", [alpha](auto x) { return elu(x, alpha); },
      [alpha](auto dy, auto y, auto x) { return where(x > 0, dy, dy * (y + alpha)); }, x);
}
// scale elu(x, alpha).
Variable selu(const Variable& x) {
  return elementwise<Keep::results>(
      "selu", [](auto x) { return selu(x); },
      [](auto dy, auto y) {
        return where(y > 0, dy * kSeluScale, dy * (y + kSeluScale * kSeluAlpha));
      },
      x);
}
// x for x > 0, else slope x.
Variable leaky_relu(const Variable& x, double slope) {
  return elementwise<Keep::inputs>(
      "leaky_relu", [slope](auto x) { return leaky_relu(x, slope); },
      [slope](auto dy, auto x) { return where(x > 0, dy, dy * slope); }, x);
}
// x / (1 + |x|): 1 / (1 + |x|)^2.
Variable softsign(const Variable& x) {
  return elementwise<Keep::inputs>(
      "softsign", [](auto x) { return softsign(x); },
      [](auto dy, auto x) { return dy / square(abs(x) + 1); }, x);
}
// min(max(x + 3, 0), 6) / 6: 1/6 strictly between.
Variable hard_sigmoid(const Variable& x) {
  return elementwise<Keep::inputs>(
      "hard_sigmoid", [](auto x) { return hard_sigmoid(x); },
      [](auto dy, auto x) { return where(x > -3 && x < 3, dy / 6, 0.0); }, x);
}
// min(max(x, low), high): 1 strictly between.
Variable hardtanh(const Variable& x, double low, double high) {
  return elementwise<Keep::inputs>(
      "hardtanh", [low, high](auto x) { return clamp(x, low, high); },
      [low, high](auto dy, auto x) { return where(x > low && x < high, dy, 0.0); }, x);
}
// min(max(x, low), high): 1 between and at the bounds.
Variable clamp(const Variable& x, double low, double high) {
  return elementwise<Keep::inputs>(
      "clamp", [low, high](auto x) { return clamp(x, low, high); },
      [low, high](auto dy, auto x) { return where(x >= low && x <= high, dy, 0.0); }, x);
}

}  // namespace unroll
