// Loops over strided operands of one shape, with neighbouring axes merged; for kernels only.
// What happens to the elements of a row is the caller's.
#pragma once

#include <array>
#include <type_traits>

#include <unroll/autograd/array.hpp>

namespace unroll {

/// Calls f.template operator()<T>() for the C++ type of `type`.
template <class F>
decltype(auto) dispatch(Type type, F&& f) {
  if (type == float32) return f.template operator()<float>();
  if (type == float64) return f.template operator()<double>();
  return f.template operator()<Size>();
}
/// The same for float32 and float64 only; throws Error naming op for int64.
template <class F>
decltype(auto) dispatch_float(std::string_view op, Type type, F&& f) {
  if (type == int64) fail(op, "elements are int64; expected float32 or float64.");
  return type == float32 ? f.template operator()<float>() : f.template operator()<double>();
}

/// Rows of N operands: `for each outer index: row(offsets[N], n, steps[N])`, where operand k's
/// elements of the row lie at offsets[k] + i * steps[k]. Axes that all operands walk in one
/// stride are merged, axes of size 1 dropped. Nothing is called for empty shapes.
template <int N>
class Rows {
 public:
  Rows(const Shape& shape, const std::array<const Shape*, N>& strides)
      : sizes_(shape.empty() ? Shape{1} : shape) {
    // The merged axes are written over the given ones, which lie no further in front.
    for (int k = 0; k < N; ++k) steps_[k] = shape.empty() ? Shape{0} : *strides[k];
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const Size size = shape[axis];
      if (size == 1) continue;
      bool merged = rank_ > 0;
      for (int k = 0; k < N && merged; ++k)
        merged = steps_[k][rank_ - 1] == (*strides[k])[axis] * size;
      sizes_[merged ? rank_ - 1 : rank_] = merged ? sizes_[rank_ - 1] * size : size;
      if (!merged) ++rank_;
      for (int k = 0; k < N; ++k) steps_[k][rank_ - 1] = (*strides[k])[axis];
    }
    if (rank_ == 0) {
      sizes_[0] = rank_ = 1;
      for (int k = 0; k < N; ++k) steps_[k][0] = 0;
    }
  }

  Size row_length() const { return sizes_[rank_ - 1]; }
  /// Number of rows.
  Size count() const {
    Size n = row_length() ? 1 : 0;
    for (int axis = 0; axis < rank_ - 1; ++axis) n *= sizes_[axis];
    return n;
  }
  Size step(int k) const { return steps_[k][rank_ - 1]; }

  template <class F>
  void each(F&& row) const {
    if (count() == 0) return;
    std::array<Size, N> offsets{}, steps;
    for (int k = 0; k < N; ++k) steps[k] = step(k);
    if (rank_ == 1) return row(offsets, row_length(), steps);
    Shape index = sizes_;
    for (Size& i : index) i = 0;
    for (;;) {
      row(offsets, row_length(), steps);
      int axis = rank_ - 2;
      for (; axis >= 0; --axis) {
        for (int k = 0; k < N; ++k) offsets[k] += steps_[k][axis];
        if (++index[axis] < sizes_[axis]) break;
        for (int k = 0; k < N; ++k) offsets[k] -= steps_[k][axis] * sizes_[axis];
        index[axis] = 0;
      }
      if (axis < 0) return;
    }
  }

 private:
  int rank_ = 0;  // of the merged axes; what lies behind them has no meaning
  Shape sizes_;
  std::array<Shape, N> steps_;
};

namespace kernel {

/// put(y[i * y_step + j], x[i + j * x_step]) for i < rows, j < columns, in strips whose lines stay
/// in the cache.
template <class To, class From, class Put>
void transpose(To* y, Size y_step, const From* x, Size x_step, Size rows, Size columns, Put&& put) {
  constexpr Size kStrip = 64 / sizeof(To);  // a line of y
  auto strip = [&](Size j, auto n) {
    for (Size i = 0; i < rows; ++i)
      for (Size k = 0; k < n; ++k) put(y[i * y_step + j + k], x[i + (j + k) * x_step]);
  };
  Size j = 0;
  for (; j + kStrip <= columns; j += kStrip) strip(j, std::integral_constant<Size, kStrip>());
  if (j < columns) strip(j, columns - j);
}

/// target += source, both of one type; source broadcasts to target's shape, or target to source's
/// (then the source is summed over the broadcast axes).
void add_into(Array& target, const Array& source);
/// target = source, converted; source broadcasts.
void copy_into(Array& target, const Array& source);
/// Sum over broadcast axes so that the result has that shape.
Array sum_to(const Array& source, const Shape& shape);
/// a + b with broadcasting, both of one type.
Array add(const Array& a, const Array& b);
/// True if no element is NaN or infinite; int64 always is.
bool all_finite(const Array& a);
/// True if an element is NaN.
bool has_nan(const Array& a);

}  // namespace kernel

}  // namespace unroll
