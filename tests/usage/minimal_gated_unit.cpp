// (a) A cell is its equations; training it on padded batches.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MinimalGatedUnit;

namespace {

struct Batch {
  Array x, y;
  vector<Size> lengths;
};

void train_minimal(const vector<Batch>& batches, vector<double>& losses) {
  MinimalGatedUnit cell(32, 64);
  Linear readout(64, 1);
  Adam optimiser({cell, readout}, {.learning_rate = 1e-3});
  for (auto& batch : batches) {
    Tape tape;
    auto states = over_time(cell, batch.x, {.lengths = batch.lengths});
    auto loss = mean_squared_error(readout(states.last().h), batch.y);
    tape.backward(loss);
    clip_global_norm(optimiser.parameters(), 5.0);
    optimiser.step();
    losses.push_back(loss.item());
  }
}

// What a sequence asks for is the sign of the first number in it, many steps ago.
vector<Batch> batches(int count) {
  Generator generator(1);
  vector<Batch> list;
  for (int k = 0; k < count; ++k) {
    Array x = normal({6, 16, 32}, generator);
    Array y = sign(sliced(Variable(x)[0], 1, 0, 1)).value();
    vector<Size> lengths;
    for (int b = 0; b < 16; ++b) lengths.push_back(1 + Size(generator.below(6)));
    list.push_back({x, y, lengths});
  }
  return list;
}

}  // namespace

BOOST_AUTO_TEST_CASE(minimal_gated_unit) {
  vector<double> losses;
  train_minimal(batches(600), losses);
  double first = 0, last = 0;
  for (size_t k = 0; k < 20; ++k) {
    first += losses[k] / 20;
    last += losses[580 + k] / 20;
  }
  BOOST_TEST(last < 0.7 * first);
}
