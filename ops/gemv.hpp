// Raw products of a matrix and a vector, for matrices that are in a cache: pointers, sizes and a
// leading dimension. Internal to gemm.hpp, which takes all sizes.
#pragma once

#include <unroll/autograd/shape.hpp>

namespace unroll::kernel {

/// True if gemv() takes a matrix of that size, and is faster with it than OpenBLAS.
template <class T>
bool takes_gemv(Size rows, Size columns);

/// y = M x, or y = M^T x if `transposed`, plus y as it was if `accumulate`. M is stored
/// (rows, columns), row-major, with `ld` elements from row to row; x and y are contiguous.
/// T is float or double.
template <class T>
void gemv(bool transposed, Size rows, Size columns, const T* m, Size ld, const T* x, T* y,
          bool accumulate);

}  // namespace unroll::kernel
