// init::spectral_radius, which needs eigenvalues: LAPACK's, through xtensor-blas. The other
// initialisers are in init.cpp.
#include <unroll/layers/init.hpp>

#include <xtensor-blas/xlinalg.hpp>

namespace unroll::init {

Initialiser spectral_radius(double radius) {
  if (!(radius >= 0)) fail("spectral_radius", "radius is ", radius, "; expected 0 or more.");
  return [radius](Array& a, Generator& generator) {
    if (a.rank() != 2 || a.size(0) != a.size(1))
      fail("spectral_radius", "shape is ", a.shape(), "; expected a square matrix.");
    auto n = static_cast<std::size_t>(a.size(0));
    if (n == 0) return;
    xt::xtensor<double, 2> drawn = xt::zeros<double>({n, n});
    for (double& x : drawn) x = generator.normal();
    double largest = 0;
    for (const std::complex<double>& value : xt::linalg::eigvals(drawn))
      largest = std::max(largest, std::abs(value));
    for (double& x : drawn) x *= radius / largest;
    a.assign(values(std::span<const double>(drawn.data(), n * n), a.shape()));
  };
}

}  // namespace unroll::init
