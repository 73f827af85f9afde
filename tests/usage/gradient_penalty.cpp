// (i) A gradient penalty: the gradient by the input is part of the loss.
#include <boost/test/unit_test.hpp>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MinimalGatedUnit;

namespace {

struct Batch {
  Array x;
};

double critic_step(MinimalGatedUnit& cell, Linear& readout, Adam& optimiser, const Batch& batch) {
  Tape tape;
  auto x = tape.watch(batch.x);
  auto score = readout(over_time(cell, x).last().h);
  auto slope = grad(sum(score), x, {.create_graph = true});
  auto penalty = mean(square(norm(slope, {.axes = {-1}}) - 1));
  tape.backward(mean(score) + 10 * penalty);
  optimiser.step();
  return penalty.item();
}

}  // namespace

BOOST_AUTO_TEST_CASE(gradient_penalty) {
  MinimalGatedUnit cell(3, 8);
  Linear readout(8, 1);
  Adam optimiser({cell, readout}, {.learning_rate = 0.02});
  Generator generator(5);
  Batch batch{normal({4, 6, 3}, generator)};
  double first = critic_step(cell, readout, optimiser, batch), last = 0;
  for (int k = 0; k < 40; ++k) last = critic_step(cell, readout, optimiser, batch);
  BOOST_TEST(first > 0.3);
  BOOST_TEST(last < 0.5 * first);
}
