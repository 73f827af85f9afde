// The few kernels that the engine itself needs: copying, adding and summing strided arrays.
#include <unroll/autograd/strided.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace unroll::kernel {

namespace {

// Sum of a row with eight partial sums, which vectorises and loses less than one.
template <class T>
T sum_row(const T* x, Size n, Size step) {
  T partial[8] = {};
  Size i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; ++k) partial[k] += x[(i + k) * step];
  T sum = 0;
  for (; i < n; ++i) sum += x[i * step];
  for (T p : partial) sum += p;
  return sum;
}

template <class T>
void add_row(T* y, Size sy, const T* x, Size sx, Size n) {
  if (sy == 1 && sx == 1) {
    for (Size i = 0; i < n; ++i) y[i] += x[i];
  } else if (sy == 0) {
    *y += sx == 1 ? sum_row(x, n, 1) : sum_row(x, n, sx);
  } else {
    for (Size i = 0; i < n; ++i) y[i * sy] += x[i * sx];
  }
}

/// Where neighbours of x lie far apart in y along the last axis, but not along another one: calls
/// f(y's offset, x's, rows, y's step between them, columns, x's step between those) for planes of
/// these two axes, in which x's rows and y's columns are neighbours. False if it is not so.
template <class F>
bool each_plane(const Shape& shape, const Shape& y, const Shape& x, F&& f) {
  const int last = shape.rank() - 1;
  int axis = 0;
  while (axis < last && !(x[axis] == 1 && shape[axis] > 1)) ++axis;
  if (axis >= last || y[last] != 1 || x[last] <= 1 || shape[last] == 1) return false;
  Shape others = shape;
  others[axis] = others[last] = 1;
  Rows<2>(others, {&y, &x}).each([&](const auto& at, Size n, const auto& step) {
    for (Size i = 0; i < n; ++i)
      f(at[0] + i * step[0], at[1] + i * step[1], shape[axis], y[axis], shape[last], x[last]);
  });
  return true;
}

/// target += source, in order; both broadcast to the shape.
void add_in_order(Array& target, const Array& source, const Shape& shape) {
  if (source.shape() == shape && target.shape() == shape && source.is_contiguous() &&
      target.is_contiguous())
    return dispatch(target.type(), [&]<class T>() {
      add_row(target.mutable_data<T>(), 1, source.data<T>(), 1, shape.count());
    });
  Array t = target.broadcast_to(shape), s = source.broadcast_to(shape);
  dispatch(target.type(), [&]<class T>() {
    T* y = target.mutable_data<T>();
    const T* x = source.data<T>();
    auto plane = [&](Size to, Size from, Size rows, Size y_step, Size columns, Size x_step) {
      transpose(y + to, y_step, x + from, x_step, rows, columns, [](T& a, T b) { a += b; });
    };
    if (each_plane(shape, t.strides(), s.strides(), plane)) return;
    Rows<2> rows(shape, {&t.strides(), &s.strides()});
    rows.each([&](const auto& at, Size n, const auto& step) {
      add_row(y + at[0], step[0], x + at[1], step[1], n);
    });
  });
}

/// So many numbers are added one by one; more would drown the small ones in the sum of the others.
constexpr Size kMostInOrder = 128;

/// Sums by halves along the axes that the target lacks, which are those of its stride 0.
template <class T>
struct Halves {
  const Shape &target_steps, &steps;
  Size count;  ///< elements of the target

  /// y += x of that shape, whose numbers come `times` to each of y; `spare` has room for a y at
  /// each level of halving.
  void add(T* y, const T* x, Shape& shape, Size times, T* spare) const {
    if (times <= kMostInOrder) {
      Rows<2> rows(shape, {&target_steps, &steps});
      return rows.each([&](const auto& at, Size n, const auto& step) {
        add_row(y + at[0], step[0], x + at[1], step[1], n);
      });
    }
    int axis = 0;
    while (target_steps[axis] != 0 || shape[axis] == 1) ++axis;
    Size size = shape[axis], half = size / 2;
    shape[axis] = half;
    add(y, x, shape, times / size * half, spare);
    shape[axis] = size - half;
    std::fill_n(spare, count, T(0));
    add(spare, x + half * steps[axis], shape, times / size * (size - half), spare + count);
    shape[axis] = size;
    for (Size i = 0; i < count; ++i) y[i] += spare[i];
  }
};

/// target += sum of source, which has that shape, where each number of target sums many.
void add_in_halves(Array& target, const Array& source, Shape shape) {
  Size levels = 0;
  for (Size size : shape)
    for (; size > 1; size -= size / 2) ++levels;
  Array sum(target.shape(), target.type());
  Array spare = Array::uninitialised({levels * target.size()}, target.type());
  Array t = sum.broadcast_to(shape), s = source.broadcast_to(shape);
  dispatch(target.type(), [&]<class T>() {
    Halves<T>{t.strides(), s.strides(), target.size()}.add(
        sum.mutable_data<T>(), s.data<T>(), shape, shape.count() / target.size(),
        spare.mutable_data<T>());
  });
  add_in_order(target, sum, target.shape());
}

}  // namespace

