// What the engine itself costs per node: record, keep the value, sweep, free, for an op that
// computes nothing. The arithmetic of real ops is measured elsewhere.
#include <unroll/autograd/op.hpp>

#include "bench.hpp"

using namespace unroll;

namespace {

// Result and gradient of (1, 64) floats with unspecified numbers.
Variable nothing(const Variable& x) {
  Op op("nothing", x);
  return op.record(Array::uninitialised(x.shape(), x.type()), [](Backward& b) {
    b.give(0, Variable(Array::uninitialised(b.x_shape(), float32)));
  });
}

bench::Line chain(int length) {
  bench::Result r = bench::time([&] {
    Tape tape;
    Variable x = tape.watch(zeros({1, 64}));
    for (int k = 0; k < length; ++k) x = nothing(x);
    tape.backward(x, {.grad_output = zeros({1, 64})});
  });
  return {.name = "chain of " + std::to_string(length),
          .time = r.per(length),
          .of = "node",
          .detail = "record, value, gradient, release"};
}

// The same work every time, in the nearest cache: by how much its median is above its least is the
// machine's doing, whose processors are shared with others, and not the engine's.
bench::Line fixed_loop() {
  static std::uint32_t table[1024];
  bench::Result r = bench::time([] {
    std::uint32_t s[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int k = 0; k < 400'000; ++k)
      for (int i = 0; i < 8; ++i) s[i] = s[i] * 5 + table[(k + i) & 1023];
    for (std::uint32_t v : s) table[v & 1023] = v;
  });
  return {.name = "a fixed loop", .time = r, .detail = "without the engine: the machine's noise"};
}

const bench::Register node({"node", "engine cost per node, (1, 64) float32", [] {
                              std::vector<bench::Line> lines;
                              for (int length : {200, 10'000, 300'000})
                                lines.push_back(chain(length));
                              lines.push_back(fixed_loop());
                              return lines;
                            }});

}  // namespace
