// Programs that must not compile: a CASE each, and behind it what the compiler shall say. CASE 0 is
// what is right; run.cmake compiles them one by one.
#include <string>

#include <unroll/layers/linear.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/fuse.hpp>
#include <unroll/ops/ops.hpp>

using namespace unroll;

struct Good : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden});
  struct State {
    Variable h;
  };
  State step(const Variable& x, const State& s) const { return {tanh(affine(x, W, s.h, U))}; }
};

struct Forgetful : Good {  // changes itself between steps
  using Good::Good;
  State step(const Variable& x, const State& s) { return {x + s.h}; }
};

struct Private : Cell {
  using Cell::Cell;
  class State {
   public:
    State(const Variable& h) : h_(h) {}

   private:
    Variable h_;
  };
  State step(const Variable& x, const State&) const { return x; }
};

struct Stateless : Cell {
  using Cell::Cell;
  Variable step(const Variable& x) const { return x; }
};

struct Hidden : Good {  // shows itself by a function that is not const
  using Good::Good;
  Variable output(const State& s) { return s.h; }
};

struct Unready : Good {  // starts from a number instead of the first input
  using Good::Good;
  State zero_state(Size batch) const { return {zeros({batch, hidden})}; }
};

struct Loose {  // no Module
  struct State {
    Variable h;
  };
  State step(const Variable& x, const State& s) const { return {tanh(x + s.h)}; }
};

struct Named : Cell {
  using Cell::Cell;
  struct State {
    Variable h;
    std::string name;
  };
  State step(const Variable& x, const State& s) const { return {x, s.name}; }
};

struct Large : Cell {
  using Cell::Cell;
  struct State {
    Variable a, b, c, d, e, f, g, h, i, j, k, l, m;
  };
  State step(const Variable&, const State& s) const { return s; }
};

class Secret : public Cell {
 public:
  using Cell::Cell;

 private:
  struct State {
    Variable h;
  };
  State step(const Variable& x, const State&) const { return {x}; }
};

void program(Variable x, const Variable& y) {
  [[maybe_unused]] const double scale = 2;
#if CASE == 0
  over_time(Good(3, 4), x);
  fuse([scale](auto a, auto b) { return scale * a + b; }, x, y);
#elif CASE == 1  // [fuse] the lambda runs again in backward
  fuse([&](auto a) { return scale * a; }, x);
#elif CASE == 2  // [fuse] the lambda may capture numbers only: pass Variables and Arrays as inputs
  fuse([y](auto a) { return a; }, x);
#elif CASE == 3  // [fuse] the lambda must take one `auto` argument for each input
  fuse([](auto a) { return a; }, x, y);
#elif CASE == 4  // [cell] step must be const
  over_time(Forgetful(3, 4), x);
#elif CASE == 5  // [cell] State must be a plain struct
  over_time(Private(3, 4), x);
#elif CASE == 6  // [cell] declare its memory, in public: `struct State { Variable h; };`
  over_time(Stateless(3, 4), x);
#elif CASE == 7  // deleted
  x[0] = y;
#elif CASE == 8  // deleted
  if (x) program(y, x);
#elif CASE == 9  // deleted
  x = Array({5, 3});
#elif CASE == 10  // deleted
  Good cell(3, 4), copy(cell);
#elif CASE == 11  // [cell] output must be `Variable output(const State& s) const`
  over_time(Hidden(3, 4), x);
#elif CASE == 12  // [cell] zero_state must be `State zero_state(const Variable& x) const`
  over_time(Unready(3, 4), x);
#elif CASE == 13  // [recurrent] a cell in a Recurrent is a Module: derive it from Cell or Module
  Recurrent one = Loose();
#elif CASE == 14  // [recurrent] a cell in a Recurrent is a Module: derive it from Cell or Module
  stacked({.dropout = 0.5}, Good(3, 4), Loose());
#elif CASE == 15  // [recurrent] layers are cells, or Recurrents
  stacked(Good(3, 4), Linear(4, 4));
#elif CASE == 16  // [state] a State or Input must be a plain struct of Variables
  over_time(Named(3, 4), x);
#elif CASE == 17  // [state] a struct has up to 12 fields
  over_time(Large(3, 4), x);
#elif CASE == 18  // [cell] declare its memory, in public
  over_time(Secret(3, 4), x);
#endif
}
