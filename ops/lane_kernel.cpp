// The drivers of lane loops: they walk over arrays of any strides, and hand whole lanes to the inner
// loop, through blocks on the side where the numbers are not neighbours in memory.
#include <unroll/ops/lane_kernel.hpp>

#include <algorithm>

#include <unroll/ops/lane_packed.hpp>

namespace unroll::kernel {

namespace {

constexpr int kFlat = 16;   // operands of a run without strides
constexpr Size kShort = 8;  // lanes of a row, below which rows are put side by side

enum class Access : std::uint8_t {
  unwanted,  ///< a result without a place
  direct,    ///< lanes in memory
  uniform,   ///< an input that is one number all along the row
  staged     ///< copied to or from a block
};

/// One run of a kernel over long rows.
template <class T>
class Run {
 public:
  Run(LaneLoop<T> loop, Size width, const void* function, const Walk& walk,
      const Operand* operands, int inputs, int n)
      : loop_(loop), width_(width), function_(function), walk_(walk), inputs_(inputs), n_(n),
        p_(n), at_(n), step_(n), add_(2 * n), access_(n), block_(choose_access(operands)),
        blocks_(n * block_) {
    for (int k = 0; k < n_; ++k) {
      p_[k] = static_cast<T*>(operands[k].data);
      add_[k] = operands[k].add;
    }
  }

  void operator()() {
    Size length = walk_.row_length(), whole = length / width_ * width_;
    if (block_ == kBlock)
      walk_.each(p_.data(), [&] {
        for (Size begin = 0; begin < whole; begin += kBlock)
          part(begin, std::min(kBlock, whole - begin), false);
        if (whole < length) part(whole, length - whole, true);
      });
    else
      walk_.each(p_.data(), [&] {
        if (whole > 0) in_place(whole);
        if (whole < length) part(whole, length - whole, true);
      });
  }

 private:
  /// How each operand is read or written; returns the size that blocks need.
  Size choose_access(const Operand* operands) {
    bool any = false;
    for (int k = 0; k < n_; ++k) {
      Size step = walk_.row_step(k);
      access_[k] = operands[k].layout == Operand::unwanted ? Access::unwanted
                   : k < inputs_ && step == 0 ? Access::uniform
                   : step == 1                ? Access::direct
                                              : Access::staged;
      any |= access_[k] == Access::staged;
    }
    return any ? kBlock : width_;
  }

  T* block(int k) { return blocks_.data() + k * block_; }

  /// The row's first elements, a multiple of the lane's width, with nothing to copy.
  void in_place(Size count) {
    for (int k = 0; k < n_; ++k) {
      at_[k] = p_[k];
      step_[k] = width_;
      if (access_[k] != Access::uniform) continue;
      at_[k] = block(k);
      step_[k] = 0;
      std::fill(at_[k], at_[k] + width_, *p_[k]);
    }
    loop_(function_, at_.data(), step_.data(), at_.data() + inputs_, add_.data() + inputs_,
          count / width_);
  }

  /// `count` elements of the row, a multiple of the lane's width unless they are its tail.
  void part(Size begin, Size count, bool tail) {
    bool* add = add_.data() + n_;
    for (int k = 0; k < n_; ++k) {
      T* from = p_[k] + begin * walk_.row_step(k);
      step_[k] = width_;
      add[k] = false;
      at_[k] = block(k);
      if (access_[k] == Access::uniform) {
        step_[k] = 0;
        std::fill(at_[k], at_[k] + width_, *from);
      } else if (access_[k] == Access::unwanted) {
        at_[k] = nullptr;
      } else if (access_[k] == Access::direct && !tail) {
        at_[k] = from;
        add[k] = add_[k];
      } else if (k < inputs_) {
        gather(at_[k], from, walk_.row_step(k), count);
        std::fill(at_[k] + count, at_[k] + (count + width_ - 1) / width_ * width_, *at_[k]);
      }
    }
    call(count);
    for (int k = inputs_; k < n_; ++k)
      if (access_[k] == Access::staged || (tail && access_[k] == Access::direct))
        scatter(p_[k] + begin * walk_.row_step(k), walk_.row_step(k), block(k), count, add_[k]);
  }

