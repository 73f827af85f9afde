// What the workloads W1 to W9 share: the same steps of training for every cell, and sharding of the
// batch for --threads. Shapes and models are in the files of the workloads.
#pragma once

#include <cstdio>

#include <unroll/unroll.hpp>

#include "bench.hpp"

namespace bench {

using namespace unroll;

/// The most memory this process has had, in MB of 2^20 bytes; 0 if the system does not say.
inline double peak_memory() {
  double kilobytes = 0;
  if (std::FILE* status = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, status)) std::sscanf(line, "VmHWM: %lf", &kilobytes);
    std::fclose(status);
  }
  return kilobytes / 1024;
}

/// The numbers of every run are the same.
inline Generator& numbers() {
  static Generator generator(1);
  return generator;
}

/// Adds the gradients of the mean loss over a batch: f(tape, begin, end) is the loss of these
/// sequences. One tape, or as many as there are threads.
template <class F>
double backward(Size batch, const F& f, int with_threads = threads()) {
  if (with_threads == 1) {
    Tape tape;
    Variable loss = f(tape, 0, batch);
    tape.backward(loss);
    return loss.item();
  }
  return parallel_backward(batch,
                           [&](Size begin, Size end) { return f(*Tape::current(), begin, end); },
                           {.threads = with_threads});
}

/// The sequences begin..end of (T, B, ...).
inline Array sequences(const Array& x, Size begin, Size end) {
  return end - begin == x.size(1) ? x : x.sliced(1, begin, end);
}

/// Forward and backward through time over x (T, B, in): gradients of the mean of all outputs for x
/// and for every Parameter of the cell.
template <class C>
Result train(const C& cell, const Array& x, int with_threads, double seconds = 1.0) {
  auto loss = [&](Tape& tape, Size begin, Size end) {
    return mean(over_time(cell, tape.watch(sequences(x, begin, end))).outputs());
  };
  return time(
      [&] {
        cell.zero_grad();
        backward(x.size(1), loss, with_threads);
      },
      seconds);
}

}  // namespace bench
