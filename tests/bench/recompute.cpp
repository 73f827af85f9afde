// What recomputation costs in time and saves in memory. That gradients stay the same is a test.
#include "workload.hpp"

using namespace bench;

namespace {

using Options = OverTimeOptions<LSTM::State>;

// `mb` is what the tape's buffers take at their peak, in MB, beyond the input and its gradient; `rss_mb`
// is that of the whole process, which only its first line can say.
Line measure(const char* name, const LSTM& cell, const Array& x, const Options& options,
             std::string detail) {
  auto once = [&] {
    cell.zero_grad();
    Tape tape;
    tape.backward(mean(over_time(cell, tape.watch(x), options).last().h));
  };
  const auto before = memory_statistics().live;
  const double gradient = static_cast<double>(4 * x.size()), process = peak_memory();
  once();
  const double rss = (peak_memory() - process) * (1 << 20) - gradient;
  reset_peak_memory();
  once();
  const double bytes = static_cast<double>(memory_statistics().peak - before) - gradient;
  return {.name = name,
          .time = bench::time(once, 0.5),
          .detail = std::move(detail),
          .figures = {{"mb", bytes / 1e6}, {"rss_mb", rss / 1e6}}};
}

Line a_long_sequence() {
  const LSTM cell(256, 256);
  const Array x = normal({100'000, 1, 256}, numbers());
  Line line = measure("T 100000", cell, x,
                      {.keep_states = false, .memory_budget = Size{64} << 20},
                      "B 1, H 256, 64 MiB");
  release_cached_memory();
  return line;
}

std::vector<Line> shorter_ones() {
  const LSTM cell(128, 128);
  const Array x = normal({2'000, 4, 128}, numbers());
  std::vector<Line> lines{measure("T 2000", cell, x, {.keep_states = false}, "B 4, H 128, plain")};
  const auto third = static_cast<Size>(lines[0].figures[0].second / 3 * 1e6);
  auto add = [&](const char* name, const Options& options, const char* detail) {
    lines.push_back(measure(name, cell, x, options, detail));
  };
  add("T 2000 third", {.keep_states = false, .memory_budget = third}, "a third of its bytes");
  add("T 2000 every 45", {.keep_states = false, .recompute_every = 45}, "parts of 45 steps");
  add("T 2000 sixth", {.keep_states = false, .memory_budget = third / 2}, "a sixth of its bytes");
  for (Line& line : lines) line.figures.resize(1);
  return lines;
}

const Register recompute({"recompute", "memory for time: an LSTM that computes steps again", [] {
                            std::vector<Line> lines{a_long_sequence()};
                            for (Line& line : shorter_ones()) lines.push_back(std::move(line));
                            return lines;
                          }, true});

}  // namespace
