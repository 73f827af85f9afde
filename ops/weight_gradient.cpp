// How steps are gathered into products of many rows. When a sweep asks for them is autograd's.
#include <unroll/ops/weight_gradient.hpp>

#include <cstring>

#include <unroll/autograd/strided.hpp>
#include <unroll/ops/product.hpp>

namespace unroll::kernel {

void WeightGradient::add(Variable&& x, const Variable& dy) {
  // Many rows that lie behind each other are no part of more, which would be copied.
  const bool is_stretch = steps_ > 1 && dy_.size() == 1 && rows_ >= kRowsOfStretch;
  if (is_stretch && !continues(dy_.back(), dy.value())) sum_up();
  // In the order of the rows in memory, which is that of time forward or backward.
  if (steps_ == 1) backwards_ = dy.value().offset() < dy_.back().offset;
  ++steps_;
  rows_ += rows_in(dy.value());
  append(x_, std::move(x));
  append(dy_, dy);
  if (rows_ >= kRowsThatWait) sum_up();
}

void WeightGradient::sum_up() {
  const bool first = sum_.buffer() == nullptr;
  const Variable &x = x_.back().some, &dy = dy_.back().some;
  if (first) sum_ = Array::uninitialised({dy.shape().back(), x.shape().back()}, dy.type());
  multiply(sum_, !first);
}

/// True if the step's rows lie behind those of the part, or before them if time runs so.
bool WeightGradient::continues(const Part& part, const Array& step) const {
  if (part.some.value().buffer() != step.buffer() || !step.is_contiguous()) return false;
  const Size width = step.shape().back();
  return backwards_ ? step.offset() + step.size() == part.offset
                    : part.offset + part.rows * width == step.offset();
}

template <class V>
void WeightGradient::append(std::vector<Part>& parts, V&& step) const {
  const Array& a = step.value();
  if (!a.is_contiguous()) return append(parts, Variable(a.copy()));
  const Size rows = rows_in(a), offset = a.offset();
  if (!parts.empty() && continues(parts.back(), a)) {
    Part& last = parts.back();
    if (backwards_) last.offset = offset;
    last.rows += rows;
    return;
  }
  parts.push_back({std::forward<V>(step), offset, rows});
}

void WeightGradient::flush(Array& gradient, bool accumulate) {
  if (!sum_.buffer() && gradient.is_contiguous()) return multiply(gradient, accumulate);
  const bool first = sum_.buffer() == nullptr;
  if (first) sum_ = Array::uninitialised(gradient.shape(), gradient.type());
  if (first || rows_) multiply(sum_, !first);
  if (accumulate)
    add_into(gradient, sum_);
  else
    copy_into(gradient, sum_);
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
