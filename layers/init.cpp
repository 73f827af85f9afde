// The initialisers. All of them draw float64 numbers and convert, so that float32 and float64
// Parameters start from the same values.
#include <unroll/layers/init.hpp>

#include <cmath>

#include <unroll/ops/gemm.hpp>

namespace unroll::init {

namespace {

template <class Draw>
void fill(Array& a, Draw&& draw) {
  Array drawn = Array::uninitialised(a.shape(), float64);
  double* p = drawn.mutable_data<double>();
  for (Size k = 0; k < drawn.size(); ++k) p[k] = draw();
  a.assign(drawn);
}

struct Fans {
  double in = 1, out = 1;
  explicit Fans(const Shape& shape) {
    if (shape.rank() == 1) in = out = static_cast<double>(shape[0]);
    if (shape.rank() < 2) return;
    for (int k = 1; k < shape.rank(); ++k) in *= static_cast<double>(shape[k]);
    out = static_cast<double>(shape[0]);
    for (int k = 2; k < shape.rank(); ++k) out *= static_cast<double>(shape[k]);
  }
};

void fill_uniform(Array& a, Generator& generator, double low, double high) {
  fill(a, [&] { return low + (high - low) * generator.uniform(); });
}

double dot(const double* a, const double* b, Size n) {
  double sum[4] = {};  // four chains: the compiler may not reorder a sum
  Size k = 0;
  for (; k + 4 <= n; k += 4)
    for (int j = 0; j < 4; ++j) sum[j] += a[k + j] * b[k + j];
  for (; k < n; ++k) sum[0] += a[k] * b[k];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// q (rows, n), rows <= n: Gaussian rows made orthonormal by Gram-Schmidt, each projection done
// twice, which is enough for full accuracy (Giraud et al. 2005). Against the rows that are ready a
// block of rows is projected by two products of matrices.
void orthonormal_rows(double* q, Size rows, Size n, Generator& generator) {
  constexpr Size kBlock = 32;
  std::vector<double> shares(static_cast<std::size_t>(kBlock * rows));
  for (Size k = 0; k < rows * n; ++k) q[k] = generator.normal();
  for (Size first = 0; first < rows; first += kBlock) {
    Size count = std::min(kBlock, rows - first);
    double* v = q + first * n;
    for (int pass = 0; pass < 2 && first > 0; ++pass) {
      gemm<double>(false, true, count, first, n, 1, v, n, q, n, 0, shares.data(), first);
      gemm<double>(false, false, count, n, first, -1, shares.data(), first, q, n, 1, v, n);
    }
    for (Size i = 0; i < count; ++i) {
      double* row = v + i * n;
      for (int pass = 0; pass < 2; ++pass)
        for (Size j = 0; j < i; ++j) {
          double share = dot(row, v + j * n, n);
          for (Size k = 0; k < n; ++k) row[k] -= share * v[j * n + k];
        }
      double scale = 1 / std::sqrt(dot(row, row, n));
      for (Size k = 0; k < n; ++k) row[k] *= scale;
    }
  }
}

}  // namespace

void fan_in(Array& a, Generator& generator) {
  double bound = 1 / std::sqrt(Fans(a.shape()).in);
  fill_uniform(a, generator, -bound, bound);
}

void xavier(Array& a, Generator& generator) {
  Fans fans(a.shape());
  double bound = std::sqrt(6 / (fans.in + fans.out));
  fill_uniform(a, generator, -bound, bound);
}

void he(Array& a, Generator& generator) {
  double stddev = std::sqrt(2 / Fans(a.shape()).in);
  fill(a, [&] { return stddev * generator.normal(); });
}

void orthogonal(Array& a, Generator& generator) {
  if (a.rank() < 2) fail("orthogonal", "shape is ", a.shape(), "; expected a matrix (out, in).");
  if (a.size() == 0) return;
  Size rows = a.size(0), n = a.size() / rows;
  Size block = rows > n && rows % n == 0 ? n : rows;
  bool wide = block <= n;
  Array drawn = Array::uninitialised({rows, n}, float64);
  for (Size first = 0; first < rows; first += block) {
    Array q = Array::uninitialised(wide ? Shape{block, n} : Shape{n, block}, float64);
    orthonormal_rows(q.mutable_data<double>(), q.size(0), q.size(1), generator);
    drawn.sliced(0, first, first + block).assign(wide ? q : q.transposed());
  }
  a.assign(drawn.reshaped(a.shape()));
}

void zeros(Array& a, Generator&) { a.fill(0); }
void ones(Array& a, Generator&) { a.fill(1); }

void forget_bias(Array& a, Generator&) {
  if (a.rank() == 0 || a.size(0) % 4 != 0)
    fail("forget_bias", "shape is ", a.shape(), "; expected four gates, (4 hidden).");
  Size hidden = a.size(0) / 4;
  a.fill(0);
  a.sliced(0, hidden, 2 * hidden).fill(1);
}

Initialiser constant(double value) {
  return [value](Array& a, Generator&) { a.fill(value); };
}

Initialiser uniform(double low, double high) {
  return [low, high](Array& a, Generator& generator) { fill_uniform(a, generator, low, high); };
}

Initialiser normal(double stddev, double mean) {
  return [stddev, mean](Array& a, Generator& generator) {
    fill(a, [&] { return mean + stddev * generator.normal(); });
  };
}

Initialiser blocks(Size count, Initialiser each) {
  return [count, each](Array& a, Generator& generator) {
    if (a.rank() == 0 || count < 1 || a.size(0) % count != 0)
      fail("blocks", "shape is ", a.shape(), "; expected rows in ", count, " equal blocks.");
    Size rows = a.size(0) / count;
    for (Size k = 0; k < count; ++k) {
      Array block = a.sliced(0, k * rows, (k + 1) * rows);
      each(block, generator);
    }
  };
}

}  // namespace unroll::init
