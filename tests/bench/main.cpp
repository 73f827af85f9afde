// bench [--only node,lstm] [--json]: runs the registered benchmarks one after the other. What they
// measure is in the other files of this folder.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "bench.hpp"

std::vector<bench::Benchmark>& bench::all() {
  static std::vector<Benchmark> list;
  return list;
}

int main(int argc, char** argv) {
  CLI::App app{"Benchmarks of unroll; run on a quiet machine"};
  std::vector<std::string> only;
  bool json = false;
  app.add_option("--only", only, "Names of benchmarks, separated by commas")->delimiter(',');
  app.add_flag("--json", json, "One JSON object a line");
  CLI11_PARSE(app, argc, argv);
  std::sort(bench::all().begin(), bench::all().end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const std::string& name : only)
    if (std::none_of(bench::all().begin(), bench::all().end(),
                     [&](const auto& b) { return b.name == name; })) {
      std::fprintf(stderr, "bench: there is no benchmark %s\n", name.c_str());
      return 2;
    }
  for (const bench::Benchmark& b : bench::all()) {
    if (!only.empty() && std::find(only.begin(), only.end(), b.name) == only.end()) continue;
    if (!json) std::printf("%s: %s\n", b.name.c_str(), b.what.c_str());
    for (const bench::Line& l : b.run()) {
      if (json)
        std::printf("%s\n", nlohmann::json({{"benchmark", b.name}, {"name", l.name},
                                            {"median", l.median}, {"minimum", l.minimum},
                                            {"unit", l.unit}, {"detail", l.detail}})
                                .dump().c_str());
      else
        std::printf("  %-34s %10.3f %-8s (least %.3f) %s\n", l.name.c_str(), l.median,
                    l.unit.c_str(), l.minimum, l.detail.c_str());
      std::fflush(stdout);
    }
  }
}
