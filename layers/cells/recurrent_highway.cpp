// The equations of the recurrent highway network.
#include <unroll/layers/cells/recurrent_highway.hpp>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

RecurrentHighway::RecurrentHighway(Size in, Size hidden, const RecurrentHighwayOptions& options)
    : Cell(in, hidden) {
  if (options.depth < 1)
    fail("recurrent_highway", "depth is ", options.depth, "; expected 1 or more.");
  for (Size j = 1; j <= options.depth; ++j) {
    R.push_back(parameter(join("R", j), {2 * hidden, hidden}, init::orthogonal));
    b.push_back(parameter(join("b", j), {2 * hidden}, init::zeros));
  }
}

RecurrentHighway::State RecurrentHighway::step(const Variable& x, const State& s) const {
  Variable h = s.h;
  for (std::size_t j = 0; j < R.size(); ++j) {
    auto [a, t] = chunk<2>(j == 0 ? affine(x, W, h, R[j], b[j]) : linear(h, R[j], b[j]));
    h = fuse([](auto a, auto t, auto h) {
      auto take = sigmoid(t);
      return take * tanh(a) + (1 - take) * h;
    }, a, t, h);
  }
  return {h};
}

}  // namespace unroll
