// Padded steps may hold anything, NaN or indices out of range: nothing of it reaches a state, an
// output or a gradient. That lengths are respected at all is tested in over_time.cpp.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include "common/numbers.hpp"

#include <unroll/layers/cells/elman.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>

using namespace unroll;

namespace {

const std::vector<Size> kLengths{4, 2, 0, 3};
constexpr Size kSteps = 5, kBatch = 4;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The same numbers with `padding` where a sequence is padded.
Array padded_with(double padding, const Array& numbers) {
  Array x = numbers.copy();
  for (Size b = 0; b < kBatch; ++b)
    for (Size t = kLengths[static_cast<std::size_t>(b)]; t < kSteps; ++t) x[t][b].fill(padding);
  return x;
}

Array random(const Shape& shape, Type type) {
  Generator generator(3);
  return normal(shape, generator, {.type = type});
}

// An index and a number for each step, the index looked up by the cell itself.
struct Tagger : Cell {
  Tagger(Size hidden) : Cell(1, hidden) {}
  Embedding embed = submodule("embed", Embedding(6, hidden));
  Parameter U = parameter("U", {hidden, hidden});
  struct Input {
    Variable word, weight;
  };
  struct State {
    Variable h;
  };
  State step(const Input& in, const State& s) const {
    return {tanh(embed(in.word) * in.weight + linear(s.h, U))};
  }
};

/// The numbers of a run: outputs, last state, gradients of the inputs and of all weights.
template <class C, class X>
std::vector<Array> run(const C& cell, const X& xs, bool reverse, const Variables& watched) {
  auto states = over_time(cell, xs, {.lengths = kLengths, .reverse = reverse});
  Variables wrt = watched;
  for (const Parameter& p : cell.parameters()) wrt.push_back(p);
  Variable loss = sum(square(states.outputs()));
  for (const Variable& v : values_of(states.last())) loss = loss + sum(v);
  std::vector<Array> result{states.outputs().value()};
  for (const Variable& g : grad(loss, wrt)) result.push_back(g.value());
  return result;
}

template <class C>
void check(const C& cell, Type type) {
  Array numbers = random({kSteps, kBatch, 3}, type);
  for (bool reverse : {false, true}) {
    std::vector<Array> of[2];
    for (int k : {0, 1}) {
      Tape tape;
      Variable x = tape.watch(padded_with(k == 0 ? 0 : kNan, numbers));
      of[k] = run(cell, x, reverse, {x});
    }
    for (std::size_t k = 0; k < of[0].size(); ++k)
      BOOST_TEST(identical(of[0][k], of[1][k]), "array " << k << ", reverse " << reverse);
    BOOST_TEST(identical(of[1][1], padded_with(0, of[1][1])));
    BOOST_TEST(sum(abs(of[1][2])).item() > 0);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(padding)

BOOST_AUTO_TEST_CASE(nan_in_padding_reaches_no_gradient) {
  for (Type type : {float32, float64}) {
    LSTM lstm(3, 4);
    GRU gru(3, 4);
    Elman elman(3, 4);
    lstm.to(type);
    gru.to(type);
    elman.to(type);
    check(lstm, type);
    check(gru, type);
    check(elman, type);
  }
}

BOOST_AUTO_TEST_CASE(nan_in_padding_of_layers_and_directions) {
  check(recurrent<LSTM>(3, 4, {.bidirectional = true, .layers = 2}), float32);
}

BOOST_AUTO_TEST_CASE(constant_inputs_with_nan_in_padding) {
  GRU cell(3, 4);
  Tape tape;
  Array x = padded_with(kNan, random({kSteps, kBatch, 3}, float32));
  tape.backward(sum(over_time(cell, x, {.lengths = kLengths}).last().h));
  for (const Parameter& p : cell.parameters())
    BOOST_TEST(std::isfinite(sum(abs(p.grad())).item()), p.name());
  BOOST_TEST(std::isnan(x.at({kSteps - 1, 0, 0})));  // the caller's array is as it was
}

// The first step of a sequence, or all of it, may be padding: a start made of it is made of a real one.
BOOST_AUTO_TEST_CASE(a_start_that_reads_its_input) {
  struct Reading : Cell {
    using Cell::Cell;
    Parameter V = parameter("V", {hidden, in});
    struct State {
      Variable h;
    };
    State zero_state(const Variable& x) const { return {linear(x, V)}; }
    State step(const Variable& x, const State& s) const { return {tanh(s.h + linear(x, V))}; }
  } cell(3, 4);
  const Array x = padded_with(kNan, random({kSteps, kBatch, 3}, float32));
  for (bool all : {false, true}) {
    Array mask = ones({kSteps, kBatch});
    mask[0][0].fill(0);
    if (all) mask[0].fill(0);
    for (Size b = 0; b < kBatch; ++b)
      for (Size t = kLengths[static_cast<std::size_t>(b)]; t < kSteps; ++t) mask[t][b].fill(0);
    auto run = [&](Size every) {
      Tape tape;
      const Variable h = over_time(cell, x, {.mask = mask, .recompute_every = every}).last().h;
      return std::vector<Array>{h.value(), grad(sum(square(h)), cell.V).value()};
    };
    const std::vector<Array> plain = run(0);
    BOOST_TEST(std::isfinite(sum(abs(plain[1])).item()));
    for (Size every : {1, 2})
      for (std::size_t k : {0, 1}) BOOST_TEST(distance(run(every)[k], plain[k]) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(indices_out_of_range_in_padding_of_a_struct) {
  Tagger cell(4);
  Array words({kSteps, kBatch}, int64);
  words.fill(5);
  Array numbers = random({kSteps, kBatch, 1}, float32);
  for (bool reverse : {false, true}) {
    std::vector<Array> of[2];
    for (int k : {0, 1}) {
      Tape tape;
      Variable weight = tape.watch(padded_with(k == 0 ? 0 : kNan, numbers));
      Tagger::Input xs{padded_with(k == 0 ? 0 : -1, words), weight};
      of[k] = run(cell, xs, reverse, {weight});
    }
    for (std::size_t k = 0; k < of[0].size(); ++k) BOOST_TEST(identical(of[0][k], of[1][k]));
  }
}

BOOST_AUTO_TEST_SUITE_END()
