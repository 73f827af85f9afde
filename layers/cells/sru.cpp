// The equations of the simple recurrent unit.
#include <unroll/layers/cells/sru.hpp>

#include <unroll/ops/fuse.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

SRU::State SRU::step(const Variable& x, const State& s) const {
  auto [z, f, r, shown] = chunk<4>(linear(x, W));
  auto [y, c] = fuse(
      [](auto z, auto f, auto r, auto s, auto c0, auto vf, auto bf, auto vr, auto br) {
        auto keep = sigmoid(f + vf * c0 + bf), c = keep * c0 + (1 - keep) * z;
        auto show = sigmoid(r + vr * c0 + br);
        return std::tuple(show * c + (1 - show) * s, c);
      },
      z, f, r, shown, s.c, vf, bf, vr, br);
  return {y, c};
}

}  // namespace unroll
