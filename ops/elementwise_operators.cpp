// Operators, comparisons and choices between elements, each with its gradient. Functions of one
// argument are in elementwise_math.cpp and elementwise_activations.cpp.
#include <unroll/ops/elementwise_op.hpp>

namespace unroll {

// ---- arithmetic ----

// y = a + b: da = db = dy, which the engine itself needs (autograd/op.hpp).
Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }

// y = x + c: dx = dy.
Variable operator+(const Variable& x, double c) {
  return elementwise<Keep::nothing>("add", [c](auto x) { return x + c; }, kPassOn, x);
}
Variable operator+(double c, const Variable& x) { return x + c; }

Variable operator+(const Variable& x) { return as_read("+", x); }

// y = -x: dx = -dy.
Variable operator-(const Variable& x) {
  return elementwise<Keep::nothing>(
      "negative", [](auto x) { return -x; }, [](auto dy) { return -dy; }, x);
}

// y = a - b: da = dy, db = -dy.
Variable operator-(const Variable& a, const Variable& b) {
  Op op("subtract", a, b);
  auto value = [](auto a, auto b) { return a - b; };
  Array y = kernel::value_of("subtract", value, op.type(), op[0], op[1]);
  return op.record(std::move(y), [](Backward& b) {
    b.give(0, b.dy());
    if (b.wants(1)) b.give(1, -b.dy());
  }, Keep::nothing);
}
Variable operator-(const Variable& x, double c) { return x + -c; }
// y = c - x: dx = -dy.
Variable operator-(double c, const Variable& x) {
  return elementwise<Keep::nothing>(
      "subtract", [c](auto x) { return c - x; }, [](auto dy) { return -dy; }, x);
}

// y = a b: da = dy b, db = dy a.
Variable operator*(const Variable& a, const Variable& b) {
  return elementwise<Keep::inputs>(
      "multiply", [](auto a, auto b) { return a * b; },
      [](auto dy, auto a, auto b) { return std::tuple(dy * b, dy * a); }, a, b);
}
// y = x c: dx = dy c.
Variable operator*(const Variable& x, double c) {
  return elementwise<Keep::nothing>(
      "multiply", [c](auto x) { return x * c; }, [c](auto dy) { return dy * c; }, x);
}
Variable operator*(double c, const Variable& x) { return x * c; }

// y = a / b: da = dy / b, db = -dy a / b^2.
Variable operator/(const Variable& a, const Variable& b) {
  return elementwise<Keep::inputs>(
      "divide", [](auto a, auto b) { return a / b; },
      [](auto dy, auto a, auto b) {
        auto da = dy / b;
        return std::tuple(da, -da * (a / b));
      },
      a, b);
}
// y = x / c: dx = dy / c.
Variable operator/(const Variable& x, double c) {
  return elementwise<Keep::nothing>(
      "divide", [c](auto x) { return x / c; }, [c](auto dy) { return dy / c; }, x);
}
// y = c / x: dx = -dy y / x.
Variable operator/(double c, const Variable& x) {
  return elementwise<Keep::all>(
      "divide", [c](auto x) { return c / x; },
      [](auto dy, auto y, auto x) { return -dy * (y / x); }, x);
}

// ---- comparisons ----

namespace {

/// An operand of a comparison: int64 is compared as float64.
Variable comparable(const Variable& x) {
  return x.type() == int64 ? Variable(x.value().to(float64)) : detach(x);
}

template <class F, class... X>
Variable compare(const char* name, F f, const X&... x) {
  bool counted = ((x.type() == int64) && ...);
  Op check(name, x...);  // emptiness and tapes
  auto run = [&](const auto&... x) {
    Op op(name, x...);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return kernel::value_of(name, f, op.type(), op[static_cast<int>(I)]...);
    }(std::make_index_sequence<sizeof...(X)>());
  };
  Array y = run(comparable(x)...);
  return Variable(counted ? y.to(float32) : y);
}

}  // namespace

