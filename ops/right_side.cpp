// Panels, the kernels that multiply them, and when they are worth it. The only file of the library
// that includes libxsmm.h.
#include <unroll/ops/right_side.hpp>

#include <algorithm>
#include <limits>

#include <unroll/autograd/strided.hpp>
#include <unroll/ops/gemm.hpp>
#include <unroll/ops/lane.hpp>

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

/// Registers of a row of a panel.
template <class T>
constexpr Size kLanes = kWidth / Lane<T>::width;

/// True if libxsmm's kernels, with one sum in a register, have so few that they wait for each
/// addition.
template <class T>
bool are_few(Size rows) {
  return rows <= 3 && rows * kLanes<T> < 8;
}

/// That the compiler reads it once: from memory with each use costs twice the time, if it comes
/// from beyond the first cache.
template <class T>
void keep_in_register(Lane<T>& a) {
#if defined(__GNUC__) && defined(__AVX__)
  asm("" : "+v"(a.v.data));
#else
  static_cast<void>(a);
#endif
}

/// c (rows, kWidth) = a (rows, k) panel (k, kWidth), + c if it accumulates; c has rows of n
/// elements.
template <Size rows, class T>
void multiply_few(Size k, const T* a, const T* panel, T* c, Size n, bool accumulate) {
  using L = Lane<T>;
  constexpr Size lanes = kLanes<T>, deep = (8 + rows * lanes - 1) / (rows * lanes);
  L sums[deep][rows][lanes];
  for (Size r = 0; r < rows; ++r)
    for (Size j = 0; j < lanes; ++j) {
      sums[0][r][j] = accumulate ? L::load(c + r * n + j * L::width) : L(0);
      for (Size d = 1; d < deep; ++d) sums[d][r][j] = L(0);
    }
  auto add = [&](Size i, Size d) {
    for (Size j = 0; j < lanes; ++j) {
      L b = L::load(panel + i * kWidth + j * L::width);
      if constexpr (rows > 1) keep_in_register(b);
      for (Size r = 0; r < rows; ++r)
        sums[d][r][j] = xsimd::fma(L(a[r * k + i]).v, b.v, sums[d][r][j].v);
    }
  };
  Size i = 0;
  for (; i + deep <= k; i += deep)
    for (Size d = 0; d < deep; ++d) add(i + d, d);
  for (; i < k; ++i) add(i, 0);
  for (Size r = 0; r < rows; ++r)
    for (Size j = 0; j < lanes; ++j) {
      for (Size d = 1; d < deep; ++d) sums[0][r][j] += sums[d][r][j];
      sums[0][r][j].store(c + r * n + j * L::width);
    }
}

template <class T>
void multiply_few(Size rows, Size k, const T* a, const T* panel, T* c, Size n, bool accumulate) {
  if (rows == 1) return multiply_few<1>(k, a, panel, c, n, accumulate);
  if (rows == 2) return multiply_few<2>(k, a, panel, c, n, accumulate);
  return multiply_few<3>(k, a, panel, c, n, accumulate);
}

/// Panel after panel in one array, each with room for one more row.
template <class T>
Array in_panels(const Array& B) {
  const Size k = B.size(0), n = B.size(1), row = B.strides()[0], column = B.strides()[1];
  Array all = Array::uninitialised({(k + 1) * n}, B.type());
  T* to = all.mutable_data<T>();
  for (Size j = 0; j < n; j += kWidth) {
    const Size width = std::min(kWidth, n - j);
    const T* from = B.data<T>() + j * column;
    for (Size i = 0; i < k; ++i, to += width, from += row)
      for (Size w = 0; w < width; ++w) to[w] = from[w * column];
    to += width;
  }
  return all;
}

