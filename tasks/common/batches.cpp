// Where each stream of a text starts and what is in each window. The pictures are in batches.hpp.
#include "common/batches.hpp"

#include <algorithm>

#include "common/bad_input.hpp"

namespace tasks {

// ---- a running text ----------------------------------------------------------------------------

TextWindows::TextWindows(const std::vector<Size>& text, Size batch, Size steps, Size first)
    : text_(text), first_(first), steps_(std::max<Size>(1, steps)) {
  const Size predicted = static_cast<Size>(text.size()) - first - 1;
  if (predicted < 1) bad_input("the text is too short: it needs at least two tokens");
  batch_ = std::clamp<Size>(predicted / steps_, 1, std::max<Size>(1, batch));
  length_ = predicted / batch_;
}

Size TextWindows::tokens(Size w) const { return std::min(steps_, length_ - w * steps_) * batch_; }

Window TextWindows::at(Size w, Size from, Size to) const {
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

// ---- stories -----------------------------------------------------------------------------------

StoryWindows::StoryWindows(const std::vector<std::vector<Size>>& stories,
                           std::vector<std::vector<Size>> batches, Size end, Size steps)
    : stories_(stories), batches_(std::move(batches)), end_(end) {
  for (std::size_t b = 0; b < batches_.size(); ++b) {
    Size longest = 0;
    for (Size story : batches_[b])
      longest = std::max(longest, static_cast<Size>(stories[story].size()) + 1);
    for (Size start = 0; start < longest; start += steps)
      places_.push_back({static_cast<Size>(b), start, std::min(steps, longest - start)});
  }
}

Size StoryWindows::real(const Place& place, Size story) const {
  const Size predicted = static_cast<Size>(stories_[story].size()) + 1;
  return std::clamp<Size>(predicted - place.start, 0, place.steps);
}

Size StoryWindows::tokens(Size w) const {
  Size sum = 0;
  for (Size story : batch_of(w)) sum += real(place(w), story);
  return sum;
}

Window StoryWindows::at(Size w, Size from, Size to) const {
  const Place& here = place(w);
  const std::vector<Size>& batch = batch_of(w);
  const Size width = to - from;
  Window window{zeros({here.steps, width}, unroll::int64),
                zeros({here.steps, width}, unroll::int64)};
  Size* xs = window.x.mutable_data<Size>();
  Size* ys = window.y.mutable_data<Size>();
  for (Size b = 0; b < width; ++b) {
    const std::vector<Size>& story = stories_[batch[from + b]];
    const auto token = [&](Size t) {
      return t < 0 || t == static_cast<Size>(story.size()) ? end_ : story[t];
    };
    const Size length = real(here, batch[from + b]);
    for (Size t = 0; t < length; ++t) {
      xs[t * width + b] = token(here.start + t - 1);
      ys[t * width + b] = token(here.start + t);
    }
    window.lengths.push_back(length);
  }
  return window;
}

}  // namespace tasks
