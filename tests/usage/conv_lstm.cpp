// (d) A convolutional LSTM: x (B, C, H, W), state (B, hidden, H, W).
#include <boost/test/unit_test.hpp>

#include <unroll/unroll.hpp>

using namespace std;
using namespace unroll;

namespace {

struct MyConvLSTM : Cell {
  MyConvLSTM(Size in, Size hidden, Size k) : Cell(in, hidden), k(k) {}
  Size k;
  Parameter W = parameter("W", {4 * hidden, in, k, k}),
            U = parameter("U", {4 * hidden, hidden, k, k}),
            b = parameter("b", {4 * hidden, 1, 1}, init::zeros);

  struct State {
    Variable h, c;
  };

  State zero_state(const Variable& x) const {
    auto z = zeros({x.size(0), hidden, x.size(2), x.size(3)});
    return {z, z};
  }

  State step(const Variable& x, const State& s) const {
    auto [i, f, g, o] =
        chunk<4>(conv2d(x, W, {.padding = k / 2}) + conv2d(s.h, U, {.padding = k / 2}) + b, 1);
    auto c = sigmoid(f) * s.c + sigmoid(i) * tanh(g);
    return {sigmoid(o) * tanh(c), c};
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(conv_lstm) {
  BOOST_TEST(
      gradcheck(MyConvLSTM(1, 2, 3), zeros({3, 2, 1, 4, 4}), {.lengths = {3, 1}, .order = 2}));
  MyConvLSTM cell(1, 2, 3);
  auto states = over_time(cell, ones({5, 2, 1, 4, 6}), {.reverse = true});
  BOOST_TEST(states.all().c.shape().text() == "(5, 2, 2, 4, 6)");
}
