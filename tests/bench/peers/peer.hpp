// What the harnesses of other libraries share: their command line and their lines of output, which
// are those of bench --json. Timing is bench.hpp's.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "../bench.hpp"

namespace peer {

inline int threads = 1;
inline std::string only;  // "W1,W4"; empty: all

inline void start(int argc, char** argv) {
  if (argc > 1) threads = std::atoi(argv[1]);
  if (argc > 2) only = argv[2];
}

inline bool wanted(const std::string& workload) {
  return only.empty() || ("," + only + ",").find("," + workload + ",") != std::string::npos;
}

inline void emit(const std::string& peer, const std::string& workload, const bench::Result& r,
                 const std::string& detail = "") {
  std::printf("{\"peer\": \"%s\", \"workload\": \"%s\", \"threads\": %d, \"median_ms\": %.6g, "
              "\"min_ms\": %.6g, \"reps\": %d, \"detail\": \"%s\"}\n",
              peer.c_str(), workload.c_str(), threads, r.median * 1e3, r.minimum * 1e3,
              r.repetitions, detail.c_str());
  std::fflush(stdout);
}

}  // namespace peer
