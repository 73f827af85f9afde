// W8: elementwise work on arrays that do not fit into the cache, by ops, fused, and by hand; tanh
// and sigmoid alone. What a call costs on small arrays is in fuse.cpp.
#include "workload.hpp"

using namespace bench;

namespace {

constexpr Size kMany = Size{4} << 20, kFew = Size{1} << 16;

using L = Lane<float>;

Line gradients(std::string name, Variable (*f)(const Variable&, const Variable&, const Variable&),
               std::string detail) {
  const Array a = normal({kMany}, numbers()), b = normal({kMany}, numbers()),
              c = normal({kMany}, numbers());
  Result r = time([&] {
    Tape tape;
    tape.backward(mean(f(tape.watch(a), tape.watch(b), tape.watch(c))));
  });
  return {.name = std::move(name), .time = r, .detail = std::move(detail)};
}

/// y, its mean and the three gradients in memory that is there already.
struct ByHand {
  std::vector<float> a = made(), b = made(), c = made(), y = a, da = a, db = a, dc = a;
  float mean = 0;

  static std::vector<float> made() {
    Array x = normal({kMany}, numbers());
    return {x.data<float>(), x.data<float>() + kMany};
  }
  [[gnu::noinline, gnu::flatten]] void forward() {
    L sum(0.0f);
    for (Size k = 0; k < kMany; k += L::width) {
      L v = tanh(L::load(&a[k])) * sigmoid(L::load(&b[k])) + L::load(&c[k]);
      v.store(&y[k]);
      sum = sum + v;
    }
    float parts[L::width];
    sum.store(parts);
    mean = 0;
    for (float p : parts) mean += p / kMany;
  }
  [[gnu::noinline, gnu::flatten]] void backward() {
    const L g(1.0f / kMany);
    for (Size k = 0; k < kMany; k += L::width) {
      L t = tanh(L::load(&a[k])), s = sigmoid(L::load(&b[k]));
      (g * s * (1 - t * t)).store(&da[k]);
      (g * t * (s * (1 - s))).store(&db[k]);
      g.store(&dc[k]);
    }
  }
};

Line by_hand() {
  ByHand n;
  return {.name = "W8-hand",
          .time = time([&] { n.forward(), n.backward(); }),
          .detail = "the same loops by hand, no allocation"};
}

Line alone(std::string name, Variable (*f)(const Variable&)) {
  constexpr int times = 20;
  const Variable x = normal({kFew}, numbers());
  Result r = time(
      [&] {
        for (int k = 0; k < times; ++k) f(x);
      },
      0.3);
  return {.name = std::move(name), .time = r.per(times), .detail = "no tape"};
}

const Register
    w8({"W8", "tanh(a) sigmoid(b) + c of 4 Mi numbers, its mean, backward", [] {
          auto fused = [](const Variable& a, const Variable& b, const Variable& c) -> Variable {
            return fuse([](auto a, auto b, auto c) { return tanh(a) * sigmoid(b) + c; }, a, b, c);
          };
          auto ops = [](const Variable& a, const Variable& b, const Variable& c) {
            return tanh(a) * sigmoid(b) + c;
          };
          return std::vector<Line>{gradients("W8-4M", fused, "fused"),
                                   gradients("W8-ops", ops, "from ops"), by_hand(),
                                   alone("W8-tanh64K", tanh), alone("W8-sigmoid64K", sigmoid)};
        }});

}  // namespace
