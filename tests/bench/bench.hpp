// The benchmark program's frame: what a benchmark is and how it is timed. Speed is never a test;
// figures are compared as ratios within one run.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct Result {
  double median, minimum;  // seconds of one call
  int repetitions;

  /// Of one among `count` equal parts of the call.
  Result per(double count) const { return {median / count, minimum / count, repetitions}; }
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

/// One line of the program's table.
struct Line {
  std::string name;
  Result time;
  std::string of = "";  // what the time is for, "node"; empty: the whole call
  std::string detail = "";
  int threads = 1;
  std::vector<std::pair<std::string, double>> figures = {};  // what else was measured
};

struct Benchmark {
  std::string name, what;
  std::function<std::vector<Line>()> run;
  bool alone = false;  // measures the memory of its process, which must have done nothing else
};

std::vector<Benchmark>& all();
struct Register {
  Register(Benchmark benchmark) { all().push_back(std::move(benchmark)); }
};

/// --threads; benchmarks that use one thread only say so in their lines.
int threads();

}  // namespace bench
