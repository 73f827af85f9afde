// softmax, log_softmax and logsumexp: kernels for the last axis, to which the others are moved.
// Their gradients exist twice: as one pass over memory, and in public ops for higher orders.
#include <unroll/ops/softmax.hpp>

#include <unroll/ops/axes.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/row_kernels.hpp>

namespace unroll {

namespace {

using kernel::Lanes;
using kernel::load;

Size row_count(const Shape& shape) {
  Size n = shape.back();
  return n ? shape.count() / n : 0;
}

/// row(T* y, const T* x, n) for each row of x.
template <class F>
Array map_rows(const char* name, const Array& input, F&& row) {
  Array x = input.contiguous(), y = Array::uninitialised(x.shape(), x.type());
  dispatch_float(name, x.type(), [&]<class T>() {
    Size n = x.shape().back(), rows = row_count(x.shape());
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    for (Size r = 0; r < rows; ++r) row(to + r * n, from + r * n, n);
  });
  return y;
}

/// row(T* dx, const T* dy, const T* y, n, accumulate) for each row of the gradient.
template <class F>
void gradient_rows(Backward& b, F&& row) {
  Array dy = b.dy().value().contiguous(), y = b.y().value();
  dispatch_float("softmax", y.type(), [&]<class T>() {
    kernel::into_target<T>(b, 0, [&](T* dx, bool accumulate) {
      Size n = y.shape().back(), rows = row_count(y.shape());
      const T *from = dy.data<T>(), *values = y.data<T>();
      for (Size r = 0; r < rows; ++r)
        row(dx + r * n, from + r * n, values + r * n, n, accumulate);
    });
  });
}

// dx = y (dy - sum(dy y))
void softmax_gradient(Backward& b) {
  if (b.create_graph()) {
    const Variable& y = b.y();
    Variable dy = b.dy();
    return b.give(0, y * (dy - sum(dy * y, {.axes = {-1}, .keepdims = true})));
  }
  gradient_rows(b, []<class T>(T* dx, const T* dy, const T* y, Size n, bool accumulate) {
    T dot = kernel::sum_lanes<T>(
        n, [&](Size i, Size m) { return load(dy + i, m, T(0)) * load(y + i, m, T(0)); });
    kernel::write_lanes(dx, n, accumulate, [&](Size i, Size m) {
      return load(y + i, m, T(0)) * (load(dy + i, m, T(0)) - dot);
    });
  });
}

// dx = dy - exp(y) sum(dy)
void log_softmax_gradient(Backward& b) {
  if (b.create_graph()) {
    Variable dy = b.dy();
    return b.give(0, dy - exp(b.y()) * sum(dy, {.axes = {-1}, .keepdims = true}));
  }
  gradient_rows(b, []<class T>(T* dx, const T* dy, const T* y, Size n, bool accumulate) {
    T total = kernel::sum_lanes<T>(n, [&](Size i, Size m) { return load(dy + i, m, T(0)); });
    kernel::write_lanes(dx, n, accumulate, [&](Size i, Size m) {
      return load(dy + i, m, T(0)) - xsimd::exp(load(y + i, m, T(0))) * total;
    });
  });
}

// dx = dy exp(x - y), and 0 where y is -inf
void logsumexp_gradient(Backward& b) {
  Variable dy = b.dy(), y = b.y();
  if (b.create_graph()) {
    Variable finite = masked_fill(y, equals(y, -kernel::kInfinity<double>), 0);
    return b.give(0, expand(dy, -1) * exp(b.x() - expand(finite, -1)));
  }
  Array x = b.x().value().contiguous(), dys = dy.value().contiguous();
  dispatch_float("logsumexp", x.type(), [&]<class T>() {
    kernel::into_target<T>(b, 0, [&](T* dx, bool accumulate) {
      Size n = x.shape().back(), rows = row_count(x.shape());
      for (Size r = 0; r < rows; ++r) {
        T shift = y.value().data<T>()[r], scale = dys.data<T>()[r];
        if (shift == -kernel::kInfinity<T>) shift = 0;
        const T* row = x.data<T>() + r * n;
        kernel::write_lanes(dx + r * n, n, accumulate, [&](Size i, Size m) {
          return scale * xsimd::exp(load(row + i, m, T(0)) - shift);
        });
      }
    });
  });
}

/// Over the last axis, which disappears.
Variable logsumexp_last(const Variable& x) {
  Op op("logsumexp", x);
  Array a = op[0].contiguous();
  Shape shape = a.shape();
  shape.erase(shape.rank() - 1);
  Array y = Array::uninitialised(shape, a.type());
  dispatch_float("logsumexp", a.type(), [&]<class T>() {
    Size n = a.shape().back();
    const T* from = a.data<T>();
    T* to = y.mutable_data<T>();
    for (Size r = 0; r < y.size(); ++r) to[r] = kernel::log_sum_exp(from + r * n, n);
  });
  return op.record(std::move(y), &logsumexp_gradient);
}

}  // namespace

Variable softmax(const Variable& x, Size axis) {
  return along_last("softmax", x, axis, [](const Variable& last) {
    Op op("softmax", last);
    Array y = map_rows("softmax", op[0], []<class T>(T* y, const T* x, Size n) {
      T shift = kernel::max_of(x, n);
      T total = kernel::sum_lanes<T>(n, [&](Size i, Size m) {
        Lanes<T> e = xsimd::exp(load(x + i, m, -kernel::kInfinity<T>) - shift);
        kernel::store(y + i, m, e);
        return e;
      });
      for (Size i = 0; i < n; ++i) y[i] /= total;
    });
    return op.record(std::move(y), &softmax_gradient, Keep::results);
  });
}

Variable log_softmax(const Variable& x, Size axis) {
  return along_last("log_softmax", x, axis, [](const Variable& last) {
    Op op("log_softmax", last);
    Array y = map_rows("log_softmax", op[0], []<class T>(T* y, const T* x, Size n) {
      T shift = kernel::max_of(x, n);
      T log_total = std::log(kernel::sum_exp(x, n, shift));
      for (Size i = 0; i < n; ++i) y[i] = x[i] - shift - log_total;
    });
    return op.record(std::move(y), &log_softmax_gradient, Keep::results);
  });
}

Variable logsumexp(const Variable& x, const Reduce& options) {
  Axes axes("logsumexp", options.axes, x.shape());
  return reshape(logsumexp_last(axes.merged_last(x)), axes.result(options.keepdims));
}

}  // namespace unroll
