// The cell of (a), which other programs use as they would use one of the library: all that a user
// writes for a cell of their own. How it is trained is in minimal_gated_unit.cpp.
#pragma once

#include <unroll/unroll.hpp>

namespace mine {

using namespace unroll;

struct MinimalGatedUnit : Cell {
  using Cell::Cell;  // MinimalGatedUnit(in, hidden)
  Parameter Wf = parameter("Wf", {hidden, in}),
            Uf = parameter("Uf", {hidden, hidden}, init::orthogonal),
            bf = parameter("bf", {hidden}, init::zeros);
  Parameter Wh = parameter("Wh", {hidden, in}),
            Uh = parameter("Uh", {hidden, hidden}, init::orthogonal),
            bh = parameter("bh", {hidden}, init::zeros);

  struct State {
    Variable h;
  };

  State step(const Variable& x, const State& s) const {
    auto f = sigmoid(affine(x, Wf, s.h, Uf, bf));
    auto c = tanh(affine(x, Wh, f * s.h, Uh, bh));
    return {(1 - f) * s.h + f * c};
  }
};

}  // namespace mine
