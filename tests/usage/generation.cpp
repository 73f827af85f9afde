// (m) Generation: no tape, one letter after the other.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MyLSTM;

namespace {

const string kLetters = "namskr";

struct LanguageModel : Module {
  LanguageModel(Size words, Size size) : words(words), size(size) {}
  Size words, size;
  Embedding embed = submodule("embed", Embedding(words, size));
  Recurrent rnn = submodule("rnn", recurrent<MyLSTM>(size, size, {.layers = 2}));
  Linear readout = submodule("readout", Linear(size, words));
};

string generate(const LanguageModel& lm, Size length, double temperature) {
  Generator rng(7);
  string text;
  Memos memos;  // weights stay as products want them, from letter to letter
  Variable letter = Array(Shape{1}, int64);
  auto s = initial_state(lm.rnn, lm.embed(letter));
  for (Size t = 0; t < length; ++t) {
    s = lm.rnn.step(lm.embed(letter), s);
    letter =
        categorical(lm.readout(lm.rnn.output(s)), rng, {.temperature = temperature, .top_k = 10});
    text += kLetters[size_t(letter.item())];
  }
  return text;
}

void train(LanguageModel& lm, const string& text) {
  vector<Size> numbers;
  for (char c : text) numbers.push_back(Size(kLetters.find(c)));
  Size n = Size(text.size()) - 1;
  Array x = values(span<const Size>(numbers).first(size_t(n)), {n, 1}),
        y = values(span<const Size>(numbers).last(size_t(n)), {n, 1});
  Adam optimiser(lm, {.learning_rate = 0.01});
  for (int k = 0; k < 100; ++k) {
    Tape tape;
    tape.backward(cross_entropy(lm.readout(over_time(lm.rnn, lm.embed(x)).outputs()), y));
    optimiser.step();
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(generation) {
  LanguageModel lm(6, 16);
  string before = generate(lm, 50, 0.8);
  BOOST_TEST(before.size() == 50u);
  BOOST_TEST(before.find_first_not_of(kLetters) == string::npos);
  BOOST_TEST(before == generate(lm, 50, 0.8));
  train(lm, "namaskarnamaskarnamaskar");
  BOOST_TEST(generate(lm, 15, 0) == "amaskarnamaskar");  // after an n
}
