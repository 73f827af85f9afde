// Ops that move numbers without changing them: views, cutting, joining, repeating. Choosing by
// index arrays is in index.hpp, sums and other reductions in reduce.hpp.
#pragma once

#include <array>
#include <span>
#include <utility>
#include <vector>

#include <unroll/autograd/variable.hpp>

namespace unroll {

/// The same numbers in row-major order under another shape; one size may be -1. A view if x is
/// contiguous, else a copy. Throws if the counts differ.
Variable reshape(const Variable& x, const Shape& shape);
/// The last two axes exchanged: (..., m, n) -> (..., n, m). A view.
Variable transpose(const Variable& x);
/// y's axis k is x's axis axes[k]: permute((T, B, D), {1, 0, 2}) is (B, T, D). A view.
Variable permute(const Variable& x, const std::vector<Size>& axes);
/// A new axis of size 1 before position `axis` (-1: at the end): (3, 4) at 1 is (3, 1, 4). A view.
Variable expand(const Variable& x, Size axis);
/// Without an axis of size 1. A view; throws if its size is not 1.
Variable squeeze(const Variable& x, Size axis);

/// x[start:stop:step] along an axis, as in Python: negative positions count from the end, those
/// outside are clipped, a negative step reads backwards. A view.
Variable sliced(const Variable& x, Size axis, Size start, Size stop, Size step = 1);
/// Index i along an axis, which disappears; negative i counts from the end. A view.
Variable select(const Variable& x, Size axis, Size i);
/// Reversed along the axes. A view.
Variable flip(const Variable& x, const std::vector<Size>& axes);
/// y[(i + shift) mod n] = x[i] along an axis.
Variable roll(const Variable& x, Size shift, Size axis);

/// x side by side: repeats[k] times along axis k, counted from the last axis if there are fewer;
/// (3, 4) tiled {2, 3} is (6, 12).
Variable tile(const Variable& x, const std::vector<Size>& repeats);
/// Each element n times in a row along an axis: (a, b) twice is (a, a, b, b).
Variable repeat(const Variable& x, Size n, Size axis);
/// `value` around x: widths[k] = {before, after} along axis k.
Variable pad(const Variable& x, const std::vector<std::pair<Size, Size>>& widths, double value = 0);

/// Joined along an axis; all other sizes must be equal. Throws for an empty list.
Variable concat(const Variables& parts, Size axis = -1);
/// Joined along a new axis: T times (B, H) along 0 is (T, B, H).
Variable stack_along(const Variables& parts, Size axis = 0);
namespace detail {
Variable stack_along(std::span<const Variable* const> parts, Size axis);
}
/// The x[i] along an axis; the inverse of stack_along. Views.
std::vector<Variable> unstack(const Variable& x, Size axis = 0);
/// Parts of those sizes along an axis, which must sum to its size. Views.
std::vector<Variable> split(const Variable& x, const std::vector<Size>& sizes, Size axis = -1);
/// n parts of equal size along an axis. Views; throws if n does not divide the size.
std::vector<Variable> chunk(const Variable& x, Size n, Size axis = -1);
/// auto [i, f, g, o] = chunk<4>(gates).
template <std::size_t N>
std::array<Variable, N> chunk(const Variable& x, Size axis = -1) {
  std::vector<Variable> parts = chunk(x, static_cast<Size>(N), axis);
  std::array<Variable, N> all;
  for (std::size_t k = 0; k < N; ++k) all[k] = std::move(parts[k]);
  return all;
}

/// x[..., i, i]: (..., m, n) -> (..., min(m, n)). A view.
Variable diagonal(const Variable& x);
/// Sum of the diagonal: (..., m, n) -> (...).
Variable trace(const Variable& x);
/// Zeros above the k-th diagonal of the last two axes: y_ij = x_ij if j - i <= k, else 0.
Variable tril(const Variable& x, Size k = 0);
/// Zeros below the k-th diagonal: y_ij = x_ij if j - i >= k, else 0.
Variable triu(const Variable& x, Size k = 0);

}  // namespace unroll
