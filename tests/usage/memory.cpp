// (c) A memory of the last k states, in a list or in fields.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::SecondOrderElman;

namespace {

struct MemoryElman : Cell {
  MemoryElman(Size in, Size hidden, Size k) : Cell(in, hidden), k(k) {
    for (Size j = 0; j < k; ++j)
      U.push_back(parameter("U" + to_string(j + 1), {hidden, hidden}, init::orthogonal));
  }
  Size k;
  Parameter W = parameter("W", {hidden, in}), b = parameter("b", {hidden}, init::zeros);
  vector<Parameter> U;

  struct State {
    vector<Variable> h;
  };  // h_{t-1} ... h_{t-k}

  State zero_state(const Variable& x) const {
    return {vector<Variable>(size_t(k), zeros({x.size(0), hidden}))};
  }

  State step(const Variable& x, const State& s) const {
    auto z = linear(x, W, b);
    for (Size j = 0; j < k; ++j) z = linear(s.h[j], U[j], z);
    auto h = s.h;
    h.insert(h.begin(), tanh(z));
    h.pop_back();
    return {h};
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(memory_of_k_states) {
  MemoryElman list(3, 4, 2);
  SecondOrderElman fields(3, 4);
  list.W.assign(fields.W.value());
  list.b.assign(fields.b.value());
  list.U[0].assign(fields.U1.value());
  list.U[1].assign(fields.U2.value());
  Generator generator(3);
  Array x = normal({6, 2, 3}, generator);
  auto a = over_time(list, x, {.lengths = {6, 3}});
  auto b = over_time(fields, x, {.lengths = {6, 3}});
  BOOST_TEST(max(abs(a.outputs() - b.outputs())).item() < 1e-6);
  BOOST_TEST(max(abs(a.last().h[1] - b.last().before)).item() < 1e-6);
  BOOST_TEST(gradcheck(MemoryElman(3, 4, 3), {.order = 2, .steps = 5}));
  BOOST_TEST(gradcheck(SecondOrderElman(3, 4), {.order = 2, .steps = 5}));
}
