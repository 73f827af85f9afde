// Golden group `beam`: greedy decoding and beam search of a table of log-probabilities, whose cell
// remembers the last token or the last two.
#include "run.hpp"

#include <unroll/layers/beam_search.hpp>
#include <unroll/ops/index.hpp>

namespace golden {
namespace {

using namespace unroll;

/// Reads a token and looks up what may follow it, given the token before.
struct Table {
  Variable table;  // (V+1, V), or (V+1, V+1, V) of the second order
  struct State {
    Variable before, logits;  // `before` is the token read last
  };
  State step(const Variable& token, const State& s) const {
    if (table.rank() == 2) return {token, index(table, {token})};
    return {token, index(table, {s.before, token})};
  }
  Variable output(const State& s) const { return s.logits; }
};

/// Tokens up to max_len, padded with -1; nothing but -1 unless it is a sequence to be given.
Array padded(const Hypothesis& h, Size longest, bool given = true) {
  Array tokens = full({longest}, -1, int64);
  for (std::size_t t = 0; given && t < h.tokens.size(); ++t)
    tokens.mutable_data<Size>()[t] = h.tokens[t];
  return tokens;
}

Array number(const Run& run, double x) { return full({}, x, run.type); }

/// All complete hypotheses of a beam as wide as the number of sequences, best first.
void compare_all(Run& run, const std::vector<Hypothesis>& found, Size longest) {
  const Size n = run.c.at("out.sequences").size(0);
  Array sequences({n, longest}, int64), log_p({n}, run.type), scores({n}, run.type);
  for (Size k = 0; k < n; ++k) {
    const Hypothesis& h = found.at(static_cast<std::size_t>(k));
    sequences[k].assign(padded(h, longest));
    log_p[k].fill(h.log_probability);
    scores[k].fill(h.score);
  }
  Size complete = 0;
  for (const Hypothesis& h : found) complete += h.complete;
  run.out("sequences", sequences);
  run.out("log_probs", log_p);
  run.out("scores", scores);
  run.out("complete_count", full({}, static_cast<double>(complete), int64));
}

void run_beam(Run& run) {
  const Table cell{run.constant("in.table")};
  const Array begin = full({1}, run.c.says("bos").get<double>(), int64);
  const Table::State start{begin, zeros({1, cell.table.size(-1)}, run.type)};
  BeamOptions options{.end = run.c.says("eos").get<Size>(),
                      .length_power = run.c.says("length_alpha").get<double>(),
                      .longest = run.c.says("max_len").get<Size>()};

  const Hypothesis greedy =
      greedy_search(cell, begin, start, {.end = options.end, .longest = options.longest})[0];
  run.out("greedy", padded(greedy, options.longest));
  run.out("greedy_log_prob", number(run, greedy.log_probability));
  for (Size beams : {2, 3, 5}) {
    options.beams = beams;
    const Hypothesis best = beam_search(cell, begin, start, options)[0].at(0);
    const std::string name = "beam_" + std::to_string(beams);
    run.out(name, padded(best, options.longest, best.complete));
    run.out(name + "_log_prob", number(run, best.log_probability));
  }
  options.beams = 4096;
  compare_all(run, beam_search(cell, begin, start, options)[0], options.longest);
}

const Handler handler{"beam", run_beam};

}  // namespace
}  // namespace golden
