// Products of arrays of matrices through gemm, for the .cpp files of ops. Nothing is recorded here;
// the ops are in matmul.hpp and linear.hpp.
#pragma once

#include <unroll/autograd/array.hpp>

namespace unroll::kernel {

/// c = a b, or c += a b if `accumulate`: (..., m, k) x (..., k, n), leading axes broadcast to a
/// common shape. Where c is missing a leading axis, or has size 1 there, the products are summed.
/// Transposed and sliced arguments are not copied; leading axes become rows of one big product
/// where the strides allow it.
void multiply_matrices(Array& c, bool accumulate, const Array& a, const Array& b);

/// c (m, n) = op(a) op(b), or c += op(a) op(b) if `accumulate`, of contiguous matrices, whatever
/// their shapes: op(a) is (m, k), op(b) is (k, n), transposed where ta, tb say so.
void multiply_contiguous(bool ta, bool tb, Size m, Size n, Size k, const Array& a, const Array& b,
                         Array& c, bool accumulate);

/// How many rows an array has, its last axis being a row: the product of the others, which may be 0.
Size rows_in(const Array& a);

}  // namespace unroll::kernel
