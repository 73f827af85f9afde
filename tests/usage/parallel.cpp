// (l) Data-parallel training: one tape a thread, by the library and by hand.
#include <array>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include <unroll/unroll.hpp>

using namespace std;
using namespace unroll;

namespace {

struct Batch {
  Array x, y;
};

struct Tagger : Module {
  Embedding embed = submodule("embed", Embedding(10, 8));
  Recurrent encoder = submodule("encoder", recurrent<GRU>(8, 12, {.bidirectional = true}));
  Linear readout = submodule("readout", Linear(24, 2));
  Variable operator()(const Variable& x) const {
    return readout(over_time(encoder, embed(x)).outputs());
  }
};

double train_parallel(const Tagger& net, Optimiser& optimiser, const Batch& batch) {
  auto loss = parallel_backward(batch.x.size(1),
                                [&](Size begin, Size end) {
                                  return cross_entropy(net(sliced(batch.x, 1, begin, end)),
                                                       sliced(batch.y, 1, begin, end));
                                },
                                {.threads = 2});
  optimiser.step();
  return loss;
}

void train_parallel_by_hand(const Tagger& net, Optimiser& optimiser,
                            const array<Batch, 2>& shards) {
  array<vector<Variable>, 2> g;
  auto work = [&](size_t k) {
    Tape tape;
    g[k] = grad(cross_entropy(net(shards[k].x), shards[k].y), net);
  };
  thread other(work, 1);
  work(0);
  other.join();
  vector<Parameter> parameters = net.parameters();
  for (size_t k = 0; k < parameters.size(); ++k)
    parameters[k].set_grad(Variable((g[0][k] + g[1][k]) / 2).value());
  optimiser.step();
}

// The tag of a word says whether it is odd.
Batch some_words(Generator& generator) {
  vector<Size> words, tags;
  for (int n = 0; n < 5 * 8; ++n) {
    words.push_back(Size(generator.below(10)));
    tags.push_back(words.back() % 2);
  }
  return {values(words, {5, 8}), values(tags, {5, 8})};
}

}  // namespace

BOOST_AUTO_TEST_CASE(parallel_training) {
  Tagger net;
  Adam optimiser(net, {.learning_rate = 0.01});
  Generator generator(4);
  double first = 0, last = 0;
  for (int k = 0; k < 40; ++k)
    (k ? last : first) = train_parallel(net, optimiser, some_words(generator));
  BOOST_TEST(first > 0.6);
  BOOST_TEST(last < 0.1);
}

// Both ways go through the same numbers.
BOOST_AUTO_TEST_CASE(parallel_by_hand) {
  Tagger net, other;
  net.to(float64);
  other.to(float64);
  copy_parameters(net, other);
  SGD optimiser(net, {.learning_rate = 0.5}), other_optimiser(other, {.learning_rate = 0.5});
  Generator generator(4);
  double first = 0, last = 0;
  for (int k = 0; k < 20; ++k) {
    Batch batch = some_words(generator);
    array<Batch, 2> halves;
    for (size_t h = 0; h < 2; ++h)
      halves[h] = {batch.x.sliced(1, 4 * h, 4 * h + 4), batch.y.sliced(1, 4 * h, 4 * h + 4)};
    train_parallel_by_hand(net, optimiser, halves);
    (k ? last : first) = train_parallel(other, other_optimiser, batch);
    vector<Parameter> a = net.parameters(), b = other.parameters();
    for (size_t p = 0; p < a.size(); ++p) BOOST_TEST(max(abs(a[p] - b[p])).item() < 1e-12);
  }
  BOOST_TEST(last < 0.7 * first);
}