Variable operator<(const Variable& a, const Variable& b) {
  return compare("less", [](auto a, auto b) { return a < b; }, a, b);
}
Variable operator<(const Variable& x, double c) {
  return compare("less", [c](auto x) { return x < c; }, x);
}
Variable operator<(double c, const Variable& x) { return x > c; }
Variable operator<=(const Variable& a, const Variable& b) {
  return compare("less_equal", [](auto a, auto b) { return a <= b; }, a, b);
}
Variable operator<=(const Variable& x, double c) {
  return compare("less_equal", [c](auto x) { return x <= c; }, x);
}
Variable operator<=(double c, const Variable& x) { return x >= c; }
Variable operator>(const Variable& a, const Variable& b) { return b < a; }
Variable operator>(const Variable& x, double c) {
  return compare("greater", [c](auto x) { return x > c; }, x);
}
Variable operator>(double c, const Variable& x) { return x < c; }
Variable operator>=(const Variable& a, const Variable& b) { return b <= a; }
Variable operator>=(const Variable& x, double c) {
  return compare("greater_equal", [c](auto x) { return x >= c; }, x);
}
Variable operator>=(double c, const Variable& x) { return x <= c; }
Variable equals(const Variable& a, const Variable& b) {
  return compare("equals", [](auto a, auto b) { return equals(a, b); }, a, b);
}
Variable equals(const Variable& x, double c) {
  return compare("equals", [c](auto x) { return equals(x, c); }, x);
}
Variable not_equals(const Variable& a, const Variable& b) {
  return compare("not_equals", [](auto a, auto b) { return not_equals(a, b); }, a, b);
}
Variable not_equals(const Variable& x, double c) {
  return compare("not_equals", [c](auto x) { return not_equals(x, c); }, x);
}
Variable operator&&(const Variable& a, const Variable& b) {
  return compare("and", [](auto a, auto b) { return not_equals(a, 0) && not_equals(b, 0); }, a, b);
}
Variable operator||(const Variable& a, const Variable& b) {
  return compare("or", [](auto a, auto b) { return not_equals(a, 0) || not_equals(b, 0); }, a, b);
}
Variable operator!(const Variable& x) { return equals(x, 0); }

// ---- choices ----

// y = max(a, b): da = dy where a > b, dy / 2 where equal.
Variable maximum(const Variable& a, const Variable& b) {
  return elementwise<Keep::inputs>(
      "maximum", [](auto a, auto b) { return maximum(a, b); },
      [](auto dy, auto a, auto b) {
        auto half = where(equals(a, b), dy * 0.5, dy);
        return std::tuple(where(a < b, 0.0, half), where(a > b, 0.0, half));
      },
      a, b);
}
Variable maximum(const Variable& x, double c) {
  return elementwise<Keep::inputs>(
      "maximum", [c](auto x) { return maximum(x, c); },
      [c](auto dy, auto x) { return where(x < c, 0.0, where(equals(x, c), dy * 0.5, dy)); }, x);
}
Variable maximum(double c, const Variable& x) { return maximum(x, c); }

// y = min(a, b): da = dy where a < b, dy / 2 where equal.
Variable minimum(const Variable& a, const Variable& b) {
  return elementwise<Keep::inputs>(
      "minimum", [](auto a, auto b) { return minimum(a, b); },
      [](auto dy, auto a, auto b) {
        auto half = where(equals(a, b), dy * 0.5, dy);
        return std::tuple(where(a > b, 0.0, half), where(a < b, 0.0, half));
      },
      a, b);
}
Variable minimum(const Variable& x, double c) {
  return elementwise<Keep::inputs>(
      "minimum", [c](auto x) { return minimum(x, c); },
      [c](auto dy, auto x) { return where(x > c, 0.0, where(equals(x, c), dy * 0.5, dy)); }, x);
}
Variable minimum(double c, const Variable& x) { return minimum(x, c); }

namespace {

/// A constant that a gradient function holds on to.
struct Held {
  Variable value;
  std::uint32_t version;

