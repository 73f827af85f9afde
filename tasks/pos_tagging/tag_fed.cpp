// Teacher forcing over whole sentences, and the search step by step. The formula is in tag_fed.hpp.
#include "pos_tagging/tag_fed.hpp"

#include <cmath>

#include "common/cells.hpp"

namespace tasks::pos_tagging {

using namespace unroll;

namespace {

/// The sequence n steps earlier, and zeros at its end.
Variable ahead(const Variable& xs, Size n) {
  const Size steps = xs.size(0), passed = std::min(n, steps);
  return pad(sliced(xs, 0, passed, steps), {{0, passed}, {0, 0}, {0, 0}});
}

}  // namespace

TagFed::TagFed(const Settings& s, const Vocabulary& vocabulary)
    : dropout_(s.dropout), border_(vocabulary.tags.size()), lookahead_(s.lookahead),
      encode_(submodule("encode", WordEncoder(s, vocabulary))),
      tag_(submodule("tag", Embedding(border_ + 1, s.tag_embedding))),
      rnn_(submodule("rnn", recurrent_of(s.cell, encode_.size * (1 + lookahead_) + s.tag_embedding,
                                         s.hidden, {.dropout = s.dropout, .layers = s.layers}))),
      readout_(submodule("readout", Linear(s.hidden, border_))) {}

Variable TagFed::inputs(const Batch& batch) const {
  const Variable words = encode_(batch);
  Variables window{words};
  for (Size n = 1; n <= lookahead_; ++n) window.push_back(ahead(words, n));
  return concat(window);
}

RecurrentStates TagFed::read(const Batch& batch) const {
  const Shape shape = batch.tags.shape();
  const Variable before = concat({full({1, shape[1]}, double(border_), int64),
                                  sliced(Variable(batch.tags), 0, 0, shape[0] - 1)},
                                 0);
  return over_time(rnn_, concat({inputs(batch), dropout(tag_(before), dropout_)}),
                   {.lengths = batch.words.lengths});
}

Variable TagFed::loss(const RecurrentStates& states, const Batch& batch) const {
  return cross_entropy(readout_(dropout(states.outputs(), dropout_)), batch.tags,
                       {.lengths = batch.words.lengths, .reduction = Reduction::sum});
}

std::vector<std::vector<Size>> TagFed::tags(const Batch& batch, Size beams) const {
  struct State {
    Recurrent::State rnn;
    Size t;
  };
  const Variable words = inputs(batch), side_by_side = repeat(words, beams, 1);
  const Variable lengths =
      repeat(values(batch.words.lengths, {Size(batch.words.lengths.size())}), beams, 0);
  const auto step = [&](const Variable& before, const State& s) {
    const Variable word = side_by_side[std::min(s.t, words.size(0) - 1)];
    const auto rnn = rnn_.step(concat({word, tag_(before)}), s.rnn);
    // Tags up to the last word, and then the border alone.
    const Variable over = expand(lengths <= double(s.t), -1);  // (B * beams, 1)
    const Variable border = where(over, 0, full({lengths.size(), 1}, -INFINITY));
    const Variable tags = masked_fill(readout_(rnn_.output(rnn)), over, -INFINITY);
    return std::pair(concat({tags, border}), State{rnn, s.t + 1});
  };
  const Variable first =
      full({static_cast<Size>(batch.words.lengths.size())}, double(border_), int64);
  const State start{initial_state(rnn_, concat({words[0], tag_(first)})), 0};
  const Hypotheses found = beam_search(
      step, first, start, {.beams = beams, .end = border_, .longest = words.size(0) + 1});
  std::vector<std::vector<Size>> tags;
  for (const auto& hypotheses : found) {
    tags.push_back(hypotheses.at(0).tokens);
    tags.back().pop_back();  // the border
  }
  return tags;
}

}  // namespace tasks::pos_tagging
