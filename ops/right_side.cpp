// Panels, and the kernels that multiply them. The only file of the library that includes libxsmm.h.
#include <unroll/ops/right_side.hpp>

#include <algorithm>
#include <limits>

#include <unroll/autograd/strided.hpp>
#include <unroll/ops/gemm.hpp>

#ifdef UNROLL_LIBXSMM
#include <libxsmm.h>
#endif

namespace unroll::kernel {

namespace {

// Columns of a panel, rows of a block: of 16 to 256 columns, 32 were the fastest for every shape of
// recurrent layers that was tried, from (2, 128) x (128, 512) to (64, 256) x (256, 1024).
constexpr Size kWidth = 32, kRows = 64;

/// c (rows, width) = a (rows, k) panel (k, width), + c if it accumulates; c has rows of n elements.
template <class T>
class PanelKernel {
 public:
  PanelKernel(Size rows, Size width, Size k, Size n, bool accumulate)
      : rows_(rows), width_(width), k_(k), n_(n), beta_(accumulate ? T(1) : T(0)) {
#ifdef UNROLL_LIBXSMM
    // It counts columns first, and so sees c^T = panel^T a^T.
    const int m = static_cast<int>(width), r = static_cast<int>(rows), inner = static_cast<int>(k),
              ldc = static_cast<int>(n), flags = LIBXSMM_GEMM_FLAG_NONE;
    const T one = 1;
    if constexpr (std::is_same_v<T, float>)
      f_ = libxsmm_smmdispatch(m, r, inner, &m, &inner, &ldc, &one, &beta_, &flags, nullptr);
    else
      f_ = libxsmm_dmmdispatch(m, r, inner, &m, &inner, &ldc, &one, &beta_, &flags, nullptr);
#endif
  }

  void operator()(const T* a, const T* panel, T* c) const {
#ifdef UNROLL_LIBXSMM
    if (f_) return f_(panel, a, c);
#endif
    gemm<T>(false, false, rows_, width_, k_, T(1), a, k_, panel, width_, beta_, c, n_);
  }

 private:
  Size rows_, width_, k_, n_;
  T beta_;
#ifdef UNROLL_LIBXSMM
  std::conditional_t<std::is_same_v<T, float>, libxsmm_smmfunction, libxsmm_dmmfunction> f_;
#endif
};

/// Panel after panel in one array.
Array in_panels(const Array& B) {
  const Size k = B.size(0), n = B.size(1);
  Array all = Array::uninitialised({k * n}, B.type());
  for (Size j = 0; j < n; j += kWidth) {
    const Size width = std::min(kWidth, n - j);
    Array panel = all.sliced(0, j * k, (j + width) * k).reshaped({k, width});
    copy_into(panel, B.sliced(1, j, j + width));
  }
  return all;
}

}  // namespace

Multiplier fastest_multiplier() {
#ifdef UNROLL_LIBXSMM
  static const bool has_kernels = libxsmm_get_target_archid() >= LIBXSMM_X86_AVX2;
  if (has_kernels) return Multiplier::libxsmm;
#endif
  return Multiplier::openblas;
}

RightSide::RightSide(const Array& B, Multiplier by) : k_(B.size(0)), n_(B.size(1)) {
  const bool some = k_ > 0 && n_ > 0, fits = std::max(k_, n_) <= std::numeric_limits<int>::max();
  panels_ = by == Multiplier::libxsmm && some && fits;
  b_ = panels_ ? in_panels(B) : B.contiguous();
}

template <class T>
void RightSide::multiply_panels(Size m, const T* a, T* c, bool accumulate) const {
  const T* b = b_.data<T>();
  const Size full = n_ / kWidth * kWidth, rest = n_ - full;
  for (Size i = 0, rows; i < m; i += rows) {
    rows = std::min(kRows, m - i);
    const T* a_rows = a + i * k_;
    T* c_rows = c + i * n_;
    if (full) {
      const PanelKernel<T> kernel(rows, kWidth, k_, n_, accumulate);
      for (Size j = 0; j < full; j += kWidth) kernel(a_rows, b + j * k_, c_rows + j);
    }
    if (rest) PanelKernel<T>(rows, rest, k_, n_, accumulate)(a_rows, b + full * k_, c_rows + full);
  }
}

void RightSide::multiply(const Array& a, Array& c, bool accumulate) const {
  if (c.size() == 0) return;
  const Size m = c.size() / n_;
  dispatch_float("linear", c.type(), [&]<class T>() {
    if (panels_) return multiply_panels<T>(m, a.data<T>(), c.mutable_data<T>(), accumulate);
    gemm<T>(false, false, m, n_, k_, T(1), a.data<T>(), k_, b_.data<T>(), n_, T(accumulate ? 1 : 0),
            c.mutable_data<T>(), n_);
  });
}

}  // namespace unroll::kernel
