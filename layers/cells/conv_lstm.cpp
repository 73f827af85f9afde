// The equations of the convolutional LSTM.
#include <unroll/layers/cells/conv_lstm.hpp>

#include <unroll/layers/cells/lstm_gates.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/nn.hpp>

namespace unroll {

static Size odd(Size kernel) {
  if (kernel < 1 || kernel % 2 == 0)
    fail("conv_lstm", "kernel is ", kernel, "; expected an odd number.");
  return kernel;
}

ConvLSTM::ConvLSTM(Size in, Size hidden, const ConvLSTMOptions& options)
    : Cell(in, hidden), kernel(odd(options.kernel)) {}

ConvLSTM::State ConvLSTM::zero_state(const Variable& x) const {
  if (x.rank() != 4)
    fail("conv_lstm", "x is ", x.shape(), "; expected (B, ", in, ", height, width).");
  Variable zero = zeros({x.size(0), hidden, x.size(2), x.size(3)}, x.type());
  return {zero, zero};
}

ConvLSTM::State ConvLSTM::step(const Variable& x, const State& s) const {
  const Conv2dOptions same{.padding = kernel / 2};
  auto [h, c] = detail::lstm_gates(conv2d(x, W, same) + conv2d(s.h, U, same) + b, s.c, 1);
  return {h, c};
}

}  // namespace unroll
