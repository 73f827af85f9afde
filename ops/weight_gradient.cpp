// How steps are gathered into products of many rows. When a sweep asks for them is autograd's.
#include <unroll/ops/weight_gradient.hpp>

#include <cstring>

#include <unroll/autograd/strided.hpp>
#include <unroll/ops/product.hpp>

namespace unroll::kernel {

namespace {

constexpr Size kMostRows = 512;

}  // namespace

void WeightGradient::add(Variable&& x, const Variable& dy) {
  const Size in = x.shape().back();
  // In the order of the rows in memory, which is that of time forward or backward.
  if (steps_ == 1) backwards_ = dy.value().offset() < dy_.back().offset;
  ++steps_;
  rows_ += rows_in(dy.value());
  append(x_, std::move(x));
  append(dy_, dy);
  if (rows_ < kMostRows) return;
  const bool first = sum_.buffer() == nullptr;
  if (first) sum_ = Array::uninitialised({dy.shape().back(), in}, dy.type());
  multiply(sum_, !first);
}

template <class V>
void WeightGradient::append(std::vector<Part>& parts, V&& step) const {
  const Array& a = step.value();
  if (!a.is_contiguous()) return append(parts, Variable(a.copy()));
  const Size rows = rows_in(a);
  if (!parts.empty()) {
    Part& last = parts.back();
    const Size next = backwards_ ? a.offset() + a.size()
                                 : last.offset + last.rows * a.shape().back();
    if (last.some.value().buffer() == a.buffer() && next == (backwards_ ? last.offset : a.offset())) {
      if (backwards_) last.offset = a.offset();
      last.rows += rows;
      return;
    }
  }
  const Size offset = a.offset();
  parts.push_back({std::forward<V>(step), offset, rows});
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
  const Array x = gather(x_), dy = gather(dy_);
  multiply_contiguous(true, false, dy.shape().back(), x.shape().back(), rows_, dy, x, target,
                      accumulate);
  x_.clear();
  dy_.clear();
  rows_ = steps_ = 0;
}

/// All rows in one array: a view if they lie behind each other.
Array WeightGradient::gather(const std::vector<Part>& parts) const {
  const Array& some = parts[0].some.value();
  const Size width = some.shape().back();
  const Shape shape{rows_, width};
  if (parts.size() == 1)
    return some.viewed_as(Array::layout(shape, contiguous_strides(shape),
                                        parts[0].offset - some.offset(), some.type()));
  Array all = Array::uninitialised(shape, some.type());
  auto* next = static_cast<std::byte*>(all.mutable_raw());
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const Part& part = parts[backwards_ ? parts.size() - 1 - k : k];
    const Size size = bytes_of(some.type()), start = part.offset - part.some.value().offset();
    const auto bytes = static_cast<std::size_t>(part.rows * width * size);
    auto* from = static_cast<const std::byte*>(part.some.value().raw()) + start * size;
    if (bytes) std::memcpy(next, from, bytes);
    next += bytes;
  }
  return all;
}

}  // namespace unroll::kernel
