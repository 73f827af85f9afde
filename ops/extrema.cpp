// Largest and smallest elements along axes, and where they are. Sums and products are in
// reduce.cpp, sorting in sort.cpp.
#include <unroll/ops/axes.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/index_kernels.hpp>
#include <unroll/ops/reduce.hpp>

namespace unroll {

namespace {

enum class Wanted { largest, smallest };

template <Wanted W, class T>
bool better(T a, T b) {
  return W == Wanted::largest ? a > b : a < b;
}

/// Position of the best of n neighbours, the first of equals, of the first NaN if there is one. The
/// first pass vectorises, the second stops early.
template <Wanted W, class T>
Size best_of(const T* x, Size n) {
  constexpr Size kLanes = 16;
  using Flag = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;  // as wide as T
  T lanes[kLanes];
  Flag nans[kLanes] = {};
  std::fill_n(lanes, kLanes, x[0]);
  Size i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (Size k = 0; k < kLanes; ++k) {
      lanes[k] = better<W>(x[i + k], lanes[k]) ? x[i + k] : lanes[k];
      nans[k] |= x[i + k] != x[i + k];
    }
  for (Size k = 0; i < n; ++i, ++k) {
    lanes[k] = better<W>(x[i], lanes[k]) ? x[i] : lanes[k];
    nans[k] |= x[i] != x[i];
  }
  T best = lanes[0];
  for (T lane : lanes) best = better<W>(lane, best) ? lane : best;
  i = 0;
  if (std::any_of(nans, nans + kLanes, [](Flag f) { return f != 0; })) while (x[i] == x[i]) ++i;
  else while (x[i] != best) ++i;
  return i;
}

/// The same along an axis with `inner` elements behind each position: one pass over memory.
template <Wanted W, class T>
void best_of_columns(const T* x, Size n, Size inner, T* best, Size* where) {
  std::copy_n(x, inner, best);
  std::fill_n(where, inner, Size(0));
  for (Size i = 1; i < n; ++i) {
    x += inner;
    for (Size j = 0; j < inner; ++j) {
      bool wins = better<W>(x[j], best[j]) || (x[j] != x[j] && best[j] == best[j]);
      best[j] = wins ? x[j] : best[j];
      where[j] = wins ? i : where[j];
    }
  }
}

/// Positions (int64, size 1 along the axis) of the best elements along an axis of size >= 1.
template <Wanted W>
Array best_along(const Array& any, int axis) {
  Array x = any.contiguous();
  Shape shape = x.shape();
  Size n = shape[axis], outer = 1, inner = 1;
  for (int k = 0; k < axis; ++k) outer *= shape[k];
  for (int k = axis + 1; k < shape.rank(); ++k) inner *= shape[k];
  shape[axis] = 1;
  Array index = Array::uninitialised(shape, int64);
  Size* to = index.mutable_data<Size>();
  dispatch(x.type(), [&]<class T>() {
    const T* from = x.data<T>();
    std::vector<T> best(inner > 1 ? static_cast<std::size_t>(inner) : 0);
    for (Size o = 0; o < outer && inner > 0; ++o, from += n * inner, to += inner) {
      if (inner == 1) *to = best_of<W>(from, n);
      else best_of_columns<W>(from, n, inner, best.data(), to);
    }
  });
  return index;
}

template <Wanted W>
Variable position(const char* name, const Variable& x, Size axis) {
  Op op(name, x);
  int a = op.axis(axis);
  Axes({name, {a}, op[0].shape()}).require_elements();
  return op.constant(best_along<W>(op[0], a).squeezed(a));
}

/// One named axis: dx is dy at the chosen position, 0 elsewhere.
template <Wanted W>
Variable best_on_axis(const char* name, const Variable& x, int axis, bool keepdims) {
  Op op(name, x);
  Array index = best_along<W>(op[0], axis);
  Array y = kernel::gather(op[0], axis, index);
  if (!keepdims) y = y.squeezed(axis);
  return op.record(std::move(y), [index, axis](Backward& b) {
    Variable dy = reshape(b.dy(), index.shape());
    if (b.create_graph()) {
      Variable zero = zeros(b.x_shape(), b.x_type());
      b.give(0, scatter_add(zero, axis, index, dy));
    } else {
      Backward::Target t = b.target(0);
      if (!t.accumulate) t.array.fill(0);
      kernel::scatter_add(t.array, axis, index, dy.value());
    }
  }, Keep::nothing);
}

/// dx = dy / (number of equals) at each element that equals the result.
template <Wanted W>
Variable best_shared(const char* name, const Variable& x, const Axes& axes, bool keepdims) {
  Op op(name, x);
  Array merged = no_grad([&] { return axes.merged_last(op.input(0)).value(); });
  int last = merged.rank() - 1;
  Array y = kernel::gather(merged, last, best_along<W>(merged, last));
  return op.record(y.reshaped(axes.result(keepdims)), [kept = axes.kept()](Backward& b) {
    Variable ties = equals(b.x(), reshape(b.y(), kept));
    Variable share = reshape(b.dy(), kept) / sum_to(ties, kept);
    b.give(0, ties * share);
  });
}

template <Wanted W>
Variable best(const char* name, const Variable& x, const Reduce& options, bool share) {
  Axes axes(name, options.axes, x.shape());
  axes.require_elements();
  if (share || options.axes.size() != 1) return best_shared<W>(name, x, axes, options.keepdims);
  int axis = checked_axis(name, options.axes[0], x.shape());
  return best_on_axis<W>(name, x, axis, options.keepdims);
}

}  // namespace

Variable max(const Variable& x, const Reduce& options) {
  return best<Wanted::largest>("max", x, options, false);
}
Variable min(const Variable& x, const Reduce& options) {
  return best<Wanted::smallest>("min", x, options, false);
}
Variable amax(const Variable& x, const Reduce& options) {
  return best<Wanted::largest>("amax", x, options, true);
}
Variable amin(const Variable& x, const Reduce& options) {
  return best<Wanted::smallest>("amin", x, options, true);
}
Variable argmax(const Variable& x, Size axis) {
  return position<Wanted::largest>("argmax", x, axis);
}
Variable argmin(const Variable& x, Size axis) {
  return position<Wanted::smallest>("argmin", x, axis);
}

}  // namespace unroll
