// Windows: texts cut along time for truncated backpropagation, the state carried from one window to
// the next. Batches of whole sequences, which are read in one go, are in padded_batches.hpp.
#pragma once

#include <vector>

#include <unroll/autograd/array.hpp>

namespace tasks {

using unroll::Array;
using unroll::Size;

/// Steps of several streams side by side: what is read, and what comes next in each.
struct Window {
  Array x, y;                      // (T, B) int64
  std::vector<Size> lengths = {};  // real steps of each stream; empty: all
};

/// Windows 0, 1, 2, ... in the order in which they must be read.
class Windows {
 public:
  virtual ~Windows() = default;
  virtual Size count() const = 0;
  /// Number of streams in window w.
  virtual Size rows(Size w) const = 0;
  /// Tokens predicted in window w.
  virtual Size tokens(Size w) const = 0;
  /// Whether other streams begin with window w, so that no state is carried into it.
  virtual bool is_first(Size w) const = 0;
  /// Window w of the streams from ... to - 1.
  virtual Window at(Size w, Size from, Size to) const = 0;
};

/// A running text is dealt to B streams of equal length that are read side by side, T tokens at a
/// time: window w + 1 goes on where window w stopped.
///
///     stream 0:  [n a m a][s k a r] ...      one window: x = n a m a    (T, B)
///     stream 1:  [e v e r][y   d a] ...                  y = a m a s    the next tokens
class TextWindows : public Windows {
 public:
  /// Starts at token `first`. B shrinks where the text is too short for it, never below 1. Throws
  /// BadInput unless at least two tokens remain. The text must outlive this.
  TextWindows(const std::vector<Size>& text, Size batch, Size steps, Size first = 0);

  /// The last window may be shorter than T.
  Size count() const override { return (length_ + steps_ - 1) / steps_; }
  Size rows(Size) const override { return batch_; }
  Size tokens(Size w) const override;
  /// Tokens predicted over all windows.
  Size tokens() const { return length_ * batch_; }
  bool is_first(Size w) const override { return w == 0; }
  Window at(Size w, Size from, Size to) const override;
  Window at(Size w) const { return at(w, 0, batch_); }

 private:
  const std::vector<Size>& text_;
  Size first_, batch_, steps_, length_;
};

/// Batches of separate stories, each read from an end token to an end token; a batch longer than T
/// takes several windows. An empty story is one step.
///
///     x = # o n c e     one window of two stories and its lengths, 5 and 3
///         # b y 0 0
///     y = o n c e #
///         b y # 0 0
class StoryWindows : public Windows {
 public:
  /// Each batch lists stories by number, as batches_by_length() does. The stories must outlive
  /// this.
  StoryWindows(const std::vector<std::vector<Size>>& stories,
               std::vector<std::vector<Size>> batches, Size end, Size steps);

  Size count() const override { return static_cast<Size>(places_.size()); }
  Size rows(Size w) const override { return static_cast<Size>(batch_of(w).size()); }
  Size tokens(Size w) const override;
  bool is_first(Size w) const override { return place(w).start == 0; }
  Window at(Size w, Size from, Size to) const override;
  /// The stories of window w, by number.
  const std::vector<Size>& batch_of(Size w) const {
    return batches_[static_cast<std::size_t>(place(w).batch)];
  }
  /// The first step of window w.
  Size start_of(Size w) const { return place(w).start; }

 private:
  struct Place {
    Size batch, start, steps;
  };
  const Place& place(Size w) const { return places_[static_cast<std::size_t>(w)]; }
  /// Steps of a story that lie in this window.
  Size real(const Place& place, Size story) const;

  const std::vector<std::vector<Size>>& stories_;
  std::vector<std::vector<Size>> batches_;
  std::vector<Place> places_;
  Size end_;
};

}  // namespace tasks
