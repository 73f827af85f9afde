// Raw matrix products over OpenBLAS: pointers, sizes and leading dimensions, nothing recorded.
// Products of Variables, with shape checks and gradients, are in matmul.hpp.
#pragma once

#include <unroll/autograd/shape.hpp>

namespace unroll {

/// C = alpha op(A) op(B) + beta C, row-major; op(A) is (m, k), op(B) is (k, n), C is (m, n).
/// A is stored (m, k), or (k, m) if `ta`; B is stored (k, n), or (n, k) if `tb`. Leading dimensions
/// are elements between rows as stored. With beta = 0 the old content of C does not matter, even
/// NaN; with k = 0 the product is 0. OpenBLAS runs in the calling thread only.
/// T is float or double.
template <class T>
void gemm(bool ta, bool tb, Size m, Size n, Size k, T alpha, const T* a, Size lda, const T* b,
          Size ldb, T beta, T* c, Size ldc);

extern template void gemm<float>(bool, bool, Size, Size, Size, float, const float*, Size,
                                 const float*, Size, float, float*, Size);
extern template void gemm<double>(bool, bool, Size, Size, Size, double, const double*, Size,
                                  const double*, Size, double, double*, Size);

}  // namespace unroll
