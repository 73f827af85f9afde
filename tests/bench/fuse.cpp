// Fused elementwise ops: an LSTM cell from a lambda against the same loops by hand, forward and
// backward, and what ops of few elements cost. Whole models are measured elsewhere.
#include <unroll/ops/fuse.hpp>

#include "bench.hpp"

using namespace unroll;

namespace {

using L = Lane<float>;
constexpr Size B = 32, H = 256;

constexpr auto lstm = [](auto i, auto f, auto g, auto o, auto c0) {
  auto c = sigmoid(f) * c0 + sigmoid(i) * tanh(g);
  return std::tuple(sigmoid(o) * tanh(c), c);
};
using Cell = decltype(lstm);

/// The cell's arrays: gates (B, 4H) in the order i, f, g, o, everything else (B, H).
struct Numbers {
  std::vector<float> gates = made(4 * B * H), c0 = made(B * H), h = c0, c = c0, dh = c0, dc = c0;
  std::vector<float> dgates = gates, dc0 = c0;

  static std::vector<float> made(Size n) {
    std::vector<float> x;
    for (Size k = 0; k < n; ++k) x.push_back(static_cast<float>(k * 37 % 401) / 100 - 2);
    return x;
  }
};

[[gnu::noinline, gnu::flatten]] void forward_by_hand(Numbers& n) {
  for (Size b = 0; b < B; ++b)
    for (Size j = 0; j < H; j += L::width) {
      const float* p = n.gates.data() + b * 4 * H + j;
      L i = L::load(p), f = L::load(p + H), g = L::load(p + 2 * H), o = L::load(p + 3 * H);
      L c = sigmoid(f) * L::load(n.c0.data() + b * H + j) + sigmoid(i) * tanh(g);
      (sigmoid(o) * tanh(c)).store(n.h.data() + b * H + j);
      c.store(n.c.data() + b * H + j);
    }
}

/// Computes the activations again and adds to the gradients of the gates, as the fused kernel does.
[[gnu::noinline, gnu::flatten]] void backward_by_hand(Numbers& n) {
  for (Size b = 0; b < B; ++b)
    for (Size j = 0; j < H; j += L::width) {
      const float* p = n.gates.data() + b * 4 * H + j;
      float* q = n.dgates.data() + b * 4 * H + j;
      const Size at = b * H + j;
      L i = sigmoid(L::load(p)), f = sigmoid(L::load(p + H)), g = tanh(L::load(p + 2 * H));
      L o = sigmoid(L::load(p + 3 * H)), c0 = L::load(n.c0.data() + at);
      L t = tanh(f * c0 + i * g), dh = L::load(n.dh.data() + at);
      L dc = L::load(n.dc.data() + at) + dh * o * (1 - t * t);
      (L::load(q) + dc * g * (i * (1 - i))).store(q);
      (L::load(q + H) + dc * c0 * (f * (1 - f))).store(q + H);
      (L::load(q + 2 * H) + dc * i * (1 - g * g)).store(q + 2 * H);
      (L::load(q + 3 * H) + dh * t * (o * (1 - o))).store(q + 3 * H);
      (dc * f).store(n.dc0.data() + at);
    }
}

kernel::Operand rows(std::vector<float>& x, Size start, Size stride, bool add = false) {
  kernel::Operand o;
  o.data = x.data() + start;
  o.layout = kernel::Operand::strided;
  o.add = add;
  o.strides = {stride, 1};
  return o;
}

std::vector<bench::Line> cell() {
  Numbers n;
  auto gate = [&](std::vector<float>& x, Size k, bool add) { return rows(x, k * H, 4 * H, add); };
  std::vector<kernel::Operand> forward, backward{rows(n.dh, 0, H), rows(n.dc, 0, H)};
  for (Size k = 0; k < 4; ++k) forward.push_back(gate(n.gates, k, false));
  forward.push_back(rows(n.c0, 0, H));
  backward.insert(backward.end(), forward.begin(), forward.end());
  forward.insert(forward.end(), {rows(n.h, 0, H), rows(n.c, 0, H)});
  for (Size k = 0; k < 4; ++k) backward.push_back(gate(n.dgates, k, true));
  backward.push_back(rows(n.dc0, 0, H));

  using Gradient = detail::FusedGradient<Cell, 2, 5>;
  const Gradient gradient{lstm};
  constexpr auto values = kernel::kernel_of<5, false, Cell>();
  constexpr auto gradients = kernel::kernel_of<7, true, Gradient>();
  std::vector<bench::Line> lines;
  auto line = [&](const char* name, auto&& f) {
    lines.push_back({.name = name, .time = bench::time(f, 0.3).per(B * H), .of = "element"});
  };
  line("forward by hand", [&] { forward_by_hand(n); });
  line("forward fused", [&] { kernel::run(values, &lstm, float32, {B, H}, forward.data(), 5, 7); });
  line("backward by hand", [&] { backward_by_hand(n); });
  line("backward fused", [&] {
    kernel::run(gradients, &gradient, float32, {B, H}, backward.data(), 7, 12);
  });
  return lines;
}

std::vector<bench::Line> small() {
  const Variable x = ones({1, 64}), y = ones({1, 64});
  std::vector<bench::Line> lines;
  auto line = [&](const char* name, auto&& f) {
    constexpr int times = 1000;
    bench::Result r = bench::time(
        [&] {
          for (int k = 0; k < times; ++k) f();
        },
        0.2);
    lines.push_back({.name = name, .time = r.per(times), .of = "op", .detail = "no tape"});
  };
  line("new array", [&] { Variable z(Array::uninitialised({1, 64}, float32)); });
  line("x * y", [&] { Variable z = x * y; });
  line("tanh(x)", [&] { Variable z = tanh(x); });
  line("fuse(x, y)", [&] { Variable z = fuse([](auto a, auto b) { return a * b; }, x, y); });
  return lines;
}

const bench::Register fused({"fuse", "LSTM cell on slices of (32, 1024) float32", cell});
const bench::Register few({"elementwise", "ops of (1, 64) float32", small});

}  // namespace
