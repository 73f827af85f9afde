// The calls into OpenBLAS's cblas, and which of them fits a product. How OpenBLAS is
// set up is in openblas.cpp; the products that it does not get are in gemv.cpp and right_side.cpp.
#include <unroll/ops/gemm.hpp>

#include <algorithm>
#include <limits>

#include <cblas.h>

#include <unroll/ops/gemv.hpp>
#include <unroll/ops/openblas.hpp>

namespace unroll {

namespace {

CBLAS_TRANSPOSE flag(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

template <class T>
void scale(Size m, Size n, T beta, T* c, Size ldc) {
  if (beta == T(1)) return;
  for (Size i = 0; i < m; ++i)
    for (Size j = 0; j < n; ++j) c[i * ldc + j] = beta == T(0) ? T(0) : beta * c[i * ldc + j];
}

/// y = alpha op(M) x + beta y with M stored (rows, columns).
template <class T>
void gemv(bool transposed, int rows, int columns, T alpha, const T* m, int ld, const T* x, int incx,
          T beta, T* y, int incy) {
  const bool plain = alpha == T(1) && (beta == T(0) || beta == T(1)) && incx == 1 && incy == 1;
  if (plain && kernel::takes_gemv<T>(rows, columns))
    return kernel::gemv<T>(transposed, rows, columns, m, ld, x, y, beta == T(1));
  if constexpr (std::is_same_v<T, float>)
    cblas_sgemv(CblasRowMajor, flag(transposed), rows, columns, alpha, m, ld, x, incx, beta, y,
                incy);
  else
    cblas_dgemv(CblasRowMajor, flag(transposed), rows, columns, alpha, m, ld, x, incx, beta, y,
                incy);
}

}  // namespace

template <class T>
void gemm(bool ta, bool tb, Size m, Size n, Size k, T alpha, const T* a, Size lda, const T* b,
          Size ldb, T beta, T* c, Size ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) return scale(m, n, beta, c, ldc);
  // A matrix of one row has no distance between rows, yet cblas wants a plausible one.
  lda = std::max(lda, ta ? m : k);
  ldb = std::max(ldb, tb ? k : n);
  ldc = std::max(ldc, n);
  if (std::max({m, n, k, lda, ldb, ldc}) > std::numeric_limits<int>::max())
    fail("gemm", "a size of ", m, " x ", k, " times ", k, " x ", n, " exceeds 2^31 - 1.");
  kernel::prepare_openblas();
  auto i = [](Size size) { return static_cast<int>(size); };
  if (n == 1)  // c = op(A) b
    return gemv(ta, i(ta ? k : m), i(ta ? m : k), alpha, a, i(lda), b, tb ? 1 : i(ldb), beta, c,
                i(ldc));
  if (m == 1)  // c^T = op(B)^T a^T
    return gemv(!tb, i(tb ? n : k), i(tb ? k : n), alpha, b, i(ldb), a, ta ? i(lda) : 1, beta, c,
                1);
  if constexpr (std::is_same_v<T, float>)
    cblas_sgemm(CblasRowMajor, flag(ta), flag(tb), i(m), i(n), i(k), alpha, a, i(lda), b, i(ldb),
                beta, c, i(ldc));
  else
    cblas_dgemm(CblasRowMajor, flag(ta), flag(tb), i(m), i(n), i(k), alpha, a, i(lda), b, i(ldb),
                beta, c, i(ldc));
}

template void gemm<float>(bool, bool, Size, Size, Size, float, const float*, Size, const float*,
                          Size, float, float*, Size);
template void gemm<double>(bool, bool, Size, Size, Size, double, const double*, Size, const double*,
                           Size, double, double*, Size);

}  // namespace unroll
