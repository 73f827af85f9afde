// (f) Truncated backpropagation through time over a long text: the state is carried from tape to
// tape.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MyLSTM;

namespace {

struct Batch {
  Array x, y;
};

struct LanguageModel : Module {
  LanguageModel(Size words, Size size) : words(words), size(size) {}
  Size words, size;
  Embedding embed = submodule("embed", Embedding(words, size));
  Recurrent rnn = submodule("rnn", recurrent<MyLSTM>(size, size, {.dropout = 0.3, .layers = 2}));
  Linear readout = submodule("readout", Linear(size, words));
};

void train_text(LanguageModel& lm, const vector<Batch>& windows, vector<double>& losses) {
  Generator rng(7);
  Adam optimiser(lm, {.learning_rate = 0.01});
  Recurrent::State state;  // empty means zeros
  for (auto& window : windows) {
    Tape tape(rng);
    auto states = over_time(lm.rnn, lm.embed(window.x), {.initial = state});
    auto loss = cross_entropy(lm.readout(states.outputs()), window.y);
    tape.backward(loss);
    clip_global_norm(lm, 5.0);
    optimiser.step();
    state = states.last();  // a constant on the next tape
    losses.push_back(loss.item());
  }
}

void train_text_one_layer(MyLSTM& cell, Linear& readout, const vector<Batch>& windows,
                          vector<double>& losses) {
  Adam optimiser({cell, readout}, {.learning_rate = 0.01});
  MyLSTM::State state;
  for (auto& window : windows) {
    Tape tape;
    auto states = over_time(cell, window.x, {.initial = state});
    auto loss = cross_entropy(readout(states.outputs()), window.y);
    tape.backward(loss);
    optimiser.step();
    state = states.last();
    losses.push_back(loss.item());
  }
}

// Letters 0, 1, 2, 3, 0, 1, ... of four sequences, in windows of five.
vector<Batch> windows(int count) {
  vector<Batch> list;
  for (Size w = 0; w < count; ++w) {
    vector<Size> x, y;
    for (Size t = 0; t < 5; ++t)
      for (Size b = 0; b < 4; ++b) {
        x.push_back((5 * w + t + b) % 4);
        y.push_back((5 * w + t + b + 1) % 4);
      }
    list.push_back({values(x, {5, 4}), values(y, {5, 4})});
  }
  return list;
}

}  // namespace

BOOST_AUTO_TEST_CASE(truncated_bptt) {
  LanguageModel lm(4, 12);
  vector<double> losses;
  train_text(lm, windows(80), losses);
  BOOST_TEST(losses.front() > 1);
  BOOST_TEST(losses.back() < 0.3);
}

BOOST_AUTO_TEST_CASE(truncated_bptt_of_one_layer) {
  MyLSTM cell(4, 12);
  Linear readout(12, 4);
  vector<Batch> batches = windows(80);
  for (Batch& b : batches) b.x = one_hot(b.x, 4).value();
  vector<double> losses;
  train_text_one_layer(cell, readout, batches, losses);
  BOOST_TEST(losses.front() > 1);
  BOOST_TEST(losses.back() < 0.3);
}
