// Loops over elements and slices that int64 indices choose. Memory is walked in order wherever the
// indices allow it.
#include <unroll/ops/index_kernels.hpp>

#include <cstring>

#include <unroll/autograd/strided.hpp>

namespace unroll::kernel {

void check_index(std::string_view op, const Array& index, int axis, const Shape& x) {
  if (index.type() != int64)
    fail(op, "the index ", index.shape(), " is ", index.type(), "; expected int64.");
  Size n = x[axis];
  const Size* p = index.data<Size>();
  Rows<1> rows(index.shape(), {&index.strides()});
  rows.each([&](const auto& at, Size count, const auto& step) {
    for (Size i = 0; i < count; ++i) {
      Size value = p[at[0] + i * step[0]];
      if (value < 0 || value >= n)
        fail(op, "index ", value, " is outside axis ", axis, " of shape ", x, "; expected 0 to ",
             n - 1, ".");
    }
  });
}

namespace {

/// f(x's element, y's element) for each element of y, which is at the same place as that of index;
/// x's is at that place too, but along the axis where the index says.
template <class T, class X, class Y, class F>
void each_pair(X& x, int axis, const Array& index, Y& y, F f) {
  Shape strides = x.strides();
  Size step_x = strides[axis];
  strides[axis] = 0;
  Rows<3> rows(index.shape(), {&strides, &index.strides(), &y.strides()});
  auto* px = [&] {
    if constexpr (std::is_const_v<X>) return x.template data<T>();
    else return x.template mutable_data<T>();
  }();
  auto* py = [&] {
    if constexpr (std::is_const_v<Y>) return y.template data<T>();
    else return y.template mutable_data<T>();
  }();
  const Size* pi = index.data<Size>();
  rows.each([&](const auto& at, Size n, const auto& step) {
    for (Size i = 0; i < n; ++i)
      f(px[at[0] + i * step[0] + pi[at[1] + i * step[1]] * step_x], py[at[2] + i * step[2]]);
  });
}

/// Sizes of x before, along and after an axis.
struct Blocks {
  Size outer = 1, n = 1, inner = 1;
  Blocks(const Shape& x, int axis) : n(x[axis]) {
    for (int k = 0; k < axis; ++k) outer *= x[k];
    for (int k = axis + 1; k < x.rank(); ++k) inner *= x[k];
  }
};

/// x's shape with the axis replaced by one of size m.
Shape with_size(Shape shape, int axis, Size m) {
  shape[axis] = m;
  return shape;
}

}  // namespace

Array gather(const Array& x, int axis, const Array& index) {
  Array y = Array::uninitialised(index.shape(), x.type());
  dispatch(x.type(), [&]<class T>() {
    each_pair<T>(x, axis, index, y, [](const T& from, T& to) { to = from; });
  });
  return y;
}

void scatter_add(Array& target, int axis, const Array& index, const Array& source) {
  dispatch(target.type(), [&]<class T>() {
    each_pair<T>(target, axis, index, source, [](T& to, const T& from) { to += from; });
  });
}

Array take(const Array& x, int axis, const Array& index) {
  Array chosen = index.contiguous();
  const Size* at = chosen.data<Size>();
  Size m = chosen.size();
  Array y = Array::uninitialised(with_size(x.shape(), axis, m), x.type());
  if (x.is_contiguous()) {
    Blocks b(x.shape(), axis);
    auto* to = static_cast<std::byte*>(y.mutable_raw());
    auto* from = static_cast<const std::byte*>(x.raw());
    auto bytes = static_cast<std::size_t>(b.inner * bytes_of(x.type()));
    for (Size o = 0; o < b.outer && bytes > 0; ++o, from += static_cast<std::size_t>(b.n) * bytes)
      for (Size j = 0; j < m; ++j, to += bytes)
        std::memcpy(to, from + static_cast<std::size_t>(at[j]) * bytes, bytes);
  } else {
    for (Size j = 0; j < m; ++j) y.select(axis, j).assign(x.select(axis, at[j]));
  }
  Shape shape = x.shape();
  shape.erase(axis);
  for (int k = 0; k < index.rank(); ++k) shape.insert(axis + k, index.shape()[k]);
  return y.reshaped(shape);
}

void add_taken(Array& target, int axis, const Array& index, const Array& source, Size padding) {
  Array chosen = index.contiguous();
  const Size* at = chosen.data<Size>();
  Size m = chosen.size();
  Array rows = source.reshaped(with_size(target.shape(), axis, m));
  if (!target.is_contiguous()) {
    for (Size j = 0; j < m; ++j) {
      if (at[j] == padding) continue;
      Array slice = target.select(axis, at[j]);
      add_into(slice, rows.select(axis, j));
    }
    return;
  }
  Blocks b(target.shape(), axis);
  dispatch(target.type(), [&]<class T>() {
    T* to = target.mutable_data<T>();
    const T* from = rows.data<T>();
    for (Size o = 0; o < b.outer; ++o, to += b.n * b.inner)
      for (Size j = 0; j < m; ++j, from += b.inner) {
        if (at[j] == padding) continue;
        T* slice = to + at[j] * b.inner;
        for (Size i = 0; i < b.inner; ++i) slice[i] += from[i];
      }
  });
}

}  // namespace unroll::kernel
