// The equations of the minimal gated unit.
#include <unroll/layers/cells/mgu.hpp>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>

namespace unroll {

MGU::State MGU::step(const Variable& x, const State& s) const {
  Variable f = affine(x, Wf, s.h, Uf, bf);
  Variable seen = fuse([](auto f, auto h) { return sigmoid(f) * h; }, f, s.h);
  Variable h = fuse([](auto f, auto n, auto h) {
    auto take = sigmoid(f);
    return (1 - take) * h + take * tanh(n);
  }, f, affine(x, Wh, seen, Uh, bh), s.h);
  return {h};
}

}  // namespace unroll
