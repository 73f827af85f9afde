// A handful of plain ops with gradients of any order, so that the engine is tested without ops/.
// Their loops are as simple as can be; none is meant to be fast.
#pragma once

#include <cmath>

#include <unroll/autograd/op.hpp>
#include <unroll/autograd/strided.hpp>

namespace small {

using namespace unroll;

/// f of each element, or of each pair of elements of arrays that broadcast.
template <class F>
Array map(const Array& a, F f) {
  return dispatch_float("map", a.type(), [&]<class T>() {
    std::vector<T> x = a.to_vector<T>();
    for (T& v : x) v = static_cast<T>(f(static_cast<double>(v)));
    return values(std::span<const T>(x), a.shape());
  });
}
template <class F>
Array map(const Array& a, const Array& b, F f) {
  Shape shape = broadcast_shapes("map", a.shape(), b.shape());
  return dispatch_float("map", a.type(), [&]<class T>() {
    std::vector<T> x = a.broadcast_to(shape).to_vector<T>(), y = b.broadcast_to(shape).to_vector<T>();
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<T>(f(static_cast<double>(x[i]), static_cast<double>(y[i])));
    return values(std::span<const T>(x), shape);
  });
}

inline Variable mul(const Variable& a, const Variable& b) {
  Op op("mul", a, b);
  return op.record(map(op[0], op[1], [](double x, double y) { return x * y; }), [](Backward& g) {
    g.give(0, mul(g.dy(), g.x(1)));
    g.give(1, mul(g.dy(), g.x(0)));
  }, Keep::inputs);
}
inline Variable scale(const Variable& a, double by) {
  Op op("scale", a);
  return op.record(map(op[0], [by](double x) { return x * by; }),
                   [by](Backward& g) { g.give(0, scale(g.dy(), by)); }, Keep::nothing);
}
inline Variable sub(const Variable& a, const Variable& b) { return add(a, scale(b, -1)); }
inline Variable square(const Variable& a) { return mul(a, a); }

inline Variable tanh(const Variable& a) {
  Op op("tanh", a);
  return op.record(map(op[0], [](double x) { return std::tanh(x); }), [](Backward& g) {
    g.give(0, sub(g.dy(), mul(g.dy(), square(g.y()))));
  }, Keep::results);
}
inline Variable exp(const Variable& a) {
  Op op("exp", a);
  return op.record(map(op[0], [](double x) { return std::exp(x); }),
                   [](Backward& g) { g.give(0, mul(g.dy(), g.y())); }, Keep::results);
}
inline Variable reciprocal(const Variable& a) {
  Op op("reciprocal", a);
  return op.record(map(op[0], [](double x) { return 1 / x; }), [](Backward& g) {
    g.give(0, scale(mul(g.dy(), square(g.y())), -1));
  }, Keep::results);
}
inline Variable log(const Variable& a) {
  Op op("log", a);
  return op.record(map(op[0], [](double x) { return std::log(x); }),
                   [](Backward& g) { g.give(0, mul(g.dy(), reciprocal(g.x()))); }, Keep::inputs);
}
inline Variable relu(const Variable& a) {
  Op op("relu", a);
  return op.record(map(op[0], [](double x) { return x > 0 ? x : 0; }), [](Backward& g) {
    g.give(0, mul(g.dy(), Variable(map(g.x().value(), [](double x) { return x > 0 ? 1. : 0.; }))));
  }, Keep::inputs);
}
inline Variable sum(const Variable& a) { return sum_to(a, {}); }
inline Variable mean(const Variable& a) { return scale(sum(a), 1.0 / static_cast<double>(a.size())); }

inline Variable transpose(const Variable& a) {
  return view("transpose", a, [](const Array& x) { return x.transposed(); });
}
inline Variable slice(const Variable& a, Size axis, Size start, Size stop, Size step = 1) {
  return view("slice", a, [=](const Array& x) { return x.sliced(axis, start, stop, step); });
}

/// (m, k) x (k, n)
inline Variable matmul(const Variable& a, const Variable& b) {
  Op op("matmul", a, b);
  op.require(op[0].rank() == 2 && op[1].rank() == 2 && op[0].size(1) == op[1].size(0),
             "inner sizes differ: ", op[0].shape(), " x ", op[1].shape(), ".");
  Size m = op[0].size(0), k = op[0].size(1), n = op[1].size(1);
  Array y({m, n}, op.type());
  dispatch_float("matmul", op.type(), [&]<class T>() {
    std::vector<T> p = op[0].to_vector<T>(), q = op[1].to_vector<T>();
    T* out = y.mutable_data<T>();
    for (Size i = 0; i < m; ++i)
      for (Size j = 0; j < n; ++j)
        for (Size l = 0; l < k; ++l)
          out[i * n + j] += p[std::size_t(i * k + l)] * q[std::size_t(l * n + j)];
  });
  return op.record(std::move(y), [](Backward& g) {
    g.give(0, matmul(g.dy(), transpose(g.x(1))));
    g.give(1, matmul(transpose(g.x(0)), g.dy()));
  }, Keep::inputs);
}

/// (sin x, cos x): an op of two results.
inline std::vector<Variable> sin_cos(const Variable& a) {
  Op op("sin_cos", a);
  std::vector<Array> ys{map(op[0], [](double x) { return std::sin(x); }),
                        map(op[0], [](double x) { return std::cos(x); })};
  return op.record(std::move(ys), [](Backward& g) {
    g.give(0, sub(mul(g.dy(0), g.y(1)), mul(g.dy(1), g.y(0))));
  }, Keep::results);
}

}  // namespace small
