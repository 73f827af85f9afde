// Sum, mean, product, variance and norm. Largest and smallest elements are in extrema.cpp, running
// sums and products in scan.cpp.
#include <unroll/ops/reduce.hpp>

#include <cmath>

#include <unroll/ops/axes.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

/// Sum of n neighbours: 16 lanes over short blocks whose totals are added in double, so that a
/// million float32 numbers lose no more than a thousand.
template <class T>
double sum_of(const T* x, Size n) {
  constexpr Size kLanes = 16, kBlock = 512;
  double total = 0;
  for (Size start = 0; start < n; start += kBlock) {
    Size stop = std::min(n, start + kBlock), i = start;
    T lanes[kLanes] = {};
    for (; i + kLanes <= stop; i += kLanes)
      for (Size k = 0; k < kLanes; ++k) lanes[k] += x[i + k];
    double block = 0;
    for (T lane : lanes) block += static_cast<double>(lane);
    for (; i < stop; ++i) block += static_cast<double>(x[i]);
    total += block;
  }
  return total;
}

/// Sum over the axes, which stay with size 1, times a factor.
Array sum_over(const Array& x, const Axes& axes, double factor = 1) {
  Array y;
  if (is_float(x.type()) && axes.trailing() && x.is_contiguous()) {
    y = Array::uninitialised(axes.kept(), x.type());
    dispatch_float("sum", x.type(), [&]<class T>() {
      const T* from = x.data<T>();
      T* to = y.mutable_data<T>();
      Size n = axes.count(), rows = y.size();
      for (Size row = 0; row < rows; ++row)
        to[row] = static_cast<T>(sum_of(from + row * n, n) * factor);
    });
    return y;
  }
  y = kernel::sum_to(x, axes.kept());
  if (factor != 1)
    dispatch_float("mean", y.type(), [&]<class T>() {
      T* to = y.mutable_data<T>();
      for (Size i = 0, n = y.size(); i < n; ++i) to[i] *= static_cast<T>(factor);
    });
  return y;
}

}  // namespace

// dx = dy along the axes
Variable sum(const Variable& x, const Reduce& options) {
  Op op("sum", x);
  Axes axes("sum", options.axes, op[0].shape());
  Array y = sum_over(op[0], axes).reshaped(axes.result(options.keepdims));
  return op.record(std::move(y), [kept = axes.kept()](Backward& b) {
    b.give(0, broadcast_to(reshape(b.dy(), kept), b.x_shape()));
  }, Keep::nothing);
}

// dx = dy / n along the axes
Variable mean(const Variable& x, const Reduce& options) {
  Op op("mean", x);
  op.require(is_float(op[0].type()), "elements are int64; expected float32 or float64.");
  Axes axes("mean", options.axes, op[0].shape());
  axes.require_elements();
  double factor = 1 / static_cast<double>(axes.count());
  Array y = sum_over(op[0], axes, factor).reshaped(axes.result(options.keepdims));
  return op.record(std::move(y), [kept = axes.kept(), factor](Backward& b) {
    b.give(0, broadcast_to(reshape(b.dy() * factor, kept), b.x_shape()));
  }, Keep::nothing);
}

namespace {

/// What the gradient of a product over the last axis is: dx_i = dy prod_{j != i} x_j, from the
/// products before and after i, so that no zero is divided by.
void add_product_gradient(const Backward::Target& t, const Array& x_any, const Array& dy_any) {
  Array x = x_any.contiguous(), dy = dy_any.contiguous();
  Array dx = Array::uninitialised(x.shape(), x.type());
  dispatch_float("prod", x.type(), [&]<class T>() {
    const T *from = x.data<T>(), *up = dy.data<T>();
    T* to = dx.mutable_data<T>();
    Size n = x.shape().back();
    for (Size row = 0, rows = dy.size(); row < rows; ++row, from += n, to += n) {
      T before = up[row], after = 1;
      for (Size i = 0; i < n; before *= from[i++]) to[i] = before;
      for (Size i = n; i-- > 0; after *= from[i]) to[i] *= after;
    }
  });
  if (t.accumulate) kernel::add_into(t.array, dx);
  else t.array.assign(dx);
}

/// x (..., n) as (..., n, n), row i with a 1 in place of x_i.
Variable with_one_left_out(const Variable& x) {
  Size n = x.size(-1);
  Shape square_shape = x.shape();
  square_shape.push_back(n);
  return where(Variable(eye(n, x.type())), 1.0, broadcast_to(expand(x, -2), square_shape));
}

/// Product over the last axis.
Variable product_of_rows(const Variable& x) {
  Op op("prod", x);
  Array from = op[0].contiguous();
  Shape shape = from.shape();
  shape.erase(shape.rank() - 1);
  Array y = Array::uninitialised(shape, from.type());
  dispatch_float("prod", from.type(), [&]<class T>() {
    const T* p = from.data<T>();
    T* to = y.mutable_data<T>();
    Size n = from.shape().back();
    for (Size row = 0, rows = y.size(); row < rows; ++row, p += n) {
      T product = 1;
      for (Size i = 0; i < n; ++i) product *= p[i];
      to[row] = product;
    }
  });
  return op.record(std::move(y), [](Backward& b) {
    if (b.create_graph()) b.give(0, expand(b.dy(), -1) * product_of_rows(with_one_left_out(b.x())));
    else add_product_gradient(b.target(0), b.x().value(), b.dy().value());
  }, Keep::inputs);
}

/// sqrt(x) whose gradient is 0 where x is 0: dx = dy / (2 y).
Variable root(const char* name, const Variable& x) {
  Op op(name, x);
  return op.record(no_grad([&] { return sqrt(op.input(0)).value(); }), [](Backward& b) {
    Variable zero = equals(b.y(), 0.0);
    b.give(0, where(zero, 0.0, b.dy() * 0.5 / where(zero, 1.0, b.y())));
  }, Keep::results);
}

}  // namespace

Variable prod(const Variable& x, const Reduce& options) {
  Axes axes("prod", options.axes, x.shape());
  return reshape(product_of_rows(axes.merged_last(x)), axes.result(options.keepdims));
}

Variable variance(const Variable& x, const VarianceOptions& options) {
  Axes axes("variance", options.axes, x.shape());
  double n = static_cast<double>(axes.count()) - options.correction;
  if (!(n > 0))
    fail("variance", axes.count(), " elements along the axes of shape ", x.shape(),
         " with correction ", options.correction, "; expected more elements.");
  Variable deviation = x - mean(x, {.axes = options.axes, .keepdims = true});
  return sum(square(deviation), {.axes = options.axes, .keepdims = options.keepdims}) * (1 / n);
}

Variable standard_deviation(const Variable& x, const VarianceOptions& options) {
  return root("standard_deviation", variance(x, options));
}

Variable norm(const Variable& x, const NormOptions& options) {
  Reduce reduce{.axes = options.axes, .keepdims = options.keepdims};
  if (!(options.p > 0)) fail("norm", "p is ", options.p, "; expected more than 0.");
  if (std::isinf(options.p)) return amax(abs(x), reduce);
  if (options.p == 1) return sum(abs(x), reduce);
  if (options.p == 2) return root("norm", sum(square(x), reduce));
  Variable s = sum(pow(abs(x), options.p), reduce);
  Variable zero = equals(s, 0.0);
  return where(zero, 0.0, pow(where(zero, 1.0, s), 1 / options.p));
}

}  // namespace unroll