/// Rows of k elements, a 1 behind each.
template <class T>
void copy_with_ones(const T* a, Size rows, Size k, T* to) {
  for (Size i = 0; i < rows; ++i, a += k) {
    to = std::copy_n(a, k, to);
    *to++ = T(1);
  }
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
  const bool some = k_ > 0 && n_ > 0, fits = std::max(k_, n_) < std::numeric_limits<int>::max();
  panels_ = by == Multiplier::libxsmm && some && fits;
  b_ = !panels_ ? B.contiguous() : B.type() == float32 ? in_panels<float>(B) : in_panels<double>(B);
}

template <class T>
void RightSide::set_last_row(const T* row) {
  T* b = b_.mutable_data<T>();
  for (Size j = 0; j < n_; j += kWidth) {
    const Size width = std::min(kWidth, n_ - j);
    std::copy_n(row + j, width, b + j * (k_ + 1) + k_ * width);
  }
}

template <class T>
void RightSide::multiply_panels(Size m, const T* a, T* c, bool accumulate, const T* row) {
  // [A 1] [B; row] costs less than row after row in C, which would go through the cache twice.
  const Size k = row ? k_ + 1 : k_, step = k_ + 1;
  Array with_ones;
  if (row) {
    set_last_row(row);
    with_ones = Array::uninitialised({std::min(m, kRows), k}, b_.type());
  }
  const T* b = b_.data<T>();
  const Size full = n_ / kWidth * kWidth, rest = n_ - full;
  for (Size i = 0, rows; i < m; i += rows) {
    rows = std::min(kRows, m - i);
    const T* a_rows = a + i * k_;
    T* c_rows = c + i * n_;
    if (row) {
      copy_with_ones(a_rows, rows, k_, with_ones.mutable_data<T>());
      a_rows = with_ones.data<T>();
    }
    if (are_few<T>(rows)) {
      for (Size j = 0; j < full; j += kWidth)
        multiply_few(rows, k, a_rows, b + j * step, c_rows + j, n_, accumulate);
    } else if (full) {
      const PanelKernel<T> kernel(rows, kWidth, k, n_, accumulate);
      for (Size j = 0; j < full; j += kWidth) kernel(a_rows, b + j * step, c_rows + j);
    }
    if (rest) PanelKernel<T>(rows, rest, k, n_, accumulate)(a_rows, b + full * step, c_rows + full);
  }
}

void RightSide::multiply(const Array& x, Array& y, bool accumulate, const Array* row) {
  if (y.size() == 0) return;
  const Size m = y.size() / n_;
  if (row && !panels_) copy_into(y, *row);
  dispatch_float("linear", y.type(), [&]<class T>() {
    const T *a = x.data<T>(), *last = row ? row->data<T>() : nullptr;
    T* c = y.mutable_data<T>();
    if (panels_) return multiply_panels<T>(m, a, c, accumulate, last);
    gemm<T>(false, false, m, n_, k_, T(1), a, k_, b_.data<T>(), n_, T(accumulate || row), c, n_);
  });
}

namespace {

constexpr Size kFewRows = 128, kSmallBytes = 3 << 19;

bool is_small(const Array& W) { return W.size() * bytes_of(W.type()) <= kSmallBytes; }

/// The use at which a product of so many rows is better off with a RightSide, its making included.
int first_use(Size rows, const Array& W) {
  // So many save as much in one product.
  const bool at_once = fastest_multiplier() == Multiplier::libxsmm && rows >= kRowsForPanels;
  return at_once && is_small(W) ? 1 : 2;
}

}  // namespace

bool ReusedRightSide::gains(Size rows, const Array& W) {
  // One row reads W as it lies, see gemv.hpp. Many gain where W stays in the cache from one block
  // of them to the next, else OpenBLAS's own packing is as fast.
  return rows > 1 && (rows <= kFewRows || is_small(W));
}

RightSide* ReusedRightSide::next(Size rows, const Array& W, bool transposed) {
  if (!right_side_ && ++uses_ >= first_use(rows, W))
    right_side_.emplace(transposed ? W.transposed() : W);
  return right_side_ ? &*right_side_ : nullptr;
}

}  // namespace unroll::kernel
