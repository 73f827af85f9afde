// Masks of padded batches, and what they leave; see padding.hpp and real_elements.hpp. The losses
// that use them are in loss.cpp.
#include <algorithm>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/real_elements.hpp>

namespace unroll {

namespace {

Array checked_length_mask(const char* op, const std::vector<Size>& lengths, Size steps) {
  Size batch = static_cast<Size>(lengths.size());
  Array mask({steps, batch}, int64);
  Size* real = mask.mutable_data<Size>();
  for (Size b = 0; b < batch; ++b) {
    Size length = lengths[static_cast<std::size_t>(b)];
    if (length < 0 || length > steps)
      fail(op, "lengths[", b, "] is ", length, "; expected a number in [0, ", steps, "].");
    for (Size t = 0; t < length; ++t) real[t * batch + b] = 1;
  }
  return mask;
}

bool begins_with(const Shape& shape, const Shape& start) {
  return start.rank() <= shape.rank() && std::equal(start.begin(), start.end(), shape.begin());
}

/// 1 where the mask is not 0.
Array ones_and_zeros(const Array& mask) {
  Array result(mask.shape(), int64), from = mask.to(float64).contiguous();
  Size* real = result.mutable_data<Size>();
  for (Size i = 0; i < from.size(); ++i) real[i] = from.data<double>()[i] != 0;
  return result;
}

}  // namespace

Array length_mask(const std::vector<Size>& lengths, Size steps) {
  if (steps < 0) fail("length_mask", "steps is ", steps, "; expected 0 or more.");
  return checked_length_mask("length_mask", lengths, steps);
}

RealElements::RealElements(const char* op, const Shape& shape, const std::vector<Size>& lengths,
                           const Variable& mask)
    : count_(shape.count()) {
  if (lengths.empty() && mask.empty()) return;
  if (!lengths.empty() && !mask.empty())
    fail(op, "lengths and a mask are given; expected one of them.");
  if (!lengths.empty()) {
    if (shape.rank() < 2 || shape[1] != static_cast<Size>(lengths.size()))
      fail(op, lengths.size(), " lengths for ", shape, "; expected one a sequence of (T, B, ...).");
    mask_ = checked_length_mask(op, lengths, shape[0]);
  } else {
    if (!begins_with(shape, mask.shape()))
      fail(op, "mask is ", mask.shape(), "; expected the first axes of ", shape,
           ", such as (T, B).");
    mask_ = ones_and_zeros(mask.value());
  }
  const Size* real = mask_.data<Size>();
  Size marked = std::count(real, real + mask_.size(), Size(1));
  all_ = marked == mask_.size();
  if (all_ || shape.count() == 0) return;
  repeats_ = shape.count() / mask_.size();
  count_ = marked * repeats_;
}

Variable RealElements::cleared(const Variable& x, double value) const {
  if (all_) return as_read("cleared", x);
  Shape shape = mask_.shape();
  while (shape.rank() < x.rank()) shape.push_back(1);
  return where(mask_.reshaped(shape), x, value);
}

}  // namespace unroll
