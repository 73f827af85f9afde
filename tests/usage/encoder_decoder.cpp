// An encoder, a decoder that attends to it, teacher forcing, greedy and beam search: sentences of
// several lengths are said backwards.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <vector>

#include <unroll/unroll.hpp>

using namespace std;
using namespace unroll;

namespace {

constexpr Size kBegin = 0, kEnd = 1, kWords = 8;

struct Decoder : Cell {
  Decoder(Size words, Size size, Size hidden) : Cell(size, hidden), words(words) {}
  Size words;
  Embedding embed = submodule("embed", Embedding(words, in));
  GRU cell = submodule("cell", GRU(in + hidden, hidden));
  AdditiveAttention attention = submodule("attention", AdditiveAttention(hidden, hidden, hidden));
  Linear readout = submodule("readout", Linear(2 * hidden, words));

  struct State {
    GRU::State inner;
    Variable context;
    AttentionMemory memory;
  };

  State step(const Variable& word, const State& s) const {
    auto inner = cell.step(concat({embed(word), s.context}), s.inner);
    return {inner, attention(inner.h, s.memory).output, s.memory};
  }
  Variable output(const State& s) const { return readout(concat({s.inner.h, s.context})); }
};

struct Translator : Module {
  Embedding embed = submodule("embed", Embedding(kWords, 16));
  GRU encoder = submodule("encoder", GRU(16, 32));
  Decoder decoder = submodule("decoder", Decoder(kWords, 16, 32));

  Decoder::State start(const Variable& source, const vector<Size>& lengths) const {
    auto states = over_time(encoder, embed(source), {.lengths = lengths});
    auto memory = decoder.attention.remember(states.outputs(), {.lengths = lengths});
    return {states.last(), {}, memory};
  }
};

struct Batch {
  Array source, words, next;  // (T, B): read, spoken so far, to be spoken
  vector<Size> lengths, spoken;
  vector<vector<Size>> targets;
};

/// Random sentences of 1 to 6 words, which end in kEnd when they are said backwards.
Batch sentences(Size batch, Generator& generator) {
  Batch b{zeros({6, batch}, int64), zeros({7, batch}, int64), zeros({7, batch}, int64), {}, {}, {}};
  for (Size k = 0; k < batch; ++k) {
    vector<Size> sentence(1 + size_t(generator.below(6)));
    for (Size t = 0; t < Size(sentence.size()); ++t)
      b.source[t][k].fill(double(sentence[size_t(t)] = 2 + Size(generator.below(kWords - 2))));
    b.lengths.push_back(Size(sentence.size()));
    b.spoken.push_back(Size(sentence.size()) + 1);
    reverse(sentence.begin(), sentence.end());
    sentence.push_back(kEnd);
    Size before = kBegin;
    for (Size t = 0; t < Size(sentence.size()); ++t) {
      b.words[t][k].fill(double(before));
      b.next[t][k].fill(double(before = sentence[size_t(t)]));
    }
    b.targets.push_back(sentence);
  }
  return b;
}

Variable loss(const Translator& net, const Batch& b) {
  auto states = over_time(net.decoder, b.words, {.initial = net.start(b.source, b.lengths)});
  return cross_entropy(states.outputs(), b.next, {.lengths = b.spoken});
}

}  // namespace

BOOST_AUTO_TEST_CASE(encoder_decoder) {
  Translator net;
  Generator generator(1);
  Adam optimiser(net, {.learning_rate = 5e-3});
  for (int k = 0; k < 1000; ++k) {
    if (k == 700) optimiser.set_learning_rate(1e-3);
    Batch batch = sentences(32, generator);
    Tape tape;
    tape.backward(loss(net, batch));
    clip_global_norm(net, 1);
    optimiser.step();
  }

  Batch batch = sentences(50, generator);
  Array first = full({50}, kBegin, int64);
  auto start = net.start(batch.source, batch.lengths);
  auto greedy = greedy_search(net.decoder, first, start, {.end = kEnd, .longest = 10});
  auto beams = beam_search(net.decoder, first, start, {.beams = 3, .end = kEnd, .longest = 10});
  for (size_t k = 0; k < 50; ++k) {
    BOOST_TEST(greedy[k].tokens == batch.targets[k]);
    BOOST_TEST(beams[k].size() == 3u);
    BOOST_TEST(beams[k][0].tokens == batch.targets[k]);
    BOOST_TEST(beams[k][0].complete);
    BOOST_TEST(beams[k][0].log_probability >= greedy[k].log_probability - 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(encoder_decoder_gradients) {
  Translator net;
  Generator generator(2);
  Batch batch = sentences(3, generator);
  BOOST_TEST(gradcheck([&](auto&) { return loss(net, batch); }, {Shape{0}},
                       {.directions = 1, .may_be_constant = true, .order = 2, .parameters = net}));
}
