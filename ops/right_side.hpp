// The right side of many products of few rows: a weight that every time step uses, copied once into
// the layout that they want. For the .cpp files of ops; single products are gemm.hpp's.
#pragma once

#include <unroll/autograd/array.hpp>

namespace unroll::kernel {

/// Who multiplies.
enum class Multiplier { openblas, libxsmm };

/// libxsmm if the library was built with it and this processor has its kernels, else OpenBLAS.
Multiplier fastest_multiplier();

/// B of C = A B. OpenBLAS wants it row-major, not transposed: else it packs it anew in every call.
/// libxsmm's kernels, which are generated for the very sizes of a product, want panels of columns
/// that lie together.
class RightSide {
 public:
  /// B (k, n) of any strides, float32 or float64. Its numbers must not change as long as this
  /// lives.
  explicit RightSide(const Array& B, Multiplier by = fastest_multiplier());

  /// C = A B, or C += A B if `accumulate`: contiguous A (..., k) and C (..., n) of as many rows.
  void multiply(const Array& a, Array& c, bool accumulate) const;

 private:
  template <class T>
  void multiply_panels(Size m, const T* a, T* c, bool accumulate) const;

  Size k_, n_;
  bool panels_;
  Array b_;  ///< (k, n), or panels of kWidth columns, (k, kWidth) each, the last one narrower
};

}  // namespace unroll::kernel
