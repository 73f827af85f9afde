// How cost grows: time and memory per step of sequences of every length, and time per sequence in
// batches of every size, which should fall. Absolute speed is W1's business.
//
// A step of 256 units takes the same time at every length. One of 64 units computes so little that
// the caches show, which a long tape outgrows: what it keeps of a step is written and read once.
// Bytes per step fall to what a step keeps, as more steps share the gradients of the weights.
#include "workload.hpp"

using namespace bench;

namespace {

Line steps(Size T, Size H) {
  const LSTM cell(H, H);
  const Array x = normal({T, 1, H}, numbers());
  auto once = [&] {
    cell.zero_grad();
    Tape tape;
    tape.backward(mean(over_time(cell, tape.watch(x)).outputs()));
  };
  Result r = time(once, 0.5);
  const auto before = memory_statistics().live;
  reset_peak_memory();
  once();
  const double bytes = static_cast<double>(memory_statistics().peak - before);
  return {.name = std::to_string(H) + " units, T " + std::to_string(T),
          .time = r.per(static_cast<double>(T)),
          .of = "step",
          .detail = "forward and backward, B 1",
          .figures = {{"bytes_per_step", bytes / static_cast<double>(T)}}};
}

Line sequences_of(Size B) {
  const LSTM cell(128, 128);
  const Array x = normal({100, B, 128}, numbers());
  return {.name = "B " + std::to_string(B),
          .time = train(cell, x, 1, 0.5).per(static_cast<double>(B)),
          .of = "sequence",
          .detail = "forward and backward, T 100, 128 units"};
}

const Register length({"length", "LSTM: cost of a step, and of a sequence of a batch", [] {
                         std::vector<Line> lines;
                         for (Size H : {64, 256})
                           for (Size T : {100, 1'000, 10'000, 100'000}) lines.push_back(steps(T, H));
                         for (Size B : {1, 2, 4, 8, 16, 32, 64}) lines.push_back(sequences_of(B));
                         return lines;
                       }});

}  // namespace
