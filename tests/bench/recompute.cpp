// What recomputation costs in time and saves in memory. That gradients stay the same is a test.
#include "workload.hpp"

using namespace bench;

namespace {

using Options = OverTimeOptions<LSTM::State>;

// `mb` is what the tape takes at its peak, in MB, beyond the input and its gradient.
Line measure(const char* name, const LSTM& cell, const Array& x, const Options& options,
             std::string detail) {
  auto once = [&] {
    cell.zero_grad();
    Tape tape;
    tape.backward(mean(over_time(cell, tape.watch(x), options).last().h));
  };
  const auto before = memory_statistics().live;
  once();
  reset_peak_memory();
  once();
  const double bytes =
      static_cast<double>(memory_statistics().peak - before) - static_cast<double>(4 * x.size());
  return {.name = name,
          .time = bench::time(once, 0.5),
          .detail = std::move(detail),
          .figures = {{"mb", bytes / 1e6}}};
}

const Register recompute(
    {"recompute", "memory for time: an LSTM that computes steps again", [] {
       std::vector<Line> lines;
       {
         const LSTM cell(128, 128);
         const Array x = normal({2'000, 4, 128}, numbers());
         lines.push_back(measure("T 2000", cell, x, {.keep_states = false}, "B 4, H 128, plain"));
         const auto third = static_cast<Size>(lines[0].figures[0].second / 3 * 1e6);
         lines.push_back(measure("T 2000 third", cell, x,
                                 {.keep_states = false, .memory_budget = third},
                                 "a third of its bytes"));
         lines.push_back(measure("T 2000 every 45", cell, x,
                                 {.keep_states = false, .recompute_every = 45},
                                 "parts of 45 steps"));
         lines.push_back(measure("T 2000 sixth", cell, x,
                                 {.keep_states = false, .memory_budget = third / 2},
                                 "a sixth of its bytes"));
       }
       const LSTM cell(256, 256);
       const Array x = normal({100'000, 1, 256}, numbers());
       lines.push_back(measure("T 100000", cell, x,
                               {.keep_states = false, .memory_budget = Size{64} << 20},
                               "B 1, H 256, 64 MiB"));
       return lines;
     }});

}  // namespace
