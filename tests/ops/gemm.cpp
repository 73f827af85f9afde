// The raw matrix product against three loops: transposed operands, wide leading dimensions, single
// rows and columns, and what alpha, beta and empty sizes mean.
#include "reference.hpp"

#include <cstdlib>
#include <limits>
#include <string_view>

#include <unroll/ops/gemm.hpp>
#include <unroll/ops/openblas.hpp>

namespace {

using namespace reference;

/// A matrix (rows, columns) inside wider rows whose padding must neither be read nor written.
template <class T>
struct Padded {
  Size rows, columns, ld;
  std::vector<T> data;

  Padded(Size rows, Size columns, Size extra, std::uint64_t seed)
      : rows(rows), columns(columns), ld(columns + extra),
        data(static_cast<std::size_t>(rows * ld + 1), std::numeric_limits<T>::quiet_NaN()) {
    Generator generator(seed);
    for (Size i = 0; i < rows; ++i)
      for (Size j = 0; j < columns; ++j) (*this)(i, j) = static_cast<T>(generator.normal());
  }
  T& operator()(Size i, Size j) { return data[static_cast<std::size_t>(i * ld + j)]; }
};

template <class T>
void check(bool ta, bool tb, Size m, Size n, Size k, T alpha, T beta, Size extra) {
  Padded<T> a(ta ? k : m, ta ? m : k, extra, 1), b(tb ? n : k, tb ? k : n, extra, 2);
  Padded<T> c(m, n, extra, 3);
  if (beta == 0)
    for (Size i = 0; i < m; ++i)
      for (Size j = 0; j < n; ++j) c(i, j) = std::numeric_limits<T>::quiet_NaN();
  Padded<T> before = c;
  gemm<T>(ta, tb, m, n, k, alpha, a.data.data(), a.ld, b.data.data(), b.ld, beta, c.data.data(),
          c.ld);
  double worst = 0;
  for (Size i = 0; i < m; ++i)
    for (Size j = 0; j < n; ++j) {
      double y = 0;
      for (Size l = 0; l < k; ++l)
        y += static_cast<double>(ta ? a(l, i) : a(i, l)) *
             static_cast<double>(tb ? b(j, l) : b(l, j));
      y *= static_cast<double>(alpha);
      if (beta != 0) y += static_cast<double>(beta) * static_cast<double>(before(i, j));
      worst = std::max(worst, std::abs(y - static_cast<double>(c(i, j))));
      if (std::isnan(static_cast<double>(c(i, j)))) worst = 1e9;
    }
  BOOST_TEST(worst < (sizeof(T) == 4 ? 1e-4 : 1e-12),
             ta << tb << " " << m << "x" << n << "x" << k << " beta " << beta << ": " << worst);
  bool untouched = true;
  for (Size i = 0; i < m && extra; ++i)
    untouched &= std::isnan(c(i, n)) && std::isnan(c(i, n + extra - 1));
  BOOST_TEST(untouched);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gemm_kernel)

BOOST_AUTO_TEST_CASE(all_forms) {
  for (bool ta : {false, true})
    for (bool tb : {false, true})
      for (auto [m, n, k] : {std::array<Size, 3>{3, 4, 5},
                             {1, 7, 5},
                             {6, 1, 5},
                             {1, 1, 5},
                             {3, 4, 1},
                             {17, 33, 9},
                             {1, 1, 1}})
        for (double beta : {0.0, 1.0, 0.5})
          for (Size extra : {0, 3}) {
            check<float>(ta, tb, m, n, k, 1, static_cast<float>(beta), extra);
            check<double>(ta, tb, m, n, k, -2, beta, extra);
          }
}

// A matrix and a vector: lanes and what is left of rows and columns, and sizes that are OpenBLAS's.
BOOST_AUTO_TEST_CASE(vectors) {
  for (Size n : {1, 4, 15, 16, 17, 31, 40, 64, 67, 200})
    for (Size k : {3, 8, 16, 19, 33, 64})
      for (bool t : {false, true})
        for (float beta : {0.f, 1.f})
          for (Size extra : {0, 3}) {
            check<float>(false, t, 1, n, k, 1, beta, extra);
            check<float>(t, false, n, 1, k, 1, beta, 0);
            check<double>(false, t, 1, n, k, 1, static_cast<double>(beta), extra);
            check<double>(t, false, n, 1, k, 1, static_cast<double>(beta), 0);
          }
  check<double>(false, true, 1, 600, 700, 1, 1, 2);
}

// What is infinite in a matrix is so in the product: a number read twice counts once.
BOOST_AUTO_TEST_CASE(infinite_numbers) {
  const std::vector<float> m(20 * 20, INFINITY), x(20, 1.f);
  for (bool transposed : {false, true}) {
    std::vector<float> y(20, 0.f);
    gemm<float>(false, transposed, 1, 20, 20, 1, x.data(), 20, m.data(), 20, 1, y.data(), 20);
    for (float v : y) BOOST_TEST(v == INFINITY);
  }
}

BOOST_AUTO_TEST_CASE(empty_sizes) {
  for (double beta : {0.0, 1.0, 0.5}) check<double>(false, false, 3, 4, 0, 1, beta, 2);
  check<double>(false, true, 0, 4, 2, 1, 1, 0);
  check<float>(true, false, 3, 0, 2, 1, 0, 0);
}

// A processor that OpenBLAS does not know is given the kernels of its oldest ones.
BOOST_AUTO_TEST_CASE(kernels_are_those_of_the_processor) {
  if (!kernel::kernels_for_this_processor() || std::getenv("OPENBLAS_CORETYPE")) return;
  const std::string_view chosen = kernel::kernels_of_openblas();
  BOOST_TEST(chosen != "Prescott");
  BOOST_TEST(chosen != "Barcelona");
  BOOST_TEST(!std::getenv("OPENBLAS_CORETYPE"));
}

BOOST_AUTO_TEST_SUITE_END()
