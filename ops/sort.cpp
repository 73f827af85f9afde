// Sorting and the k best: the order is worked out here, the values and their gradient are gather's.
#include <unroll/ops/index.hpp>

#include <algorithm>
#include <numeric>

#include <unroll/ops/axes.hpp>

namespace unroll {

namespace {

/// Positions of the first k elements along an axis when sorted, NaN counting as the largest; the
/// shape has k along the axis. Equal elements keep their order.
Array order_along(const Array& x, int axis, Size k, bool descending) {
  const std::vector<Size> order = exchanged_with_last(x.rank(), axis);
  Array rows = x.permuted(order).contiguous();
  Size n = rows.shape().back();
  Shape shape = rows.shape();
  shape[shape.rank() - 1] = k;
  Array index = Array::uninitialised(shape, int64);
  std::vector<Size> lane(static_cast<std::size_t>(n));
  dispatch(x.type(), [&]<class T>() {
    const T* p = rows.data<T>();
    Size* to = index.mutable_data<Size>();
    auto less = [](T a, T b) { return a < b || (a == a && b != b); };
    for (Size row = 0, count = k ? index.size() / k : 0; row < count; ++row, p += n, to += k) {
      std::iota(lane.begin(), lane.end(), Size(0));
      auto before = [&](Size a, Size b) {
        if (descending ? less(p[b], p[a]) : less(p[a], p[b])) return true;
        if (descending ? less(p[a], p[b]) : less(p[b], p[a])) return false;
        return a < b;
      };
      std::partial_sort_copy(lane.begin(), lane.end(), to, to + k, before);
    }
  });
  return index.permuted(order);
}

}  // namespace

Sorted sort(const Variable& x, Size axis, bool descending) {
  int a = checked_axis("sort", axis, x.shape());
  Array index = order_along(detach(x).value(), a, x.shape()[a], descending).contiguous();
  return {gather(x, a, index), index};
}

Sorted topk(const Variable& x, Size k, const TopkOptions& options) {
  int a = checked_axis("topk", options.axis, x.shape());
  if (k < 0 || k > x.shape()[a])
    fail("topk", "k is ", k, ", axis ", a, " of shape ", x.shape(), " has ", x.shape()[a],
         " elements.");
  Array index = order_along(detach(x).value(), a, k, options.largest).contiguous();
  return {gather(x, a, index), index};
}

}  // namespace unroll