  explicit Held(const Variable& x) : value(x), version(x.value().version()) {}
  const Variable& operator()() const {
    if (value.value().version() != version)
      fail("where", "the condition ", value.shape(), " was changed after it was recorded; call ",
           "backward before the change, or change a copy.");
    return value;
  }
};

/// The condition as a constant of that type, in which a small number would become 0.
Variable condition_of(const Variable& c, Type type) {
  return c.type() == type ? detach(c) : Variable(where(c, 1.0, 0.0).value().to(type));
}

/// where of integers, which have no gradient, and of which floats cannot hold all.
Variable where_of_integers(const Variable& condition, const Variable& a, const Variable& b) {
  Op op("where", condition, a, b);
  const Shape shape = broadcast_shapes(
      "where", op[0].shape(), broadcast_shapes("where", op[1].shape(), op[2].shape()));
  const Array mask = op[0].to(float64).broadcast_to(shape).copy(),
              chosen = op[1].broadcast_to(shape).copy();
  Array y = op[2].broadcast_to(shape).copy();
  const auto* c = mask.data<double>();
  const auto* from = chosen.data<std::int64_t>();
  auto* to = y.mutable_data<std::int64_t>();
  for (Size k = 0; k < y.size(); ++k)
    if (c[k] != 0) to[k] = from[k];
  return op.constant(std::move(y));
}

Variable integer(double number) {
  if (number != std::floor(number) || !(std::abs(number) <= 0x1p53))
    fail("where", "elements are int64, the number beside them is ", number,
         "; expected a whole one.");
  return full({}, number, int64);
}

}  // namespace

// y = a where c, else b: da = dy where c, db = dy where not c. Only c is kept.
Variable where(const Variable& c, const Variable& a, const Variable& b) {
  Op op("where", a, b);
  if (op[0].type() == int64 && op[1].type() == int64) return where_of_integers(c, a, b);
  Held condition(condition_of(c, op.type()));
  Array y = kernel::value_of("where", [](auto c, auto a, auto b) { return where(c, a, b); },
                             op.type(), condition().value(), op[0], op[1]);
  return op.record(std::move(y), [condition](Backward& g) {
    if (g.wants(0)) g.give(0, where(condition(), g.dy(), 0.0));
    if (g.wants(1)) g.give(1, where(condition(), 0.0, g.dy()));
  }, Keep::nothing);
}
Variable where(const Variable& c, const Variable& x, double other) {
  Op op("where", x);
  if (op[0].type() == int64) return where_of_integers(c, x, integer(other));
  op.may_show(other);
  Held condition(condition_of(c, op.type()));
  Array y = kernel::value_of("where", [other](auto c, auto x) { return where(c, x, other); },
                             op.type(), condition().value(), op[0]);
  return op.record(std::move(y), [condition](Backward& g) {
    g.give(0, where(condition(), g.dy(), 0.0));
  }, Keep::nothing);
}
Variable where(const Variable& c, double other, const Variable& x) {
  Op op("where", x);
  if (op[0].type() == int64) return where_of_integers(c, integer(other), x);
  op.may_show(other);
  Held condition(condition_of(c, op.type()));
  Array y = kernel::value_of("where", [other](auto c, auto x) { return where(c, other, x); },
                             op.type(), condition().value(), op[0]);
  return op.record(std::move(y), [condition](Backward& g) {
    g.give(0, where(condition(), 0.0, g.dy()));
  }, Keep::nothing);
}
Variable where(const Variable& c, double a, double b) {
  return compare("where", [a, b](auto c) { return where(not_equals(c, 0), a, b); }, c);
}

Variable masked_fill(const Variable& x, const Variable& mask, double value) {
  return where(mask, value, x);
}

// y = x in another type: dx = dy in x's.
Variable to(const Variable& x, Type type) {
  if (x.type() == type) return as_read("to", x);
  Op op("to", x);
  Array y = op[0].to(type);
  if (!is_float(type)) return op.constant(std::move(y));
  return op.record(std::move(y), [](Backward& b) { b.give(0, to(b.dy(), b.x_type())); },
                   Keep::nothing);
}

Variable stop_gradient(const Variable& x) { return detach(x); }

}  // namespace unroll
