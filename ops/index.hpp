// Ops that choose elements by int64 index arrays or masks, and sorting. Ranges and single
// positions, which are views, are in reshape.hpp.
#pragma once

#include <vector>

#include <unroll/autograd/variable.hpp>

namespace unroll {

// Indices are int64 and in [0, n) unless said otherwise; any other throws Error naming the op, the
// index, the axis and the shape. Repeated indices add up their gradients.

/// y[i][j][k] = x[i][index[i][j][k]][k] for axis 1: index has x's rank, and sizes up to x's along
/// the other axes.
Variable gather(const Variable& x, Size axis, const Variable& index);
/// x plus source[i][j][k] at [i][index[i][j][k]][k] for axis 1; index and source have one shape.
Variable scatter_add(const Variable& x, Size axis, const Variable& index, const Variable& source);

/// Slices of x along an axis: the axis is replaced by the axes of index, of which there may be any
/// number. (V, D) by (T, B) along 0 is (T, B, D).
Variable index_select(const Variable& x, Size axis, const Variable& index);
/// x plus slices of source, each at its index along the axis; source has the shape of
/// index_select(x, axis, index).
Variable index_add(const Variable& x, Size axis, const Variable& index, const Variable& source);

/// x[i0, i1, ...] as in NumPy: the indices broadcast to one shape, which replaces as many leading
/// axes of x. Negative indices count from the end.
Variable index(const Variable& x, const Variables& indices);
/// The elements of x where the mask, which broadcasts to x's shape, is not 0; one axis, row-major.
Variable masked_select(const Variable& x, const Variable& mask);

struct EmbeddingOptions {
  /// This row gets no gradient; -1 for none.
  Size padding = -1;
};
/// Rows of weight (V, D) by int64 index (...): (..., D).
Variable embedding(const Variable& weight, const Variable& index,
                   const EmbeddingOptions& options = {});
/// index (...) -> (..., classes): 1 at each index, 0 elsewhere; a constant.
Variable one_hot(const Variable& index, Size classes, Type type = float32);

/// Elements in order, and where along the axis they were (int64, a constant).
struct Sorted {
  Variable values, indices;
};
/// Stable: equal elements keep their order. NaN counts as larger than every number.
Sorted sort(const Variable& x, Size axis = -1, bool descending = false);

struct TopkOptions {
  Size axis = -1;
  bool largest = true;
};
/// The k largest (or smallest) elements along an axis, best first, of equal ones the first.
Sorted topk(const Variable& x, Size k, const TopkOptions& options = {});

}  // namespace unroll
