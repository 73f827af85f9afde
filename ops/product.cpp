// Turns a product of strided arrays of matrices into as few calls of gemm as possible. Which
// arrays are multiplied is the business of matmul.cpp.
#include <unroll/ops/product.hpp>

#include <algorithm>
#include <optional>

#include <unroll/autograd/strided.hpp>
#include <unroll/ops/gemm.hpp>
#include <unroll/ops/gemv.hpp>

namespace unroll::kernel {

namespace {

/// How gemm is to read a matrix.
struct Layout {
  bool transposed;
  Size ld;
};

/// Nothing if a matrix of those strides has to be copied first.
std::optional<Layout> layout_of(Size rows, Size columns, Size row_step, Size column_step) {
  if (rows <= 1 && columns <= 1) return Layout{false, 1};
  if (rows == 0 || columns == 0) return Layout{false, columns};
  if (columns == 1 && row_step >= 1) return Layout{false, row_step};
  if (rows == 1 && column_step > 1) return Layout{true, column_step};
  if (column_step == 1 && (row_step >= columns || rows == 1)) return Layout{false, row_step};
  if (row_step == 1 && column_step >= rows) return Layout{true, column_step};
  return {};
}

std::optional<Layout> layout_of(const Array& a) {
  int last = a.rank() - 1;
  return layout_of(a.shape()[last - 1], a.shape()[last], a.strides()[last - 1], a.strides()[last]);
}

Array readable(const Array& a) { return layout_of(a) ? a : a.copy(); }

Shape leading(const Shape& shape) { return Shape(shape.data(), shape.rank() - 2); }

/// c[m][n] += sum over k of a[m][k] b[k][n] for each index of the batch; steps of a, b and c along
/// each axis. Innermost axes of the batch are absorbed into m, n or k.
struct Problem {
  Size m, n, k;
  Size am, ak, bk, bn, cm, cn;
  Shape batch, a, b, c;

  Problem(const Array& x, const Array& y, const Array& z) {
    int i = x.rank() - 1, j = y.rank() - 1, l = z.rank() - 1;
    m = x.shape()[i - 1], k = x.shape()[i], n = y.shape()[j];
    am = x.strides()[i - 1], ak = x.strides()[i];
    bk = y.strides()[j - 1], bn = y.strides()[j];
    cm = z.strides()[l - 1], cn = z.strides()[l];
    batch = broadcast_shapes("matmul", leading(x.shape()), leading(y.shape()));
    a = batch_strides(x);
    b = batch_strides(y);
    c = batch_strides(z);
    while (!batch.empty() && absorb()) {
    }
  }

  bool valid() const {
    return layout_of(m, k, am, ak) && layout_of(k, n, bk, bn) && layout_of(m, n, cm, cn);
  }
  /// True if several products of the batch go to one place in c.
  bool sums() const {
    for (int axis = 0; axis < batch.rank(); ++axis)
      if (batch[axis] > 1 && c[axis] == 0) return true;
    return false;
  }

 private:
  Shape batch_strides(const Array& x) const {
    Shape full = batch;
    for (int k = 2; k > 0; --k) full.push_back(x.shape()[x.rank() - k]);
    return leading(x.broadcast_to(full).strides());
  }

  /// Makes the last axis of the batch part of m, n or k; false if it has to stay.
  bool absorb() {
    int last = batch.rank() - 1;
    Size size = batch[last], sa = a[last], sb = b[last], sc = c[last];
    Problem joined = *this;
    joined.batch.erase(last);
    joined.a.erase(last);
    joined.b.erase(last);
    joined.c.erase(last);
    // The axis joins one of the three if the third operand does not see it, and the other two
    // walk on through it in their stride.
    auto join_axis = [size](Size& n, Size& x, Size step_x, Size& y, Size step_y) {
      if (n == 1) x = step_x, y = step_y;
      else if (step_x != n * x || step_y != n * y) return false;
      n *= size;
      return true;
    };
    bool done = size == 1;
    if (!done && sb == 0) done = join_axis(joined.m, joined.am, sa, joined.cm, sc);
    if (!done && sa == 0) done = join_axis(joined.n, joined.bn, sb, joined.cn, sc);
    if (!done && sc == 0) done = join_axis(joined.k, joined.ak, sa, joined.bk, sb);
    if (!done || !joined.valid()) return false;
    *this = joined;
    return true;
  }
};

template <class T>
void run(const Problem& p, bool accumulate, const T* a, const T* b, T* c) {
  Layout la = *layout_of(p.m, p.k, p.am, p.ak), lb = *layout_of(p.k, p.n, p.bk, p.bn);
  Layout lc = *layout_of(p.m, p.n, p.cm, p.cn);
  T beta = accumulate ? T(1) : T(0);
  Rows<3> rows(p.batch, {&p.a, &p.b, &p.c});
  rows.each([&](const auto& at, Size count, const auto& step) {
    for (Size i = 0; i < count; ++i) {
      const T *x = a + at[0] + i * step[0], *y = b + at[1] + i * step[1];
      T* z = c + at[2] + i * step[2];
      if (lc.transposed)  // c^T = b^T a^T
        gemm(!lb.transposed, !la.transposed, p.n, p.m, p.k, T(1), y, lb.ld, x, la.ld, beta, z,
             lc.ld);
      else
        gemm(la.transposed, lb.transposed, p.m, p.n, p.k, T(1), x, la.ld, y, lb.ld, beta, z, lc.ld);
    }
  });
}

}  // namespace

void multiply_contiguous(bool ta, bool tb, Size m, Size n, Size k, const Array& a, const Array& b,
                         Array& c, bool accumulate) {
  dispatch_float("linear", c.type(), [&]<class T>() {
    const Size rows = tb ? n : k, columns = tb ? k : n;  // of b as it lies
    if (m == 1 && takes_gemv<T>(rows, columns))
      return gemv<T>(!tb, rows, columns, b.data<T>(), columns, a.data<T>(), c.mutable_data<T>(),
                     accumulate);
    gemm<T>(ta, tb, m, n, k, T(1), a.data<T>(), ta ? m : k, b.data<T>(), tb ? k : n,
            T(accumulate ? 1 : 0), c.mutable_data<T>(), n);
  });
}

Size rows_in(const Array& a) {
  Size rows = 1;
  for (int k = 0; k + 1 < a.rank(); ++k) rows *= a.shape()[k];
  return rows;
}

void multiply_matrices(Array& c, bool accumulate, const Array& any_a, const Array& any_b) {
  if (!layout_of(c)) {
    Array own = Array::uninitialised(c.shape(), c.type());
    multiply_matrices(own, false, any_a, any_b);
    if (accumulate) add_into(c, own);
    else c.assign(own);
    return;
  }
  if (c.size() == 0) return;
  if (any_a.size() == 0 || any_b.size() == 0) {
    if (!accumulate) c.fill(0);
    return;
  }
  Array a = readable(any_a), b = readable(any_b);
  Problem p(a, b, c);
  if (!accumulate && p.sums()) {
    c.fill(0);
    accumulate = true;
  }
  dispatch_float("matmul", c.type(), [&]<class T>() {
    run(p, accumulate, a.data<T>(), b.data<T>(), c.mutable_data<T>());
  });
}

}  // namespace unroll::kernel
