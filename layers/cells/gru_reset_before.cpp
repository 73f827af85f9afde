// The equations of the GRU with the reset gate before the product.
#include <unroll/layers/cells/gru_reset_before.hpp>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

GRUResetBefore::State GRUResetBefore::step(const Variable& x, const State& s) const {
  auto [z, r] = chunk<2>(affine(x, W, s.h, U, b));
  Variable seen = fuse([](auto r, auto h) { return sigmoid(r) * h; }, r, s.h);
  Variable h = fuse([](auto z, auto n, auto h) {
    auto keep = sigmoid(z);
    return keep * h + (1 - keep) * tanh(n);
  }, z, affine(x, Wn, seen, Un, bn), s.h);
  return {h};
}

}  // namespace unroll
