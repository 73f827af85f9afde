// What LSTMs do with their gates, whatever made them: one fused kernel for the LSTM and the
// convolutional one. Internal.
#pragma once

#include <utility>

#include <unroll/autograd/variable.hpp>

namespace unroll::detail {

/// h' and c' from the gates i, f, g, o, which lie side by side along the axis.
std::pair<Variable, Variable> lstm_gates(const Variable& gates, const Variable& c, Size axis);

}  // namespace unroll::detail
