#include <unroll/unroll.hpp>

#include <cstdio>
using namespace unroll;

struct MinimalGatedUnit : Cell {
  using Cell::Cell;
  Parameter Wf = parameter("Wf", {hidden, in}), Uf = parameter("Uf", {hidden, hidden}, init::orthogonal), bf = parameter("bf", {hidden}, init::zeros);
  Parameter Wh = parameter("Wh", {hidden, in}), Uh = parameter("Uh", {hidden, hidden}, init::orthogonal), bh = parameter("bh", {hidden}, init::zeros);

  struct State { Variable h; };

  State step(const Variable& x, const State& s) const {
    auto f = sigmoid(affine(x, Wf, s.h, Uf, bf));
    auto c = tanh(affine(x, Wh, f * s.h, Uh, bh));
    return {(1 - f) * s.h + f * c};
  }
};

int main() {
  MinimalGatedUnit cell(3, 4);
  Tape tape;
  auto states = over_time(cell, zeros({20, 2, 3}) + 1);
  tape.backward(sum(states.last().h * states.last().h));
  std::printf("gradient norm %.6f\n", double(clip_global_norm(cell, 5.0)));
}
