// Which axes a reduction is over, the shapes that follow, and the order that brings an axis to the
// end; for the .cpp files of ops along axes. Nothing here touches numbers.
#pragma once

#include <algorithm>
#include <numeric>

#include <unroll/autograd/op.hpp>
#include <unroll/autograd/strided.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

/// The axes of one reduction, checked; none named means all.
class Axes {
 public:
  Axes(const char* op, const std::vector<Size>& axes, const Shape& shape)
      : op_(op), shape_(shape), reduced_(static_cast<std::size_t>(shape.rank()), axes.empty()) {
    for (Size axis : axes) {
      auto a = static_cast<std::size_t>(checked_axis(op, axis, shape));
      if (reduced_[a]) fail(op, "axis ", axis, " of shape ", shape, " is named twice.");
      reduced_[a] = true;
    }
  }

  bool reduces(int axis) const { return reduced_[static_cast<std::size_t>(axis)]; }
  /// How many elements become one.
  Size count() const {
    Size n = 1;
    for (int k = 0; k < shape_.rank(); ++k) n *= reduces(k) ? shape_[k] : 1;
    return n;
  }
  /// The shape with size 1 along the reduced axes.
  Shape kept() const {
    Shape kept = shape_;
    for (int k = 0; k < kept.rank(); ++k)
      if (reduces(k)) kept[k] = 1;
    return kept;
  }
  Shape result(bool keepdims) const {
    if (keepdims) return kept();
    Shape rest;
    for (int k = 0; k < shape_.rank(); ++k)
      if (!reduces(k)) rest.push_back(shape_[k]);
    return rest;
  }
  /// True if the reduced axes are the last ones.
  bool trailing() const { return std::is_sorted(reduced_.begin(), reduced_.end()); }
  /// Throws if the op would make something out of nothing.
  void require_elements() const {
    if (count() == 0) fail(op_, "no elements along the reduced axes of shape ", shape_, ".");
  }

  /// x with the reduced axes merged into one last axis: (other axes..., count).
  Variable merged_last(const Variable& x) const {
    std::vector<Size> order;
    for (int pass = 0; pass < 2; ++pass)
      for (int k = 0; k < shape_.rank(); ++k)
        if (reduces(k) == (pass == 1)) order.push_back(k);
    Shape merged = result(false);
    merged.push_back(count());
    return reshape(trailing() ? x : permute(x, order), merged);
  }

 private:
  const char* op_;
  Shape shape_;
  std::vector<bool> reduced_;
};

/// The order of axes, for permute, in which `axis` and the last one change places; it is its own
/// inverse. Lanes along the axis are rows then.
inline std::vector<Size> exchanged_with_last(int rank, int axis) {
  std::vector<Size> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), Size(0));
  std::swap(order[static_cast<std::size_t>(axis)], order.back());
  return order;
}

/// f(x) for an f of lanes along the last axis, but along another one: it changes places with the last
/// before and after. A copy of a permuted value takes less time than a walk along far numbers.
template <class F>
Variable along_last(const char* op, const Variable& x, Size axis, F&& f) {
  const int a = checked_axis(op, axis, x.shape());
  if (a == x.rank() - 1) return f(x);
  const std::vector<Size> order = exchanged_with_last(x.rank(), a);
  return permute(f(permute(x, order)), order);
}

}  // namespace unroll
