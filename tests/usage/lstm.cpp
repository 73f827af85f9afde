// (b) An LSTM with one fused kernel for its gates; it must agree with the library's.
#include <boost/test/unit_test.hpp>
#include <tuple>

#include <unroll/unroll.hpp>

using namespace std;
using namespace unroll;

namespace {

struct MyLSTM : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {4 * hidden, in}),
            U = parameter("U", {4 * hidden, hidden}, init::orthogonal),
            b = parameter("b", {4 * hidden}, init::zeros);

  struct State {
    Variable h, c;
  };

  State step(const Variable& x, const State& s) const {
    auto [i, f, g, o] = chunk<4>(affine(x, W, s.h, U, b));
    auto [h, c] = fuse(
        [](auto i, auto f, auto g, auto o, auto c0) {
          auto c = sigmoid(f) * c0 + sigmoid(i) * tanh(g);
          return tuple(sigmoid(o) * tanh(c), c);
        },
        i, f, g, o, s.c);
    return {h, c};
  }
};

}  // namespace

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
