// The recurrent highway network (Zilly et al. 2017): several gated steps of depth within one step of
// time. Its step is compiled with the library, like the LSTM's.
#pragma once

#include <unroll/layers/over_time.hpp>

namespace unroll {

struct RecurrentHighwayOptions {
  Size depth = 2;
};

/// Rows of W (2 hidden, in), R1 .. Rk (2 hidden, hidden) and b1 .. bk (2 hidden) in the order a, t. For
/// j = 1 .. depth, where x enters at j = 1 only:
///
///     (a, t) = x W^T + h Rj^T + bj,  h <- sigmoid(t) tanh(a) + (1 - sigmoid(t)) h
struct RecurrentHighway : Cell {
  RecurrentHighway(Size in, Size hidden, const RecurrentHighwayOptions& options = {});
  Parameter W = parameter("W", {2 * hidden, in});
  std::vector<Parameter> R, b;

  struct State {
    Variable h;
  };

  State step(const Variable& x, const State& s) const;
};

}  // namespace unroll
