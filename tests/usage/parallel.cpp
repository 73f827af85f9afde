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

vector<Variable> gradients_by_hand(const Tagger& net, const array<Batch, 2>& shards) {
  array<vector<Variable>, 2> g;
  auto work = [&](size_t k) {
    Tape tape;
    g[k] = grad(cross_entropy(net(shards[k].x), shards[k].y), net);
  };
  thread other(work, 1);
  work(0);
  other.join();
  for (size_t k = 0; k < g[0].size(); ++k) g[0][k] = (g[0][k] + g[1][k]) / 2;
  return g[0];
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

BOOST_AUTO_TEST_CASE(parallel_by_hand) {
  Tagger net;
  Generator generator(4);
  const Batch all = some_words(generator);
  array<Batch, 2> halves;
  for (size_t k = 0; k < 2; ++k)
    halves[k] = {all.x.sliced(1, 4 * k, 4 * k + 4), all.y.sliced(1, 4 * k, 4 * k + 4)};
  vector<Variable> by_hand = gradients_by_hand(net, halves);
  parallel_backward(8,
                    [&](Size begin, Size end) {
                      return cross_entropy(net(sliced(all.x, 1, begin, end)),
                                           sliced(all.y, 1, begin, end));
                    },
                    {.threads = 2});
  vector<Parameter> parameters = net.parameters();
  for (size_t k = 0; k < parameters.size(); ++k) {
    Variable difference = max(abs(parameters[k].grad() - by_hand[k]));
    BOOST_TEST(difference.item() < 1e-6);
  }
}
