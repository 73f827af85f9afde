// (e) A decoder with attention: teacher forcing is over_time, generation is a loop.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MinimalGatedUnit;

namespace {

struct AttentionDecoder : Cell {
  AttentionDecoder(Size words, Size size, Size hidden) : Cell(size, hidden), words(words) {}
  Size words;
  Embedding embed = submodule("embed", Embedding(words, in));
  MinimalGatedUnit cell = submodule("cell", MinimalGatedUnit(in + hidden, hidden));
  Linear query = submodule("query", Linear(hidden, hidden)),
         readout = submodule("readout", Linear(2 * hidden, words));

  struct State {
    MinimalGatedUnit::State inner;
    Variable context, memory;
  };  // memory: (B, S, H), the same at every step

  State step(const Variable& word, const State& s) const {
    auto inner = cell.step(concat({embed(word), s.context}), s.inner);
    auto scores = squeeze(matmul(s.memory, expand(query(inner.h), -1)), -1);
    auto context = squeeze(matmul(expand(softmax(scores), 1), s.memory), 1);
    return {inner, context, s.memory};
  }

  Variable output(const State& s) const { return readout(concat({s.inner.h, s.context})); }
};

Variable decoder_loss(const AttentionDecoder& d, const Variable& memory, const Array& words,
                      const Array& next) {
  return cross_entropy(over_time(d, words, {.initial = {{}, {}, memory}}).outputs(),
                       next);  // empty fields start at zero
}

vector<Variable> decode(const AttentionDecoder& d, const Variable& memory, const Variable& first,
                        Size most) {
  vector<Variable> words{first};
  auto s = initial_state(d, first, {{}, {}, memory});
  for (Size t = 0; t < most; ++t) {
    s = d.step(words.back(), s);
    words.push_back(argmax(d.output(s)));
  }
  return words;
}

}  // namespace

// To repeat the memory's numbers one after the other, fed with its own predictions.
BOOST_AUTO_TEST_CASE(attention_decoder) {
  AttentionDecoder decoder(4, 6, 16);
  Generator generator(1);
  Variable memory = normal({2, 3, 16}, generator);
  Array words = values(vector<Size>{0, 0, 2, 3, 3, 1}, {3, 2}),
        next = values(vector<Size>{2, 3, 3, 1, 1, 2}, {3, 2});
  BOOST_TEST(gradcheck([&](auto& m) { return decoder_loss(decoder, m, words, next); }, {memory},
                       {.directions = 2, .order = 2, .parameters = decoder}));
  Adam optimiser(decoder, {.learning_rate = 0.02});
  for (int k = 0; k < 80; ++k) {
    Tape tape;
    tape.backward(decoder_loss(decoder, memory, words, next));
    optimiser.step();
  }
  auto spoken = decode(decoder, memory, indices({0, 0}), 3);
  BOOST_TEST(spoken.size() == 4u);
  for (Size t = 0; t < 3; ++t) BOOST_TEST(identical(spoken[t + 1].value(), next[t].copy()));

  // The library's loop, which knows of ends, and keeps several sequences in view: 1 ends here.
  auto greedy = greedy_search(decoder, indices({0, 0}), {{}, {}, memory}, {.end = 1, .longest = 3});
  BOOST_TEST(greedy[0].tokens == vector<Size>({2, 3, 1}));
  BOOST_TEST(greedy[1].tokens == vector<Size>({3, 1}));
  auto found =
      beam_search(decoder, indices({0, 0}), {{}, {}, memory}, {.beams = 2, .end = 1, .longest = 3});
  BOOST_TEST(found[0][0].tokens == greedy[0].tokens);
  BOOST_TEST(found[1][0].tokens == greedy[1].tokens);
}
