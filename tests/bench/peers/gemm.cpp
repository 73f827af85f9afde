// The matrix products that W1 to W9 cannot do without, each by the fastest of OpenBLAS, oneDNN and
// libxsmm: the floor under a workload, one JSON line each: gemm [threads] [only]. Elementwise work,
// optimisers and softmax are left out, so it is a bound and no target.
#include <cblas.h>
#include <libxsmm.h>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>

#include "peer.hpp"

namespace {

/// 64-byte aligned numbers.
struct Numbers {
  explicit Numbers(std::size_t n)
      : p(static_cast<float*>(std::aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64))) {
    std::mt19937 generator(7);
    std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
    for (std::size_t k = 0; k < n; ++k) p[k] = uniform(generator);
  }
  Numbers(const Numbers&) = delete;
  ~Numbers() { std::free(p); }
  float* p;
};

/// `calls` products C (m, n) = A (m, k) B (k, n), row-major, one after the other. The As and Cs of
/// the calls are different; B, the weight, is the same. With `weight_gradient` C = A^T B with A (k,
/// m).
struct Product {
  int calls, m, n, k;
  bool weight_gradient = false;
};

/// The best of several ways to do a product, in seconds for all of its calls.
struct Best {
  double seconds = 1e9;
  std::string way;
  template <class F>
  void add(const std::string& name, const F& f) {
    const double t = bench::time(f, 0.1).median;
    if (t < seconds) seconds = t, way = name;
  }
};

struct Operands {
  explicit Operands(const Product& p)
      : product(p), a(count(p.calls, p.m, p.k)), b(count(1, p.k, p.n)),
        c(count(p.calls, p.m, p.n)) {}
  static std::size_t count(int calls, int rows, int columns) {
    return std::size_t(calls) * std::size_t(rows) * std::size_t(columns);
  }
  /// f(A, C) for every call.
  template <class F>
  auto each(const F& f) const {
    return [this, f] {
      const auto [calls, m, n, k, gradient] = product;
      for (int i = 0; i < calls; ++i)
        f(a.p + std::size_t(i) * std::size_t(m * k), c.p + std::size_t(i) * std::size_t(m * n));
    };
  }
  Product product;
  Numbers a, b, c;
};

void openblas(const Operands& o, Best& best) {
  const auto [calls, m, n, k, gradient] = o.product;
  const float* B = o.b.p;
  if (gradient) {
    best.add("OpenBLAS", o.each([=](const float* A, float* C) {
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, A, m, B, n, 0, C, n);
    }));
    return;
  }
  best.add("OpenBLAS", o.each([=](const float* A, float* C) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, A, k, B, n, 0, C, n);
  }));
  best.add("OpenBLAS transposed", o.each([=](const float* A, float* C) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, A, k, B, k, 0, C, n);
  }));
  if (m > 1) return;
  best.add("OpenBLAS gemv", o.each([=](const float* A, float* C) {
    cblas_sgemv(CblasRowMajor, CblasNoTrans, n, k, 1, B, k, A, 1, 0, C, 1);
  }));
}

void onednn(const Operands& o, Best& best) {
  using namespace dnnl;
  const auto [calls, m, n, k, gradient] = o.product;
  const float* B = o.b.p;
  const char ta = gradient ? 'T' : 'N';
  const int lda = gradient ? m : k;
  best.add("dnnl_sgemm", o.each([=](const float* A, float* C) {
    dnnl_sgemm(ta, 'N', m, n, k, 1, A, lda, B, n, 0, C, n);
  }));
  if (gradient) return;
  engine e(engine::kind::cpu, 0);
  stream s(e);
  const auto f32 = memory::data_type::f32;
  using Tag = memory::format_tag;
  const memory::desc a({m, k}, f32, Tag::ab), b({k, n}, f32, Tag::any), c({m, n}, f32, Tag::ab);
  const matmul::primitive_desc p(matmul::desc(a, b, c), e);
  memory from({{k, n}, f32, Tag::ab}, e, o.b.p), packed(p.weights_desc(), e);
  reorder(from, packed).execute(s, from, packed);
  memory x(a, e, nullptr), y(c, e, nullptr);
  matmul product(p);
  best.add("oneDNN packed", o.each([&](const float* A, float* C) {
    x.set_data_handle(const_cast<float*>(A));
    y.set_data_handle(C);
    product.execute(s, {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DST, y}});
    s.wait();
  }));
}

