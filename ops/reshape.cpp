// Views and repetitions; joining and cutting along an axis are in join.cpp.
#include <unroll/ops/reshape.hpp>

#include <algorithm>

#include <unroll/autograd/op.hpp>
#include <unroll/autograd/strided.hpp>
#include <unroll/ops/reduce.hpp>

namespace unroll {

// Views of all numbers of x pass their gradient on as a view, without touching a number; only views
// of a part are `views`, whose gradients are added in place to that of x.

// dx = dy in x's shape
Variable reshape(const Variable& x, const Shape& shape) {
  Op op("reshape", x);
  int unknown = 0;
  for (Size size : shape) {
    op.require(size >= -1, "shape ", shape, " has a negative size.");
    unknown += size == -1;
  }
  op.require(unknown <= 1, "shape ", shape, " has ", unknown,
             " sizes of -1; expected at most one.");
  return op.record(op[0].reshaped(shape), [](Backward& b) {
    b.give(0, reshape(b.dy(), b.x_shape()));
  }, Keep::nothing);
}

// dx = dy^T
Variable transpose(const Variable& x) {
  Op op("transpose", x);
  return op.record(op[0].transposed(), [](Backward& b) { b.give(0, transpose(b.dy())); },
                   Keep::nothing);
}

// dx's axis axes[k] is dy's axis k
Variable permute(const Variable& x, const std::vector<Size>& axes) {
  Op op("permute", x);
  Array y = op[0].permuted(axes);
  std::vector<Size> inverse(axes.size());
  for (std::size_t k = 0; k < axes.size(); ++k)
    inverse[static_cast<std::size_t>(op.axis(axes[k]))] = static_cast<Size>(k);
  return op.record(std::move(y), [inverse](Backward& b) { b.give(0, permute(b.dy(), inverse)); },
                   Keep::nothing);
}

Variable expand(const Variable& x, Size axis) {
  Op op("expand", x);
  Size a = axis < 0 ? axis + op[0].rank() + 1 : axis;
  return op.record(op[0].expanded(axis), [a](Backward& b) { b.give(0, squeeze(b.dy(), a)); },
                   Keep::nothing);
}

Variable squeeze(const Variable& x, Size axis) {
  Op op("squeeze", x);
  int a = op.axis(axis);
  return op.record(op[0].squeezed(a), [a](Backward& b) { b.give(0, expand(b.dy(), a)); },
                   Keep::nothing);
}

// dx = dy reversed along the same axes
Variable flip(const Variable& x, const std::vector<Size>& axes) {
  Op op("flip", x);
  Array y = op[0];
  std::vector<Size> checked;
  for (Size axis : axes) {
    checked.push_back(op.axis(axis));
    op.require(std::count(checked.begin(), checked.end(), checked.back()) == 1, "axis ", axis,
               " of shape ", x.shape(), " is named twice.");
    y = y.flipped(axis);
  }
  return op.record(std::move(y), [checked](Backward& b) { b.give(0, flip(b.dy(), checked)); },
                   Keep::nothing);
}

Variable sliced(const Variable& x, Size axis, Size start, Size stop, Size step) {
  return view("sliced", x, [&](const Array& a) { return a.sliced(axis, start, stop, step); });
}

Variable select(const Variable& x, Size axis, Size i) {
  return view("select", x, [&](const Array& a) { return a.select(axis, i); });
}

Variable diagonal(const Variable& x) {
  if (x.rank() < 2) fail("diagonal", "shape ", x.shape(), " has fewer than two axes.");
  // On a contiguous array, so that the geometry can be written down; a strided one is copied.
  return view("diagonal", x, [](const Array& a) {
    Shape shape = a.shape(), strides = contiguous_strides(shape);
    int last = a.rank() - 1;
    Size n = std::min(shape[last - 1], shape[last]), step = strides[last - 1] + strides[last];
    shape.erase(last);
    strides.erase(last);
    shape[last - 1] = n;
    strides[last - 1] = step;
    return a.contiguous().viewed_as(Array::layout(shape, strides, 0, a.type()));
  });
}

Variable trace(const Variable& x) {
  if (x.rank() < 2) fail("trace", "shape ", x.shape(), " has fewer than two axes.");
  return sum(diagonal(x), {.axes = {-1}});
}

// dx = dy rolled back
Variable roll(const Variable& x, Size shift, Size axis) {
  Op op("roll", x);
  int a = op.axis(axis);
  const Array& from = op[0];
  Size n = from.shape()[a];
  Size k = n == 0 ? 0 : (shift % n + n) % n;
  Array y = Array::uninitialised(from.shape(), from.type());
  y.sliced(a, 0, k).assign(from.sliced(a, n - k, n));
  y.sliced(a, k, n).assign(from.sliced(a, 0, n - k));
  return op.record(std::move(y), [a, k](Backward& b) { b.give(0, roll(b.dy(), -k, a)); },
                   Keep::nothing);
}

// x as (1, n_0, 1, n_1, ...), repeated along the ones: (r_0, n_0, r_1, n_1, ...).
Variable tile(const Variable& x, const std::vector<Size>& repeats) {
  int rank = std::max(x.rank(), static_cast<int>(repeats.size()));
  Shape pairs, repeated, joined;
  for (int k = 0; k < rank; ++k) {
    int own = k - (rank - x.rank()), given = k - (rank - static_cast<int>(repeats.size()));
    Size n = own < 0 ? 1 : x.shape()[own];
    Size r = given < 0 ? 1 : repeats[static_cast<std::size_t>(given)];
    if (r < 0)
      fail("tile", "cannot repeat shape ", x.shape(), " ", r, " times along axis ", k, ".");
    pairs.push_back(1);
    pairs.push_back(n);
    repeated.push_back(r);
    repeated.push_back(n);
    joined.push_back(r * n);
  }
  return reshape(broadcast_to(reshape(x, pairs), repeated), joined);
}

Variable repeat(const Variable& x, Size n, Size axis) {
  int a = checked_axis("repeat", axis, x.shape());
  if (n < 0) fail("repeat", "cannot repeat shape ", x.shape(), " ", n, " times.");
  Shape repeated = x.shape(), joined = x.shape();
  repeated.insert(a + 1, n);
  joined[a] *= n;
  return reshape(broadcast_to(expand(x, a + 1), repeated), joined);
}

// dx = the part of dy inside the border
Variable pad(const Variable& x, const std::vector<std::pair<Size, Size>>& widths, double value) {
  Op op("pad", x);
  op.may_show(value);
  const Array& from = op[0];
  op.require(static_cast<int>(widths.size()) == from.rank(), widths.size(),
             " pairs of widths for shape ", from.shape(), "; expected ", from.rank(), ".");
  Shape shape = from.shape();
  for (int k = 0; k < shape.rank(); ++k) {
    auto [before, after] = widths[static_cast<std::size_t>(k)];
    op.require(before >= 0 && after >= 0, "widths ", before, " and ", after, " of axis ", k,
               " are negative somewhere; expected at least 0, use sliced to cut.");
    shape[k] += before + after;
  }
  Array y = full(shape, value, from.type()), inner = y;
  for (int k = 0; k < shape.rank(); ++k) {
    Size before = widths[static_cast<std::size_t>(k)].first;
    inner = inner.sliced(k, before, before + from.shape()[k]);
  }
  inner.assign(from);
  return op.record(std::move(y), [widths](Backward& b) {
    Variable part = b.dy();
    for (int k = 0; k < b.x_shape().rank(); ++k) {
      Size before = widths[static_cast<std::size_t>(k)].first;
      part = sliced(part, k, before, before + b.x_shape()[k]);
    }
    b.give(0, part);
  }, Keep::nothing);
}

namespace {

/// Copies of the last two axes with zeros where j - i > k (lower) or j - i < k.
Array triangle(const Array& x, Size k, bool lower) {
  Array y = x.copy();
  int last = y.rank() - 1;
  Size m = y.shape()[last - 1], n = y.shape()[last];
  if (y.size() == 0) return y;
  Size matrices = y.size() / (m * n);
  dispatch(y.type(), [&]<class T>() {
    T* p = y.mutable_data<T>();
    for (Size row = 0; row < matrices * m; ++row, p += n) {
      Size edge = row % m + k;  // the k-th diagonal's column
      if (lower) std::fill(p + std::clamp<Size>(edge + 1, 0, n), p + n, T(0));
      else std::fill(p, p + std::clamp<Size>(edge, 0, n), T(0));
    }
  });
  return y;
}

}  // namespace

Variable tril(const Variable& x, Size k) {
  Op op("tril", x);
  op.require(x.rank() >= 2, "shape ", x.shape(), " has fewer than two axes.");
  return op.record(triangle(op[0], k, true), [k](Backward& b) { b.give(0, tril(b.dy(), k)); },
                   Keep::nothing);
}

Variable triu(const Variable& x, Size k) {
  Op op("triu", x);
  op.require(x.rank() >= 2, "shape ", x.shape(), " has fewer than two axes.");
  return op.record(triangle(op[0], k, false), [k](Backward& b) { b.give(0, triu(b.dy(), k)); },
                   Keep::nothing);
}

}  // namespace unroll
