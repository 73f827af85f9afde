// (b) An LSTM with one fused kernel for its gates; it must agree with the library's.
#include <boost/test/unit_test.hpp>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MyLSTM;

BOOST_AUTO_TEST_CASE(lstm) {
  MyLSTM mine(5, 7);
  LSTM theirs(5, 7);
  copy_parameters(mine, theirs);
  Generator generator(3);
  Array x = normal({9, 4, 5}, generator);
  Tape tape;
  auto a = over_time(mine, x);
  auto b = over_time(theirs, x);
  BOOST_TEST(max(abs(a.outputs() - b.outputs())).item() < 1e-6);
  BOOST_TEST(max(abs(a.last().c - b.last().c)).item() < 1e-6);
  auto g = grad(sum(square(a.outputs())), mine, {.retain_graph = true});
  auto h = grad(sum(square(b.outputs())), theirs);
  for (size_t k = 0; k < 3; ++k) BOOST_TEST(max(abs(g[k] - h[k])).item() < 1e-4);
  BOOST_TEST(gradcheck(MyLSTM(3, 4), {.order = 2, .steps = 5}));
}