/// On panels of `width` columns of B, each (k, width); to libxsmm, which is column-major, C^T = B^T
/// A^T.
void libxsmm(const Operands& o, int width, Best& best) {
  const auto [calls, m, n, k, gradient] = o.product;
  const int rows = m <= 64 ? m : m % 64 == 0 ? 64 : m % 50 == 0 ? 50 : 0;
  if (gradient || peer::threads > 1 || rows == 0 || width > n) return;
  const int full = n / width, rest = n % width;
  Numbers panels(Operands::count(full + 1, k, width));
  for (int j = 0; j < n; j += width)
    for (int i = 0, w = std::min(width, n - j); i < k; ++i)
      std::copy_n(o.b.p + i * n + j, w, panels.p + std::size_t(j) * std::size_t(k) + i * w);
  auto kernel = [&, k = k, n = n](int w) {
    const float one = 1, zero = 0;
    const int flags = LIBXSMM_GEMM_FLAG_NONE;
    return libxsmm_smmdispatch(w, rows, k, &w, &k, &n, &one, &zero, &flags, nullptr);
  };
  const auto f = kernel(width), last = rest ? kernel(rest) : f;
  if (!f || !last) return;
  best.add("libxsmm packed", o.each([&, m = m, n = n, k = k](const float* A, float* C) {
    for (int i = 0; i < m; i += rows)
      for (int j = 0; j < n; j += width)
        (n - j < width ? last : f)(panels.p + std::size_t(j) * std::size_t(k),
                                   A + std::size_t(i) * std::size_t(k),
                                   C + std::size_t(i) * std::size_t(n) + j);
  }));
}

/// What a recurrent layer of `gates` gates needs, forward and backward, gradients of x too.
std::vector<Product> layer(int T, int B, int in, int hidden, int gates) {
  const int wide = gates * hidden;
  return {{1, T * B, wide, in}, {T, B, wide, hidden},       {T, B, hidden, wide},
          {1, T * B, in, wide}, {1, wide, in, T * B, true}, {1, wide, hidden, T * B, true}};
}

/// And a readout over all steps.
std::vector<Product> readout(int rows, int in, int out) {
  return {{1, rows, out, in}, {1, rows, in, out}, {1, out, in, rows, true}};
}

std::vector<Product> joined(std::initializer_list<std::vector<Product>> lists) {
  std::vector<Product> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

void floor_of(const std::string& name, const std::vector<Product>& products) {
  if (!peer::wanted(name.substr(0, 2))) return;
  double blas = 0, any = 0, flops = 0;
  for (const Product& p : products) {
    const Operands o(p);
    Best best;
    openblas(o, best);
    blas += best.seconds;
    onednn(o, best);
    for (int width : {16, 32, 48, 64}) libxsmm(o, width, best);
    any += best.seconds;
    flops += 2.0 * p.calls * p.m * p.n * p.k;
    std::fprintf(stderr, "%s: %d x (%d, %d, %d) %s %.1f GFLOP/s\n", name.c_str(), p.calls, p.m, p.n,
                 p.k, best.way.c_str(), 2e-9 * p.calls * p.m * p.n * p.k / best.seconds);
  }
  auto emit = [&](const char* peer, double seconds) {
    char detail[64];
    std::snprintf(detail, sizeof detail, "%.1f GFLOP/s", flops / seconds * 1e-9);
    peer::emit(peer, name, {seconds, seconds, 1}, detail);
  };
  emit("gemm-floor", any);
  emit("gemm-floor-openblas", blas);
}

}  // namespace

int main(int argc, char** argv) {
  peer::start(argc, argv);
  openblas_set_num_threads(peer::threads);
  libxsmm_init();
  floor_of("W1", layer(64, 32, 256, 256, 4));
  floor_of("W2", layer(60, 20, 300, 500, 3));
  floor_of("W3-B1", layer(100, 1, 32, 64, 1));
  floor_of("W3-B8", layer(100, 8, 32, 64, 1));
  floor_of("W4", layer(64, 32, 256, 256, 3));
  floor_of("W5", joined({layer(128, 32, 128, 512, 4), layer(128, 32, 512, 512, 4),
                         readout(4096, 512, 65)}));
  floor_of("W6-step", {{1, 1, 2048, 512}, {1, 1, 2048, 512}});
  floor_of("W6-seq", {{1, 2048, 1024, 256}, {64, 32, 1024, 256}});
  floor_of("W7", joined({layer(35, 20, 300, 500, 3), layer(35, 20, 500, 500, 3),
                         readout(700, 500, 10000)}));
  floor_of("W9", layer(2000, 4, 128, 128, 4));
}
