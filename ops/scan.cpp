// Running sums and products along an axis. The gradient of a running product divides by nothing,
// so zeros do no harm.
#include <type_traits>

#include <unroll/ops/axes.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

/// f(T* y, const T* x, n) for each row of a new array like x.
template <class F>
Array map_rows(const Array& any, F&& f) {
  const Array x = any.contiguous();
  Array y = Array::uninitialised(x.shape(), x.type());
  const Size n = x.shape().back();
  dispatch(x.type(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    for (Size at = 0; at < x.size(); at += n) f(to + at, from + at, n);
  });
  return y;
}

Array running_sum(const Array& x, bool backwards) {
  return map_rows(x, [&]<class T>(T* to, const T* from, Size n) {
    std::conditional_t<std::is_same_v<T, float>, double, T> sum = 0;
    for (Size i = 0; i < n; ++i) {
      const Size at = backwards ? n - 1 - i : i;
      to[at] = static_cast<T>(sum += from[at]);
    }
  });
}

/// y_i = x_i + x_{i+1} + ..., or the running sum from the front; each the other's gradient.
Variable directed_sum(const Variable& x, bool backwards) {
  Op op("cumsum", x);
  return op.record(running_sum(op[0], backwards), [backwards](Backward& b) {
    b.give(0, directed_sum(b.dy(), !backwards));
  }, Keep::nothing);
}

/// dx_i = P_i S_i with P_i = x_0 ... x_{i-1} and S_i = dy_i + x_{i+1} S_{i+1}.
Array product_gradient(const Array& x, const Array& any_dy) {
  const Array dy = any_dy.contiguous();
  return map_rows(x, [up = dy.raw()]<class T>(T* to, const T* from, Size n) mutable {
    const T* dy = static_cast<const T*>(up);
    T product = 1, s = 0;
    for (Size i = 0; i < n; product *= from[i++]) to[i] = product;
    for (Size i = n; i-- > 0; s *= from[i]) to[i] *= s += dy[i];
    up = dy + n;
  });
}

/// The same in public ops: row i of (n, n) holds the running products without x_i, of which those
/// from i on count.
Variable recorded_product_gradient(const Variable& x, const Variable& dy) {
  Size n = x.size(-1);
  Shape shape = x.shape();
  shape.push_back(n);
  Variable without = where(Variable(eye(n, x.type())), 1.0, broadcast_to(expand(x, -2), shape));
  Variable counted = triu(cumprod(without, -1)) * expand(dy, -2);
  return sum(counted, {.axes = {-1}});
}

/// Along the last axis.
Variable running_product(const Variable& x) {
  Op op("cumprod", x);
  Array y = map_rows(op[0], []<class T>(T* to, const T* from, Size n) {
    T product = 1;
    for (Size i = 0; i < n; ++i) to[i] = product *= from[i];
  });
  return op.record(std::move(y), [](Backward& b) {
    if (b.create_graph()) b.give(0, recorded_product_gradient(b.x(), b.dy()));
    else b.give(0, product_gradient(b.x().value(), b.dy().value()));
  }, Keep::inputs);
}

}  // namespace

// dx_i = dy_i + dy_{i+1} + ...
Variable cumsum(const Variable& x, Size axis) {
  return along_last("cumsum", x, axis, [](const Variable& last) {
    return directed_sum(last, false);
  });
}

// dx_i = sum_{j >= i} dy_j prod_{k <= j, k != i} x_k
Variable cumprod(const Variable& x, Size axis) {
  return along_last("cumprod", x, axis, running_product);
}

}  // namespace unroll
