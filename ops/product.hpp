// Products of strided arrays of matrices through gemm, for the .cpp files of ops. Nothing is
// recorded here; the op is in matmul.hpp.
#pragma once

#include <unroll/autograd/array.hpp>

namespace unroll::kernel {

/// c = a b, or c += a b if `accumulate`: (..., m, k) x (..., k, n), leading axes broadcast to a
/// common shape. Where c is missing a leading axis, or has size 1 there, the products are summed.
/// Transposed and sliced arguments are not copied; leading axes become rows of one big product
/// where the strides allow it.
void multiply_matrices(Array& c, bool accumulate, const Array& a, const Array& b);

}  // namespace unroll::kernel
