// The rows of a sequence, and what they share: products with a weight that every step uses are
// computed for all steps in one matrix product. No cell needs to know of it.
#pragma once

#include <vector>

#include <unroll/autograd/variable.hpp>

namespace unroll {

/// xs[0], xs[1], ... of a sequence (T, ...), in order: as unstack(xs), and marked as its rows, so that
/// linear and affine find the other steps.
std::vector<Variable> rows_of(const Variable& xs);

namespace detail {

struct RowProduct {
  Variable row;            ///< x W^T (+ b) of one step; empty if there is none
  bool has_bias = false;
};
/// x W^T, or x W^T + b, as a row of the product of the whole sequence, if x is a row of one and W was
/// used with another row before; else empty. It is given away: nobody else holds it, and who asks
/// for the same row again gets none. Not for weights made anew in each step: they never match. b
/// may be empty. The product of a part is one node, which one backward pass releases for all of its
/// steps.
RowProduct product_of_row(const Variable& x, const Variable& W, const Variable& b);

}  // namespace detail

}  // namespace unroll
