// TextWindows: a running text cut into windows for truncated backpropagation through time.
// Batches of separate sentences, with padding and masks, are in padded_batches.hpp.
#pragma once

#include <vector>

#include <unroll/autograd/array.hpp>

namespace tasks {

using unroll::Array;
using unroll::Size;

/// The text is dealt to B streams of equal length that are read side by side, T characters at a
/// time: window w + 1 goes on where window w stopped, so the state can be carried over.
///
///     stream 0:  [n a m a][s k a r] ...      one window: x = n a m a    (T, B)
///     stream 1:  [e v e r][y   d a] ...                  y = a m a s    the next characters
class TextWindows {
 public:
  struct Window {
    Array x, y;  // (T, B) int64
  };

  /// Starts at character `first`. B shrinks where the text is too short for it, never below 1.
  /// Throws BadInput unless at least two characters remain.
  TextWindows(const std::vector<Size>& text, Size batch, Size steps, Size first = 0);

  /// Number of windows; the last one may be shorter than T.
  Size count() const { return (length_ + steps_ - 1) / steps_; }
  /// Number of streams.
  Size batch() const { return batch_; }
  /// Characters predicted over all windows.
  Size characters() const { return length_ * batch_; }
  Size characters_in(Size w) const;

  /// Window w of the streams from ... to - 1.
  Window at(Size w, Size from, Size to) const;
  Window at(Size w) const { return at(w, 0, batch_); }

 private:
  const std::vector<Size>& text_;
  Size first_, batch_, steps_, length_;
};

}  // namespace tasks
