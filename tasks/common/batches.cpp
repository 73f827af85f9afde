// Where each stream of a text starts and what is in each window. The picture is in batches.hpp.
#include "common/batches.hpp"

#include <algorithm>

#include "common/bad_input.hpp"

namespace tasks {

TextWindows::TextWindows(const std::vector<Size>& text, Size batch, Size steps, Size first)
    : text_(text), first_(first), steps_(std::max<Size>(1, steps)) {
  const Size predicted = static_cast<Size>(text.size()) - first - 1;
  if (predicted < 1) bad_input("the text is too short: it needs at least two characters");
  batch_ = std::clamp<Size>(predicted / steps_, 1, std::max<Size>(1, batch));
  length_ = predicted / batch_;
}

Size TextWindows::characters_in(Size w) const {
  return std::min(steps_, length_ - w * steps_) * batch_;
}

TextWindows::Window TextWindows::at(Size w, Size from, Size to) const {
  const Size start = w * steps_, steps = std::min(steps_, length_ - start), width = to - from;
  Array x({steps, width}, unroll::int64), y({steps, width}, unroll::int64);
  Size* xs = x.mutable_data<Size>();
  Size* ys = y.mutable_data<Size>();
  for (Size t = 0; t < steps; ++t) {
    for (Size b = 0; b < width; ++b) {
      const Size place = first_ + (from + b) * length_ + start + t;
      xs[t * width + b] = text_[place];
      ys[t * width + b] = text_[place + 1];
    }
  }
  return {x, y};
}

}  // namespace tasks
