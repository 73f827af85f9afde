// How steps are gathered into products of many rows. When a sweep asks for them is autograd's.
#include <unroll/ops/weight_gradient.hpp>

#include <algorithm>
#include <cstring>

#include <unroll/autograd/strided.hpp>
#include <unroll/ops/product.hpp>

namespace unroll::kernel {

namespace {

constexpr Size kMostRows = 512;

bool are_consecutive(const std::vector<Array>& parts) {
  Size next = parts[0].offset();
  for (const Array& part : parts) {
    if (!(part.buffer() == parts[0].buffer()) || part.offset() != next || !part.is_contiguous())
      return false;
    next += part.size();
  }
  return true;
}

}  // namespace

void WeightGradient::add(const Array& x, const Array& dy) {
  x_.push_back(x);
  dy_.push_back(dy);
  rows_ += rows_in(dy);
  if (rows_ < kMostRows) return;
  const bool first = sum_.buffer() == nullptr;
  if (first) sum_ = Array::uninitialised({dy.shape().back(), x.shape().back()}, dy.type());
  multiply(sum_, !first);
}

void WeightGradient::flush(Array& gradient, bool accumulate) {
  if (!sum_.buffer() && gradient.is_contiguous()) return multiply(gradient, accumulate);
  const bool first = sum_.buffer() == nullptr;
  if (first) sum_ = Array::uninitialised(gradient.shape(), gradient.type());
  if (first || rows_) multiply(sum_, !first);
  if (accumulate) add_into(gradient, sum_);
  else copy_into(gradient, sum_);
}

void WeightGradient::multiply(Array& target, bool accumulate) {
  // In the order of the rows in memory, which is that of time forward or backward.
  if (dy_.size() > 1 && dy_.front().offset() > dy_.back().offset()) {
    std::reverse(x_.begin(), x_.end());
    std::reverse(dy_.begin(), dy_.end());
  }
  const Array x = gather(x_), dy = gather(dy_);
  multiply_contiguous(true, false, dy.shape().back(), x.shape().back(), rows_, dy, x, target,
                      accumulate);
  x_.clear();
  dy_.clear();
  rows_ = 0;
}

/// All rows in one array: a view if they lie behind each other.
Array WeightGradient::gather(const std::vector<Array>& parts) const {
  if (parts.size() == 1) return parts[0].contiguous();
  const Shape shape{rows_, parts[0].shape().back()};
  const Type type = parts[0].type();
  if (are_consecutive(parts))
    return parts[0].viewed_as(Array::layout(shape, contiguous_strides(shape), 0, type));
  Array all = Array::uninitialised(shape, type), copied;
  auto* next = static_cast<std::byte*>(all.mutable_raw());
  for (const Array& part : parts) {
    const Array& rows = part.contiguous(copied);
    const auto bytes = static_cast<std::size_t>(rows.size() * bytes_of(type));
    if (bytes) std::memcpy(next, rows.raw(), bytes);
    next += bytes;
  }
  return all;
}

}  // namespace unroll::kernel