void add_into(Array& target, const Array& source) {
  bool widening = source.shape() == target.shape() || source.rank() < target.rank();
  Shape shape = widening ? target.shape()
                         : broadcast_shapes("add_into", target.shape(), source.shape());
  if (shape.count() <= kMostInOrder * target.size()) add_in_order(target, source, shape);
  else add_in_halves(target, source, shape);
}

void copy_into(Array& target, const Array& source) {
  const bool same = source.shape() == target.shape();
  if (same && source.type() == target.type() && source.is_contiguous() && target.is_contiguous()) {
    if (const Size bytes = target.size() * bytes_of(target.type()))
      std::memmove(target.mutable_raw(), source.raw(), static_cast<std::size_t>(bytes));
    return;
  }
  const Shape broadcast = same ? Shape() : source.broadcast_to(target.shape()).strides();
  const Shape& strides = same ? source.strides() : broadcast;
  dispatch(target.type(), [&]<class To>() {
    dispatch(source.type(), [&]<class From>() {
      To* y = target.mutable_data<To>();
      const From* x = source.data<From>();
      auto plane = [&](Size to, Size from, Size rows, Size y_step, Size columns, Size x_step) {
        transpose(y + to, y_step, x + from, x_step, rows, columns,
                  [](To& a, From b) { a = static_cast<To>(b); });
      };
      if (each_plane(target.shape(), target.strides(), strides, plane)) return;
      Rows<2> rows(target.shape(), {&target.strides(), &strides});
      rows.each([&](const auto& at, Size n, const auto& step) {
        To* to = y + at[0];
        const From* from = x + at[1];
        if (step[0] == 1 && step[1] == 1) {
          for (Size i = 0; i < n; ++i) to[i] = static_cast<To>(from[i]);
        } else if (step[0] == 1 && step[1] == 0) {
          std::fill_n(to, n, static_cast<To>(*from));
        } else {
          for (Size i = 0; i < n; ++i) to[i * step[0]] = static_cast<To>(from[i * step[1]]);
        }
      });
    });
  });
}

Array sum_to(const Array& source, const Shape& shape) {
  if (source.shape() == shape) return source;
  Array sum(shape, source.type());
  add_into(sum, source);
  return sum;
}

Array add(const Array& a, const Array& b) {
  if (a.type() != b.type())
    fail("add", "elements are ", a.type(), " ", a.shape(), " and ", b.type(), " ", b.shape(),
         "; expected one element type, convert one side with to().");
  Shape shape = broadcast_shapes("add", a.shape(), b.shape());
  Array y = Array::uninitialised(shape, a.type());
  Array x = a.broadcast_to(shape), z = b.broadcast_to(shape);
  Rows<3> rows(shape, {&y.strides(), &x.strides(), &z.strides()});
  dispatch(a.type(), [&]<class T>() {
    T* out = y.mutable_data<T>();
    const T *p = a.data<T>(), *q = b.data<T>();
    rows.each([&](const auto& at, Size n, const auto& step) {
      T* o = out + at[0];
      const T *u = p + at[1], *v = q + at[2];
      if (step[1] == 1 && step[2] == 1) {
        for (Size i = 0; i < n; ++i) o[i] = u[i] + v[i];
      } else if (step[1] == 1 && step[2] == 0) {
        T c = *v;
        for (Size i = 0; i < n; ++i) o[i] = u[i] + c;
      } else {
        for (Size i = 0; i < n; ++i) o[i * step[0]] = u[i * step[1]] + v[i * step[2]];
      }
    });
  });
  return y;
}

namespace {

/// True if f(x) holds for all elements, which are floats.
template <class F>
bool all_of(const Array& a, const F& f) {
  if (a.type() == int64) return true;
  Rows<1> rows(a.shape(), {&a.strides()});
  return dispatch_float("all_of", a.type(), [&]<class T>() {
    const T* x = a.data<T>();
    bool all = true;
    rows.each([&](const auto& at, Size n, const auto& step) {
      for (Size i = 0; i < n; ++i) all &= f(x[at[0] + i * step[0]]);
    });
    return all;
  });
}

}  // namespace

bool all_finite(const Array& a) {
  return all_of(a, [](auto x) { return std::isfinite(x); });
}

bool has_nan(const Array& a) {
  return !all_of(a, [](auto x) { return !std::isnan(x); });
}

}  // namespace unroll::kernel
