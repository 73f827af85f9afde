// W1, W2, W3 and W9: one recurrent layer, forward and backward, gradients of the inputs and of all
// weights. Models with more around the layer are in language_model.cpp.
#include "workload.hpp"

using namespace bench;

namespace {

struct Sizes {
  Size T, B, in, hidden;
};

/// With several threads also what one takes for its shard while the others rest: time that a shard of
/// half the batch does not save is no thread's to gain.
template <class C>
std::vector<Line> layer(const std::string& name, const Sizes& s, int with_threads) {
  C cell(s.in, s.hidden);
  Array x = normal({s.T, s.B, s.in}, numbers());
  std::vector<Line> lines{
      {.name = name, .time = train(cell, x, with_threads), .threads = with_threads}};
  if (with_threads == 1) return lines;
  const Array shard = sequences(x, 0, s.B / with_threads).copy();
  lines.push_back({.name = name + "-shard", .time = train(cell, shard, 1)});
  return lines;
}

// The peak above what the process had before it built the network.
std::vector<Line> long_sequence() {
  const double before = peak_memory();
  std::vector<Line> lines =
      layer<LSTM>("W9", {.T = 2000, .B = 4, .in = 128, .hidden = 128}, threads());
  lines[0].figures = {{"peak_rss_mb", peak_memory()},
                      {"rss_over_import_mb", peak_memory() - before}};
  return lines;
}

const Register w1({"W1", "LSTM, T 64, B 32, 256 units", [] {
                     return layer<LSTM>("W1", {64, 32, 256, 256}, threads());
                   }});
const Register w2({"W2", "GRU, T 60, B 20, 300 inputs, 500 units", [] {
                     return layer<GRU>("W2", {60, 20, 300, 500}, threads());
                   }});
const Register w3({"W3", "Elman, T 100, 32 inputs, 64 units", [] {
                     return std::vector<Line>{layer<Elman>("W3-B1", {100, 1, 32, 64}, 1)[0],
                                              layer<Elman>("W3-B8", {100, 8, 32, 64}, 1)[0]};
                   }});
const Register w9({"W9", "LSTM, T 2000, B 4, 128 units, and its memory", long_sequence, true});

}  // namespace
