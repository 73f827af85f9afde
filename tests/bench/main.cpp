// bench [--only W1,node] [--threads N] [--json] [--kernels]: runs the registered benchmarks one
// after the other. What they measure is in the other files of this folder.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "bench.hpp"

#include <unroll/ops/openblas.hpp>

namespace {

struct Options {
  std::vector<std::string> only;
  int threads = 1;
  bool json = false;
} options;

std::string json(const bench::Line& l) {
  nlohmann::ordered_json j = {{"peer", "unroll"},
                              {"workload", l.name},
                              {"threads", l.threads},
                              {"median_ms", l.time.median * 1e3},
                              {"min_ms", l.time.minimum * 1e3},
                              {"reps", l.time.repetitions},
                              {"detail", l.of.empty() ? l.detail : "per " + l.of + " " + l.detail}};
  for (const auto& [name, value] : l.figures) j[name] = value;
  return j.dump();
}

std::string text(const bench::Line& l) {
  const char* unit = "ms";
  double scale = 1e3;
  if (!l.of.empty()) {
    const bool tiny = l.time.median < 1e-4;
    unit = tiny ? "ns" : "us";
    scale = tiny ? 1e9 : 1e6;
  }
  const std::string what = l.of.empty() ? unit : unit + ("/" + l.of);
  char line[256];
  std::snprintf(line, sizeof line, "  %-20s %11.3f %-12s (least %.3f) ", l.name.c_str(),
                l.time.median * scale, what.c_str(), l.time.minimum * scale);
  std::string result = line;
  for (const auto& [name, value] : l.figures) {
    std::snprintf(line, sizeof line, "%s %.4g ", name.c_str(), value);
    result += line;
  }
  return result + l.detail;
}

bool wanted(const bench::Benchmark& b) {
  const auto& only = options.only;
  return only.empty() || std::find(only.begin(), only.end(), b.name) != only.end();
}

/// The same program again with this benchmark only; its exit status.
int run_alone(const bench::Benchmark& b) {
  std::string command = "exec /proc/" + std::to_string(getpid()) + "/exe --only " + b.name +
                        " --threads " + std::to_string(options.threads);
  if (options.json) command += " --json";
  return std::system(command.c_str());
}

void run(const bench::Benchmark& b) {
  if (!options.json) std::printf("%s: %s\n", b.name.c_str(), b.what.c_str());
  for (const bench::Line& l : b.run()) {
    std::printf("%s\n", options.json ? json(l).c_str() : text(l).c_str());
    std::fflush(stdout);
  }
}

}  // namespace

std::vector<bench::Benchmark>& bench::all() {
  static std::vector<Benchmark> list;
  return list;
}

int bench::threads() { return options.threads; }

int main(int argc, char** argv) {
  CLI::App app{"Benchmarks of unroll; run on a quiet machine"};
  app.add_option("--only", options.only, "Names of benchmarks, separated by commas")
      ->delimiter(',');
  app.add_option("--threads", options.threads, "Threads of those that shard their batch")
      ->check(CLI::Range(1, 1024));
  app.add_flag("--json", options.json, "One JSON object a line");
  app.add_flag_callback(
      "--kernels",
      [] {
        std::printf("%s\n", unroll::kernel::kernels_of_openblas());
        throw CLI::Success();
      },
      "Print for which processor OpenBLAS's kernels are, and nothing else");
  CLI11_PARSE(app, argc, argv);
  auto& all = bench::all();
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const std::string& name : options.only)
    if (std::none_of(all.begin(), all.end(), [&](const auto& b) { return b.name == name; })) {
      std::fprintf(stderr, "bench: there is no benchmark %s\n", name.c_str());
      return 2;
    }
  const auto count = std::count_if(all.begin(), all.end(), wanted);
  for (const bench::Benchmark& b : all) {
    if (!wanted(b)) continue;
    if (!b.alone || count == 1)
      run(b);
    else if (run_alone(b) != 0)
      return 1;
  }
}
