// The right side of many products of few rows: a weight that every time step uses, copied into the
// layout that they want once that is worth it. For .cpp files of ops; single products: gemm.hpp.
#pragma once

#include <optional>

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

  /// C = A B, or C += A B if `accumulate`, or C = A B + `row` if there is one: contiguous A (..., k),
  /// C (..., n) of as many rows and row (n).
  void multiply(const Array& a, Array& c, bool accumulate, const Array* row = nullptr);

 private:
  template <class T>
  void multiply_panels(Size m, const T* a, T* c, bool accumulate, const T* row);
  template <class T>
  void set_last_row(const T* row);

  Size k_, n_;
  bool panels_;
  Array b_;  ///< (k, n), or panels of kWidth columns, (k + 1, kWidth) each, the last narrower
};

/// A product of so many rows may make a RightSide for itself alone.
constexpr Size kRowsForPanels = 16;

/// A weight that is a right side as often as it is asked for.
class ReusedRightSide {
 public:
  /// True if products of so many rows with W may gain from a RightSide.
  static bool gains(Size rows, const Array& W);

  /// W, or W^T if `transposed`, for one more product of so many rows, which gain; nullptr if this
  /// one is better off without. W is the same at each call.
  RightSide* next(Size rows, const Array& W, bool transposed);

 private:
  int uses_ = 0;
  std::optional<RightSide> right_side_;
};

}  // namespace unroll::kernel
