// Greedy decoding and beam search over any cell, or any function of a step: the likeliest sequences
// of tokens, each fed back as the next input. Drawing them by chance is ops/random.hpp's
// categorical.
#pragma once

#include <utility>

#include <unroll/layers/over_time.hpp>

namespace unroll {

/// One decoded sequence.
struct Hypothesis {
  bool complete = false;          ///< it has come to its end token
  double log_probability = 0;     ///< of all tokens, the end token too
  double score = 0;               ///< log_probability / (number of tokens)^length_power
  std::vector<Size> tokens = {};  ///< with the end token, if complete; without the first input
};

/// Those of each sequence of a batch.
using Hypotheses = std::vector<std::vector<Hypothesis>>;

struct BeamOptions {
  /// How many hypotheses of each sequence are kept at every step, and returned.
  Size beams = 4;
  /// The token that ends a sequence.
  Size end = 0;
  /// 0 compares hypotheses by their log-probability, 1 by its mean over the tokens. It does not
  /// change which are kept, only their order at the end.
  double length_power = 0;
  /// Decoding stops after that many tokens, complete or not.
  Size longest = 100;
};

struct GreedyOptions {
  /// The token that ends a sequence.
  Size end = 0;
  /// Decoding stops after that many tokens, complete or not.
  Size longest = 100;
};

namespace detail {

/// The search itself. `step(tokens, rows)` is given int64 (B * beams): the last tokens, and the
/// rows of the state that they follow; it returns their logits (B * beams, V).
Hypotheses beam_search(const char* name, const Variable& first, const BeamOptions& options,
                       Function<Variable(const Variable& tokens, const Array& rows)> step);

/// Rows of a value of a state (rows, ...); throws Error if it has not that many.
Variable state_rows(const char* name, const Variable& x, const Array& rows, Size count);

/// 0, 0, 1, 1, 2, 2 for batch = 3 and beams = 2; throws Error unless beams > 0.
Array repeated_rows(Size batch, Size beams);
/// True for 0, 1, 2, ...
bool in_order(const Array& rows);

/// The state at the start, each row `beams` times, and later any rows of the state of a step.
template <class S>
class BeamState {
 public:
  BeamState(const char* name, const S& start, Size batch, Size beams) : name_(name) {
    Array rows = repeated_rows(batch, beams);
    state = map_values(start, [&](const Variable& x) { return state_rows(name, x, rows, batch); });
    start_ = values_of(state);
  }

  /// Rows only ever change places with rows of the same sequence. There all rows of a value that
  /// no step has replaced, such as what an attention looks at, are equal: it stays as it is.
  void choose(const Array& rows) {
    if (in_order(rows)) return;
    std::size_t k = 0;
    for_each_value(state, [&](Variable& x) {
      bool kept = k < start_.size() && x.record() == start_[k].record();
      ++k;
      if (!kept) x = state_rows(name_, x, rows, rows.size());
    });
  }

  S state;

 private:
  const char* name_;
  Variables start_;
};

/// Beam search by a function of a step.
template <class F, class S>
Hypotheses search(const char* name, F& step, const Variable& first, const S& start,
                  const BeamOptions& options) {
  return no_grad([&] {
    BeamState<S> rows(name, start, first.size(), options.beams);
    auto logits_after = [&](const Variable& tokens, const Array& chosen) {
      rows.choose(chosen);
      auto [logits, next] = step(tokens, static_cast<const S&>(rows.state));
      rows.state = std::move(next);
      return Variable(logits);
    };
    return detail::beam_search(name, first, options, logits_after);
  });
}

/// The same by a cell.
template <class C, class S>
Hypotheses search_cell(const char* name, const C& cell, const Variable& first, const S& initial,
                       const BeamOptions& options) {
  check_cell<C>();
  auto step = [&](const Variable& tokens, const S& s) {
    S next = cell.step(tokens, s);
    Variable logits = output_of(cell, next);
    return std::pair(std::move(logits), std::move(next));
  };
  S start = no_grad([&] { return initial_state(cell, first, initial); });
  return search(name, step, first, start, options);
}

/// The only hypothesis of each sequence.
std::vector<Hypothesis> only(Hypotheses found);

template <class F, class S>
concept DecoderStep = PlainState<S> && std::is_invocable_v<const F&, const Variable&, const S&>;

}  // namespace detail

/// Beam search with a cell that reads tokens, int64 (B), and whose output is their logits (B, V).
/// `first` is what it reads first, `initial` its state before that, empty fields as in over_time:
///
///     auto found = beam_search(decoder, first, {{}, {}, memory}, {.end = 1});
///     found[b][0].tokens;
///
/// Returns up to `beams` hypotheses for each sequence of the batch, complete ones first, each kind
/// by score: those that remain when all are complete or the longest is reached. At every step the
/// likeliest `beams` of all continuations are kept, complete ones as they are; what is impossible
/// (-inf) never is. Every value of the state needs the batch as its first axis. Throws Error if it
/// has not, for options that make no sense, and where the logits after a hypothesis that is not
/// complete hold NaN, or nothing but -inf.
template <class C>
requires detail::HasState<C> Hypotheses beam_search(const C& cell, const Variable& first,
                                                    const StateOf<C>& initial = {},
                                                    const BeamOptions& options = {}) {
  return detail::search_cell("beam_search", cell, first, initial, options);
}

/// The same with any function (tokens, state) -> std::pair(logits, state), for a model whose
/// readout is outside of its cell:
///
///     auto step = [&](const Variable& word, const Recurrent::State& s) {
///       auto next = rnn.step(embed(word), s);
///       return std::pair(readout(rnn.output(next)), next);
///     };
///     auto found = beam_search(step, first, initial_state(rnn, embed(first)), {.end = 1});
template <class F, class S>
requires detail::DecoderStep<F, S> Hypotheses beam_search(const F& step, const Variable& first,
                                                          const S& state,
                                                          const BeamOptions& options = {}) {
  return detail::search("beam_search", step, first, state, options);
}

/// The likeliest token at every step, for each sequence: a beam search with one beam.
template <class C>
requires detail::HasState<C> std::vector<Hypothesis>
greedy_search(const C& cell, const Variable& first, const StateOf<C>& initial = {},
              const GreedyOptions& options = {}) {
  return detail::only(
      detail::search_cell("greedy_search", cell, first, initial,
                          {.beams = 1, .end = options.end, .longest = options.longest}));
}
template <class F, class S>
requires detail::DecoderStep<F, S> std::vector<Hypothesis>
greedy_search(const F& step, const Variable& first, const S& state,
              const GreedyOptions& options = {}) {
  return detail::only(detail::search("greedy_search", step, first, state,
                                     {.beams = 1, .end = options.end, .longest = options.longest}));
}

}  // namespace unroll
