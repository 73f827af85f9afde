// The benchmark program's frame: what a benchmark is and how it is timed. Speed is never a test;
// figures are compared as ratios within one run.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace bench {

struct Result {
  double median, minimum;  // seconds of one call
  int repetitions;
};

/// Calls f for about `seconds` (at least 5 times, after two calls to warm up).
template <class F>
Result time(F&& f, double seconds = 1.0) {
  using Clock = std::chrono::steady_clock;
  auto once = [&] {
    auto start = Clock::now();
    f();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  once();
  once();
  std::vector<double> times;
  double total = 0;
  while (total < seconds || times.size() < 5) {
    times.push_back(once());
    total += times.back();
  }
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[0], static_cast<int>(times.size())};
}

/// One line of the program's table: `value` in `unit`, smaller is better.
struct Line {
  std::string name;
  double median, minimum;
  std::string unit, detail;
};

struct Benchmark {
  std::string name, what;
  std::function<std::vector<Line>()> run;
};

std::vector<Benchmark>& all();
struct Register {
  Register(std::string name, std::string what, std::function<std::vector<Line>()> run) {
    all().push_back({std::move(name), std::move(what), std::move(run)});
  }
};

}  // namespace bench
