// Shapes as text, broadcasting and axes; see shape.hpp.
#include <unroll/autograd/shape.hpp>

#include <charconv>

namespace unroll {

std::string detail::text_of(double number) {
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

void Shape::copy_heap(const Shape& other) {
  resize(other.rank_);
  std::memcpy(heap_, other.heap_, sizeof(Size) * static_cast<std::size_t>(rank_));
}

void Shape::insert(int k, Size size) {
  if (rank_ >= kInline) {
    std::vector<Size> sizes(begin(), end());
    sizes.insert(sizes.begin() + k, size);
    *this = Shape(sizes);
    return;
  }
  for (int a = rank_++; a > k; --a) inline_[a] = inline_[a - 1];
  inline_[k] = size;
}

void Shape::erase(int k) {
  if (rank_ > kInline) {
    std::vector<Size> sizes(begin(), end());
    sizes.erase(sizes.begin() + k);
    *this = Shape(sizes);
    return;
  }
  --rank_;
  for (int a = k; a < rank_; ++a) inline_[a] = inline_[a + 1];
}

std::string Shape::text() const {
  std::string text = "(";
  for (int k = 0; k < rank_; ++k) text += (k ? ", " : "") + std::to_string((*this)[k]);
  return text + (rank_ == 1 ? ",)" : ")");
}

Shape contiguous_strides(const Shape& shape) {
  Shape strides = shape;
  Size step = 1;
  for (int k = shape.rank() - 1; k >= 0; --k) {
    strides[k] = step;
    step *= shape[k];
  }
  return strides;
}

Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape shape = longer;
  int lead = longer.rank() - shorter.rank();
  for (int k = 0; k < shorter.rank(); ++k) {
    Size s = shorter[k], l = longer[lead + k];
    if (s != l && s != 1 && l != 1)
      fail(op, "shapes ", a, " and ", b, " do not broadcast; sizes must be equal or 1, counted from ",
           "the last axis.");
    shape[lead + k] = s == 1 ? l : s;
  }
  return shape;
}

int checked_axis(std::string_view op, Size axis, const Shape& shape) {
  Size rank = shape.rank();
  if (axis < -rank || axis >= rank)
    fail(op, "axis ", axis, " does not exist in shape ", shape, "; expected ", -rank, " to ",
         rank - 1, ".");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace unroll
