// Matrix times vector with as many independent sums as hide the time of an addition, and with M as it
// lies. Matrices that come from memory wait for that whoever multiplies: they are OpenBLAS's.
#include <unroll/ops/gemv.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <unroll/ops/lane.hpp>

namespace unroll::kernel {

namespace {

/// The compiler's own vectors, since xsimd's haddp of 16 floats puts them in another order.
template <class T>
struct Vectors {
  static constexpr int width = static_cast<int>(Lane<T>::width), part = 16 / int{sizeof(T)};
  using Vector [[gnu::vector_size(width * sizeof(T))]] = T;

  static Vector load(const T* p) {
    Vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(Vector v, T* p) { std::memcpy(p, &v, sizeof v); }

  /// Where in a and b behind each other number i of add_halves() comes from.
  template <int span, int h>
  static constexpr int place(int i) {
    const int first = i / span * span, j = i % span / h * 2 * h + i % h;
    return j < span ? first + j : width + first + j - span;
  }
  /// Of each `span` numbers of a, and those of b behind them, in blocks of 2 h: their halves added.
  template <int span, int h, int... I>
  static Vector add_halves(Vector a, Vector b, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(a, b, place<span, h>(I)...) +
           __builtin_shufflevector(a, b, place<span, h>(I) + h...);
  }
  /// The sum of each of `width` vectors: within 128 bits first, where one instruction takes from two
  /// registers, then across them.
  template <int span = part, int h = part / 2, int n = width>
  static Vector sums_of(Vector* v) {
    if constexpr (n == 1) {
      return *v;
    } else if constexpr (h == 0) {
      return sums_of<width, width / 2, n>(v);
    } else {
      for (int k = 0; k < n / 2; ++k)
        v[k] = add_halves<span, h>(v[2 * k], v[2 * k + 1], std::make_integer_sequence<int, width>());
      return sums_of<span, h / 2, n / 2>(v);
    }
  }

  /// M x for `width` rows, each with a sum of its own. `odd` if columns are no multiple of `width`.
  template <bool odd>
  static Vector rows_times(Size columns, const T* m, Size ld, const T* x) {
    Vector sums[width] = {};
    Size i = 0;
    do {  // at least once, so that the compiler sees that the sums need no memory
      const Vector part_of_x = load(x + i);
      for (int r = 0; r < width; ++r) sums[r] += part_of_x * load(m + r * ld + i);
      i += width;
    } while (i + width <= columns);
    if constexpr (odd) {  // the last numbers of the row, without those that have been added
      T is_new[width];
      std::fill_n(std::fill_n(is_new, width - (columns - i), T(0)), columns - i, T(1));
      const Vector marks = load(is_new), none = {};
      auto rest = [&](const T* row) { return marks > 0 ? load(row + columns - width) : none; };
      const Vector part_of_x = rest(x);
      for (int r = 0; r < width; ++r) sums[r] += part_of_x * rest(m + r * ld);
    }
    return sums_of(sums);
  }
  static Vector rows_times(Size columns, const T* m, Size ld, const T* x) {
    return columns % width ? rows_times<true>(columns, m, ld, x)
                           : rows_times<false>(columns, m, ld, x);
  }

  /// x M for so many vectors of columns.
  template <int lanes>
  static void columns_times(Size rows, const T* m, Size ld, const T* x, T* y, bool accumulate) {
    constexpr int deep = (8 + lanes - 1) / lanes;
    Vector sums[deep][lanes] = {};
    for (int j = 0; j < lanes && accumulate; ++j) sums[0][j] = load(y + j * width);
    auto add = [&](Size i, int d) {
      for (int j = 0; j < lanes; ++j) sums[d][j] += x[i] * load(m + i * ld + j * width);
    };
    Size i = 0;
    for (; i + deep <= rows; i += deep)
      for (int d = 0; d < deep; ++d) add(i + d, d);
    for (; i < rows; ++i) add(i, 0);
    for (int j = 0; j < lanes; ++j) {
      for (int d = 1; d < deep; ++d) sums[0][j] += sums[d][j];
      store(sums[0][j], y + j * width);
    }
  }
};

/// y[i] = last lane's number i, plus y[i] as it was if `accumulate`, for the last numbers of y.
template <class T>
void put_rest(const T* last_lane, Size n, Size rest, T* y, bool accumulate) {
  const T* from = last_lane + Lane<T>::width - n;
  for (Size i = n - rest; i < n; ++i) y[i] = accumulate ? y[i] + from[i] : from[i];
}

}  // namespace

template <class T>
bool takes_gemv(Size rows, Size columns) {
  constexpr Size kMost = (3 << 19) / sizeof(T), width = Lane<T>::width;
  return rows >= width && columns >= width && rows <= kMost && rows * columns <= kMost;
}

template <class T>
void gemv(bool transposed, Size rows, Size columns, const T* m, Size ld, const T* x, T* y,
          bool accumulate) {
  using V = Vectors<T>;
  constexpr Size width = V::width, many = 4;
  const Size n = transposed ? columns : rows;
  Size k = 0;
  if (transposed) {
    for (; k + many * width <= n; k += many * width)
      V::template columns_times<many>(rows, m + k, ld, x, y + k, accumulate);
    for (; k + width <= n; k += width)
      V::template columns_times<1>(rows, m + k, ld, x, y + k, accumulate);
  } else {
    for (; k + width <= n; k += width) {
      const auto sums = V::rows_times(columns, m + k * ld, ld, x);
      V::store(accumulate ? sums + V::load(y + k) : sums, y + k);
    }
  }
  if (k == n) return;
  T last[width];  // results that are there already among them
  if (transposed) V::template columns_times<1>(rows, m + n - width, ld, x, last, false);
  else V::store(V::rows_times(columns, m + (n - width) * ld, ld, x), last);
  put_rest(last, n, n - k, y, accumulate);
}

template bool takes_gemv<float>(Size, Size);
template bool takes_gemv<double>(Size, Size);
template void gemv<float>(bool, Size, Size, const float*, Size, const float*, float*, bool);
template void gemv<double>(bool, Size, Size, const double*, Size, const double*, double*, bool);

}  // namespace unroll::kernel
