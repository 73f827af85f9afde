// (g) Two bidirectional layers of the user's own cell; any cell by name when the program runs.
#include <boost/test/unit_test.hpp>
#include <string_view>
#include <vector>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MinimalGatedUnit;
using mine::MyLSTM;
using mine::SecondOrderElman;

namespace {

struct Tagger : Module {
  Tagger(Size words, Size tags) : words(words), tags(tags) {}
  Size words, tags;
  Embedding embed = submodule("embed", Embedding(words, 32));
  Recurrent encoder = submodule(
      "encoder", recurrent<MinimalGatedUnit>(
                     32, 64, {.bidirectional = true, .layers = 2, .variational_dropout = 0.3}));
  Linear readout = submodule("readout", Linear(128, tags));
  Variable operator()(const Variable& sentence, const vector<Size>& lengths = {}) const {
    return readout(over_time(encoder, embed(sentence), {.lengths = lengths}).outputs());
  }
};

Recurrent cell_by_name(string_view name, Size in, Size hidden) {  // --cell, run time
  if (name == "lstm") return MyLSTM(in, hidden);
  if (name == "elman2") return SecondOrderElman(in, hidden);
  return MinimalGatedUnit(in, hidden);
}

}  // namespace

// The tag of a word says whether the next one is larger: the sentence must be read backwards.
BOOST_AUTO_TEST_CASE(tagger) {
  Tagger net(10, 2);
  Adam optimiser(net, {.learning_rate = 0.005});
  Generator generator(4), dropout_generator(5);
  double first = 0, last = 0;
  for (int k = 0; k < 120; ++k) {
    vector<Size> words, tags(7 * 8, -100);
    for (int n = 0; n < 7 * 8; ++n) words.push_back(Size(generator.below(10)));
    vector<Size> lengths{7, 7, 6, 5, 4, 3, 2, 1};
    for (Size t = 0; t < 7; ++t)
      for (Size b = 0; b < 8; ++b)
        if (t < lengths[b])
          tags[t * 8 + b] = t + 1 < lengths[b] && words[(t + 1) * 8 + b] > words[t * 8 + b];
    Tape tape(dropout_generator);
    auto loss = cross_entropy(net(values(words, {7, 8}), lengths), values(tags, {7, 8}));
    tape.backward(loss);
    optimiser.step();
    (k ? last : first) = loss.item();
  }
  BOOST_TEST(first > 0.6);
  BOOST_TEST(last < 0.35);
}

BOOST_AUTO_TEST_CASE(cell_by_its_name) {
  for (auto name : {"lstm", "elman2", "mgu"}) {
    Recurrent r = cell_by_name(name, 3, 4);
    BOOST_TEST(gradcheck(r, zeros({3, 2, 3})));
  }
}
