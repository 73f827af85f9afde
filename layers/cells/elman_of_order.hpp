// Elman's network with a memory of several steps. That of one step is in elman.hpp.
#pragma once

#include <unroll/layers/cells/elman.hpp>

namespace unroll {

/// A memory of k states: h' = tanh(x W^T + h U1^T + ... + h_{k-1} Uk^T + b), where h_j is the state
/// j steps before h.
struct ElmanOfOrder : Cell {
  ElmanOfOrder(Size in, Size hidden, Size k, const ElmanOptions& options = {})
      : Cell(in, hidden), activation(options.activation) {
    if (k < 1) fail("elman", "order is ", k, "; expected 1 or more.");
    for (Size j = 1; j <= k; ++j)
      U.push_back(parameter(join("U", j), {hidden, hidden}, init::orthogonal));
    if (options.bias) b = parameter("b", {hidden}, init::zeros);
  }

  Variable (*activation)(const Variable&);
  Parameter W = parameter("W", {hidden, in}), b;
  std::vector<Parameter> U;

  struct State {
    std::vector<Variable> h;  ///< the newest first
  };

  State zero_state(const Variable& x) const {
    return {std::vector<Variable>(U.size(), zeros({x.size(0), hidden}, x.type()))};
  }
  State step(const Variable& x, const State& s) const {
    Variables terms{x, W};
    for (std::size_t j = 0; j < U.size(); ++j) terms.insert(terms.end(), {s.h[j], U[j]});
    terms.push_back(b);
    State next{{activation(affine_of(terms))}};
    next.h.insert(next.h.end(), s.h.begin(), s.h.end() - 1);
    return next;
  }
};

}  // namespace unroll