  void call(Size count) {
    loop_(function_, at_.data(), step_.data(), at_.data() + inputs_,
          add_.data() + n_ + inputs_, (count + width_ - 1) / width_);
  }

  LaneLoop<T> loop_;
  Size width_;
  const void* function_;
  const Walk& walk_;
  int inputs_, n_;
  Small<T*, 16> p_;       // the current row of each operand
  Small<T*, 16> at_;      // what the inner loop is given
  Small<Size, 16> step_;
  Small<bool, 32> add_;   // what is asked for, and what the inner loop is told
  Small<Access, 16> access_;
  Size block_;
  Small<T, 160> blocks_;
};

/// The run over one row of operands that are whole arrays or single numbers.
template <class T>
void run_flat(LaneLoop<T> loop, Size width, const void* function, Size length,
              const Operand* operands, int inputs, int n) {
  constexpr Size most = 64 / sizeof(T);
  T* at[kFlat];
  Size step[kFlat];
  bool add[kFlat];
  alignas(64) T block[kFlat][most];
  for (int k = 0; k < n; ++k) {
    at[k] = static_cast<T*>(operands[k].data);
    add[k] = operands[k].add;
    step[k] = width;
    if (operands[k].layout != Operand::uniform) continue;
    std::fill(block[k], block[k] + width, *at[k]);
    at[k] = block[k];
    step[k] = 0;
  }
  Size whole = length / width * width, rest = length - whole;
  if (whole > 0) loop(function, at, step, at + inputs, add + inputs, length / width);
  if (rest == 0) return;
  T* result[kFlat];
  for (int k = 0; k < n; ++k) {
    if (operands[k].layout != Operand::whole) continue;
    T* from = at[k] + whole;
    result[k] = from;
    at[k] = block[k];
    for (Size i = 0; k < inputs && i < width; ++i) block[k][i] = from[i < rest ? i : 0];
    std::fill(add, add + n, false);
  }
  loop(function, at, step, at + inputs, add + inputs, 1);
  for (int k = inputs; k < n; ++k)
    for (Size i = 0; operands[k].layout == Operand::whole && i < rest; ++i)
      result[k][i] = operands[k].add ? result[k][i] + block[k][i] : block[k][i];
}

template <class T>
void run_as(LaneLoop<T> loop, Size width, const void* function, const Shape& shape,
            const Operand* operands, int inputs, int n) {
  bool flat = n <= kFlat && width * static_cast<Size>(sizeof(T)) <= 64;
  for (int k = 0; k < n && flat; ++k)
    flat = operands[k].layout != Operand::strided &&
           (k < inputs || operands[k].layout != Operand::uniform);
  if (flat) return run_flat<T>(loop, width, function, shape.count(), operands, inputs, n);
  Walk walk(shape, operands, n);
  if (walk.rank() > 1 && walk.row_length() < kShort * width)
    PackedRun<T>(loop, width, function, walk, operands, inputs, n)();
  else
    Run<T>(loop, width, function, walk, operands, inputs, n)();
}

}  // namespace

void Operand::set(const Array& array, const Shape& shape) {
  data = const_cast<void*>(array.raw());
  if (array.shape() == shape) {
    layout = array.is_contiguous() ? whole : strided;
    if (layout == strided) strides = array.strides();
  } else if (array.size() == 1) {
    layout = uniform;
  } else {
    layout = strided;
    strides = array.broadcast_to(shape).strides();
  }
}

void run(const LaneKernel& kernel, const void* function, Type type, const Shape& shape,
         const Operand* operands, int inputs, int n) {
  if (shape.count() == 0) return;
  if (type == float32)
    run_as<float>(kernel.single, kernel.single_width, function, shape, operands, inputs, n);
  else
    run_as<double>(kernel.twice, kernel.twice_width, function, shape, operands, inputs, n);
}

}  // namespace unroll::kernel
