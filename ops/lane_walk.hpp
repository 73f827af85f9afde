// The order in which lane loops walk over strided operands, row by row. What happens to a row is in
// lane_kernel.cpp, the only user of this.
#pragma once

#include <algorithm>

#include <unroll/autograd/small.hpp>
#include <unroll/ops/lane_kernel.hpp>

namespace unroll::kernel {

/// Operands in one common shape; neighbouring axes are merged where all operands allow it.
class Walk {
 public:
  Walk(const Shape& shape, const Operand* operands, int n)
      : n_(n), steps_(n * std::max(1, shape.rank())), whole_(contiguous_strides(shape)) {
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      bool merged = rank_ > 0;
      for (int k = 0; k < n_ && merged; ++k)
        merged = step(rank_ - 1, k) == stride(operands[k], axis) * shape[axis];
      if (!merged) {
        sizes_.push_back(1);
        ++rank_;
      }
      sizes_[rank_ - 1] *= shape[axis];
      for (int k = 0; k < n_; ++k) steps_[(rank_ - 1) * n_ + k] = stride(operands[k], axis);
    }
    if (rank_ > 0) return;
    sizes_.push_back(1);
    for (int k = 0; k < n_; ++k) steps_[k] = 0;
    rank_ = 1;
  }

  int rank() const { return rank_; }
  Size row_length() const { return sizes_[rank_ - 1]; }
  Size row_step(int k) const { return step(rank_ - 1, k); }

  /// Calls row() once a row, when p[k] points to the row of operand k.
  template <class T, class F>
  void each(T** p, F&& row) const {
    if (rank_ == 1) return row();
    Shape index = sizes_;
    for (Size& i : index) i = 0;
    for (;;) {
      row();
      int axis = rank_ - 2;
      for (; axis >= 0; --axis) {
        bool wrap = ++index[axis] == sizes_[axis];
        for (int k = 0; k < n_; ++k) p[k] += step(axis, k) * (wrap ? 1 - sizes_[axis] : 1);
        if (!wrap) break;
        index[axis] = 0;
      }
      if (axis < 0) return;
    }
  }

 private:
  Size stride(const Operand& o, int axis) const {
    return o.layout == Operand::whole     ? whole_[axis]
           : o.layout == Operand::strided ? o.strides[axis]
                                          : 0;
  }
  Size step(int axis, int k) const { return steps_[axis * n_ + k]; }

  int n_, rank_ = 0;
  Shape sizes_;
  Small<Size, 48> steps_;
  Shape whole_;
};

}  // namespace unroll::kernel
