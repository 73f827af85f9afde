// The order in which lane loops walk over strided operands, row by row, and how a row gets into a
// block and back. What happens to a row is in lane_kernel.cpp and lane_packed.hpp.
#pragma once

#include <algorithm>

#include <unroll/autograd/small.hpp>
#include <unroll/ops/lane_kernel.hpp>

namespace unroll::kernel {

constexpr Size kBlock = 256;  // elements of a block on the side; a multiple of every lane's width

/// A row of n elements, `step` apart, into a block.
template <class T>
void gather(T* to, const T* from, Size step, Size n) {
  if (step == 1) std::copy(from, from + n, to);
  else if (step == 0) std::fill(to, to + n, *from);
  else
    for (Size i = 0; i < n; ++i) to[i] = from[i * step];
}

/// The same back, or added to what is there; to one place if step is 0.
template <class T>
void scatter(T* to, Size step, const T* from, Size n, bool add) {
  if (!add) {
    for (Size i = 0; i < n; ++i) to[i * step] = from[i];
  } else if (step == 0) {
    T sum = 0;
    for (Size i = 0; i < n; ++i) sum += from[i];
    *to += sum;
  } else {
    for (Size i = 0; i < n; ++i) to[i * step] += from[i];
  }
}

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

  /// How many rows follow each other with one step between them.
  Size rows() const { return rank_ > 1 ? sizes_[rank_ - 2] : 1; }
  Size step_to_next_row(int k) const { return rank_ > 1 ? step(rank_ - 2, k) : 0; }

  /// Calls row() once a row, when p[k] points to the row of operand k.
  template <class T, class F>
  void each(T** p, F&& row) const {
    walk(p, rank_ - 2, row);
  }
  /// The same once for every rows() of them, when p[k] points to the first one.
  template <class T, class F>
  void each_plane(T** p, F&& plane) const {
    walk(p, rank_ - 3, plane);
  }

 private:
  /// Over the axes up to `last`.
  template <class T, class F>
  void walk(T** p, int last, F&& f) const {
    if (last < 0) return f();
    Shape index = sizes_;
    for (Size& i : index) i = 0;
    for (;;) {
      f();
      int axis = last;
      for (; axis >= 0; --axis) {
        bool wrap = ++index[axis] == sizes_[axis];
        for (int k = 0; k < n_; ++k) p[k] += step(axis, k) * (wrap ? 1 - sizes_[axis] : 1);
        if (!wrap) break;
        index[axis] = 0;
      }
      if (axis < 0) return;
    }
  }

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
