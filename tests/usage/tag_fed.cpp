// (e2) Several inputs a step, a learned start, and a tagger that is fed with the previous tag.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MyLSTM;

namespace {

struct TagFed : Cell {
  TagFed(Size words, Size tags, Size size, Size hidden)
      : Cell(2 * size, hidden), words(words), tags(tags), size(size) {}
  Size words, tags, size;
  Embedding word = submodule("word", Embedding(words, size)),
            tag = submodule("tag", Embedding(tags, size));
  MyLSTM cell = submodule("cell", MyLSTM(in, hidden));
  Parameter start = parameter("start", {hidden});
  Linear readout = submodule("readout", Linear(hidden, tags));
  struct Input {
    Variable word, previous_tag;
  };
  using State = MyLSTM::State;
  State step(const Input& x, const State& s) const {
    return cell.step(concat({word(x.word), tag(x.previous_tag)}), s);
  }
  Variable output(const State& s) const { return readout(s.h); }
};
Variable tag_loss(const TagFed& t, const Array& words, const Array& tags, const Array& previous) {
  return cross_entropy(
      over_time(t, TagFed::Input{words, previous}, {.initial = {t.start, {}}}).outputs(), tags);
}

}  // namespace

// The tag of a word is its parity plus the previous tag, modulo 3.
BOOST_AUTO_TEST_CASE(tagger_fed_with_its_tags) {
  TagFed tagger(10, 3, 8, 16);
  Adam optimiser(tagger, {.learning_rate = 0.02});
  Generator generator(4);
  double first = 0, last = 0;
  for (int k = 0; k < 60; ++k) {
    vector<Size> words, tags, previous;
    for (int n = 0; n < 5 * 16; ++n) {
      words.push_back(Size(generator.below(10)));
      previous.push_back(n < 16 ? 0 : tags[size_t(n) - 16]);
      tags.push_back((words.back() % 2 + previous.back()) % 3);
    }
    Tape tape;
    auto loss =
        tag_loss(tagger, values(words, {5, 16}), values(tags, {5, 16}), values(previous, {5, 16}));
    tape.backward(loss);
    BOOST_TEST(!tagger.start.grad().empty());
    optimiser.step();
    (k ? last : first) = loss.item();
  }
  BOOST_TEST(first > 0.9);
  BOOST_TEST(last < 0.2);
}
