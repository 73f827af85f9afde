// The cells of (a), (b) and (c), which other programs use as they would use one of the library: all
// that a user writes for a cell of their own. How they are trained and checked is in those
// programs.
#pragma once

#include <tuple>

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
          return std::tuple(sigmoid(o) * tanh(c), c);
        },
        i, f, g, o, s.c);
    return {h, c};
  }
};

struct SecondOrderElman : Cell {  // k fixed: two plain fields, nothing else
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), U1 = parameter("U1", {hidden, hidden}),
            U2 = parameter("U2", {hidden, hidden}), b = parameter("b", {hidden});
  struct State {
    Variable h, before;
  };
  State step(const Variable& x, const State& s) const {
    return {tanh(affine(x, W, s.h, U1, s.before, U2, b)), s.h};
  }
};

}  // namespace mine
