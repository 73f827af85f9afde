// W4: a cell that the library does not have, written as a user would: once with its gates fused,
// once from ordinary ops. The built-in cells are in layers.cpp.
#include "workload.hpp"

using namespace bench;

namespace {

// An LSTM with coupled input and forget gates and diagonal peepholes (Greff et al. 2017):
// i = sigmoid(z_i + p_i c), c' = (1 - i) c + i tanh(z_g), h' = sigmoid(z_o + p_o c') tanh(c').
struct PeepholeCoupled : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {3 * hidden, in}), b = parameter("b", {3 * hidden}, init::zeros);
  Parameter U = parameter("U", {3 * hidden, hidden}, init::orthogonal);
  Parameter pi = parameter("pi", {hidden}), po = parameter("po", {hidden});

  struct State {
    Variable h, c;
  };
};

struct Fused : PeepholeCoupled {
  using PeepholeCoupled::PeepholeCoupled;

  State step(const Variable& x, const State& s) const {
    auto [i, o, g] = chunk<3>(affine(x, W, s.h, U, b));
    auto [h, c] = fuse(
        [](auto zi, auto zo, auto zg, auto c0, auto pi, auto po) {
          auto i = sigmoid(zi + pi * c0);
          auto c = (1 - i) * c0 + i * tanh(zg);
          return std::tuple(sigmoid(zo + po * c) * tanh(c), c);
        },
        i, o, g, s.c, pi, po);
    return {h, c};
  }
};

struct FromOps : PeepholeCoupled {
  using PeepholeCoupled::PeepholeCoupled;

  State step(const Variable& x, const State& s) const {
    auto [zi, zo, zg] = chunk<3>(affine(x, W, s.h, U, b));
    auto i = sigmoid(zi + pi * s.c);
    auto c = (1 - i) * s.c + i * tanh(zg);
    return {sigmoid(zo + po * c) * tanh(c), c};
  }
};

const Register
    w4({"W4", "a cell of the user, T 64, B 32, 256 units", [] {
          const Array x = normal({64, 32, 256}, numbers());
          return std::vector<Line>{
              {.name = "W4", .time = train(Fused(256, 256), x, 1), .detail = "gates in one fuse"},
              {.name = "W4-ops", .time = train(FromOps(256, 256), x, 1), .detail = "gates from ops"}};
        }});

}  // namespace
