// W6: an LSTM without a tape, step by step as when it generates, and over a sequence; its weights stay
// prepared from one to the next, as oneDNN's do. Training is in layers.cpp.
#include <optional>

#include "workload.hpp"

using namespace bench;

namespace {

Line one_step() {
  constexpr int chained = 20;
  const LSTM cell(512, 512);
  const Variable x = normal({1, 512}, numbers());
  const LSTM::State start = initial_state(cell, x);
  Memos memos;
  Result r = time([&] {
    LSTM::State s = start;
    for (int k = 0; k < chained; ++k) s = cell.step(x, s);
  });
  return {
      .name = "W6-step", .time = r.per(chained), .detail = "B 1, 512 units, of 20 chained steps"};
}

Line sequence() {
  const LSTM cell(256, 256);
  const Variable x = normal({64, 32, 256}, numbers());
  Memos memos;
  return {.name = "W6-seq",
          .time = time([&] { over_time(cell, x).outputs(); }),
          .detail = "T 64, B 32, 256 units"};
}

/// A step of a few sequences, as decoding takes them, with weights that stay prepared or do not.
std::vector<Line> decoding() {
  std::vector<Line> lines;
  const LSTM cell(256, 256);
  for (Size rows : {1, 4, 16}) {
    const Variable x = normal({rows, 256}, numbers());
    for (bool keep : {false, true}) {
      std::optional<Memos> memos;
      if (keep) memos.emplace();
      LSTM::State s = initial_state(cell, x);
      lines.push_back({.name = "B " + std::to_string(rows) + (keep ? " memos" : ""),
                       .time = time([&] { s = cell.step(x, s); }, 0.2),
                       .of = "step",
                       .detail = "256 units"});
    }
  }
  return lines;
}

const Register w6({"W6", "LSTM without gradients", [] {
                     return std::vector<Line>{one_step(), sequence()};
                   }});
const Register decode({"decode", "LSTM: a step without gradients, with and without Memos", decoding});

}  // namespace
