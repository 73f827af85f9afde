// Running sums and products along an axis. The gradient of a running product divides by nothing,
// so zeros do no harm.
#include <type_traits>

#include <unroll/ops/axes.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

/// For each lane along an axis of a new contiguous array like x: lane(x's, y's, n, step), both
/// with that step between elements.
template <class F>
Array each_lane(const Array& any, int axis, F&& lane) {
  Array x = any.contiguous(), y = Array::uninitialised(x.shape(), x.type());
  Size n = x.shape()[axis], inner = 1;
  for (int k = axis + 1; k < x.rank(); ++k) inner *= x.shape()[k];
  if (x.size() == 0) return y;
  dispatch(x.type(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    for (Size start = 0, size = x.size(); start < size; start += n * inner)
      for (Size j = start; j < start + inner; ++j) lane(from + j, to + j, n, inner);
  });
  return y;
}

Array running_sum(const Array& x, int axis, bool backwards) {
  return each_lane(x, axis, [&]<class T>(const T* from, T* to, Size n, Size step) {
    std::conditional_t<std::is_same_v<T, float>, double, T> sum = 0;
    for (Size i = 0; i < n; ++i) {
      Size at = (backwards ? n - 1 - i : i) * step;
      to[at] = static_cast<T>(sum += from[at]);
    }
  });
}

/// y_i = x_i + x_{i+1} + ..., or the running sum from the front; each the other's gradient.
Variable directed_sum(const char* name, const Variable& x, int axis, bool backwards) {
  Op op(name, x);
  return op.record(running_sum(op[0], axis, backwards), [=](Backward& b) {
    b.give(0, directed_sum(name, b.dy(), axis, !backwards));
  }, Keep::nothing);
}

/// dx_i = P_i S_i with P_i = x_0 ... x_{i-1} and S_i = dy_i + x_{i+1} S_{i+1}.
Array product_gradient(const Array& any, const Array& any_dy, int axis) {
  Array x = any.contiguous(), dy = any_dy.contiguous();
  Array before = each_lane(x, axis, []<class T>(const T* from, T* to, Size n, Size step) {
    T product = 1;
    for (Size i = 0; i < n; ++i) {
      to[i * step] = product;
      product *= from[i * step];
    }
  });
  return each_lane(dy, axis, [&]<class T>(const T* up, T* to, Size n, Size step) {
    Size lane = up - dy.data<T>();
    const T *p = before.data<T>() + lane, *v = x.data<T>() + lane;
    T s = 0;
    for (Size i = n; i-- > 0;) {
      s = up[i * step] + (i + 1 < n ? v[(i + 1) * step] * s : T(0));
      to[i * step] = p[i * step] * s;
    }
  });
}

/// The same in public ops, for an x whose lanes are its last axis: row i of (n, n) holds the
/// running products without x_i, of which those from i on count.
Variable recorded_product_gradient(const Variable& x, const Variable& dy) {
  Size n = x.size(-1);
  Shape shape = x.shape();
  shape.push_back(n);
  Variable without = where(Variable(eye(n, x.type())), 1.0, broadcast_to(expand(x, -2), shape));
  Variable counted = triu(cumprod(without, -1)) * expand(dy, -2);
  return sum(counted, {.axes = {-1}});
}

}  // namespace

// dx_i = dy_i + dy_{i+1} + ...
Variable cumsum(const Variable& x, Size axis) {
  return directed_sum("cumsum", x, checked_axis("cumsum", axis, x.shape()), false);
}

// dx_i = sum_{j >= i} dy_j prod_{k <= j, k != i} x_k
Variable cumprod(const Variable& x, Size axis) {
  Op op("cumprod", x);
  int a = op.axis(axis);
  Array y = each_lane(op[0], a, []<class T>(const T* from, T* to, Size n, Size step) {
    T product = 1;
    for (Size i = 0; i < n; ++i) to[i * step] = product *= from[i * step];
  });
  return op.record(std::move(y), [a](Backward& b) {
    if (!b.create_graph())
      return b.give(0, product_gradient(b.x().value(), b.dy().value(), a));
    const std::vector<Size> order = exchanged_with_last(b.x_shape().rank(), a);
    Variable dx = recorded_product_gradient(permute(b.x(), order), permute(b.dy(), order));
    b.give(0, permute(dx, order));
  }, Keep::inputs);
}

}  // namespace unroll
