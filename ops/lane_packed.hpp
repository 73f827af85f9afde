// The driver of lane loops over short rows, which are put side by side. That over long ones is in
// lane_kernel.cpp, the only user of this.
#pragma once

#include <algorithm>

#include <unroll/ops/lane_walk.hpp>

namespace unroll::kernel {

/// One run over short rows: so many at a time that they are whole lanes. What is row-major in the
/// common shape is read and written where it is; of anything else the rows are put side by side.
template <class T>
class PackedRun {
 public:
  PackedRun(LaneLoop<T> loop, Size width, const void* function, const Walk& walk,
            const Operand* operands, int inputs, int n)
      : loop_(loop), width_(width), function_(function), walk_(walk), inputs_(inputs), n_(n),
        length_(walk.row_length()), most_(width * std::max<Size>(1, kBlock / (width * length_))),
        p_(n), at_(n), step_(n), add_(n), in_block_(n), add_rows_(n), rows_(n * most_),
        blocks_(n * most_ * length_) {
    for (int k = 0; k < n_; ++k) {
      const bool uniform = operands[k].layout == Operand::uniform && k < inputs_;
      in_block_[k] = operands[k].layout == Operand::strided ||
                     (operands[k].layout == Operand::uniform && k >= inputs_);
      p_[k] = static_cast<T*>(operands[k].data);
      at_[k] = in_block_[k] || uniform ? block(k) : p_[k];
      step_[k] = uniform ? 0 : width_;
      if (uniform) std::fill(at_[k], at_[k] + width_, *p_[k]);
      add_[k] = operands[k].add && !in_block_[k];
      add_rows_[k] = operands[k].add;
    }
  }

  void operator()() {
    walk_.each_plane(p_.data(), [&] {
      const Size rows = walk_.rows();
      Size same = 0;  // of the rows in the blocks' beginning, those of this plane
      for (Size done = 0; done < rows;) {
        const Size count = std::min(rows - done, most_ - filled_);
        for (int k = 0; k < n_; ++k)
          if (in_block_[k]) take(k, done, count, same);
        same = filled_ == 0 ? std::max(same, count) : 0;
        filled_ += count;
        done += count;
        if (filled_ == most_) flush();
      }
    });
    flush();
  }

 private:
  T* block(int k) { return blocks_.data() + k * most_ * length_; }

  /// The next rows of this plane, from number `first`, into a block, or where they belong.
  void take(int k, Size first, Size count, Size same) {
    const Size next = walk_.step_to_next_row(k), step = walk_.row_step(k);
    T* p = p_[k] + first * next;
    if (k >= inputs_) {
      for (Size r = 0; r < count; ++r) rows_[k * most_ + filled_ + r] = p + r * next;
    } else if (next != 0 || filled_ != 0 || same < count) {
      T* to = block(k) + filled_ * length_;
      for (Size r = 0; r < count; ++r, p += next)
        for (Size i = 0; i < length_; ++i) *to++ = p[i * step];
    }
  }

  void flush() {
    const Size count = filled_ * length_, whole = count / width_ * width_;
    if (whole > 0) call(whole / width_);
    if (whole < count) tail(whole, count - whole);
    for (int k = 0; k < n_; ++k) {
      if (!in_block_[k]) {
        if (at_[k] && step_[k] != 0) at_[k] += count;
      } else if (k >= inputs_) {
        for (Size r = 0; r < filled_; ++r)
          scatter(rows_[k * most_ + r], walk_.row_step(k), block(k) + r * length_, length_,
                  add_rows_[k]);
      }
    }
    filled_ = 0;
  }

  void call(Size lanes) {
    loop_(function_, at_.data(), step_.data(), at_.data() + inputs_, add_.data() + inputs_, lanes);
  }

  /// The last `count` elements of all, less than a lane, which begin `whole` behind at_.
  void tail(Size whole, Size count) {
    Small<T, 160> lanes(n_ * width_);
    Small<T*, 16> before(n_);
    Small<bool, 16> add(n_);
    for (int k = 0; k < n_; ++k) {
      before[k] = at_[k];
      add[k] = add_[k];
      add_[k] = false;
      if (!at_[k]) continue;
      at_[k] = lanes.data() + k * width_;
      if (k >= inputs_) continue;
      const T* from = before[k] + (step_[k] == 0 ? 0 : whole);
      for (Size i = 0; i < width_; ++i) at_[k][i] = from[i < count ? i : 0];
    }
    call(1);
    for (int k = inputs_; k < n_; ++k)
      if (before[k]) scatter(before[k] + whole, 1, at_[k], count, add[k]);
    for (int k = 0; k < n_; ++k) at_[k] = before[k];
  }

  LaneLoop<T> loop_;
  Size width_;
  const void* function_;
  const Walk& walk_;
  int inputs_, n_;
  Size length_, most_, filled_ = 0;  // of a row; rows in a block, and how many there are now
  Small<T*, 16> p_;                  // the current row of each operand
  Small<T*, 16> at_;                 // what the inner loop is given
  Small<Size, 16> step_;
  Small<bool, 16> add_, in_block_, add_rows_;
  Small<T*, 64> rows_;  // where the results in blocks belong
  Small<T, 160> blocks_;
};

}  // namespace unroll::kernel
