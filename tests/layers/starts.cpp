// Where a State starts whose cell does not say it: numbers of each sequence, lists. Zero, given and
// learned starts are over_time.cpp's and recurrent_options.cpp's.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/over_time.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>

using namespace unroll;

BOOST_AUTO_TEST_SUITE(starts)

// A State of a cell without zero_state may hold a number of each sequence.
BOOST_AUTO_TEST_CASE(a_start_of_each_sequence) {
  struct Summing : Cell {
    using Cell::Cell;
    struct State {
      Variable h, loss;
    };
    State step(const Variable& x, const State& s) const {
      const Variable h = tanh(x + s.h);
      return {h, s.loss + sum(square(h), {.axes = {-1}})};
    }
  };
  const Summing cell(4, 4);
  for (Size batch : {1, 2, 5}) {
    const Array x = random({3, batch, 4}), h = zeros({batch, 4}, float64);
    const auto states = over_time(cell, x, {.initial = {h, zeros({batch}, float64)}});
    BOOST_TEST(states.last().loss.shape() == Shape{batch});
    const auto more = over_time(cell, x, {.initial = states.last()});
    BOOST_TEST(more.last().loss.shape() == Shape{batch});
    BOOST_TEST(over_time(cell, x, {.initial = {{}, zeros({batch}, float64)}}).last().loss.shape() ==
               Shape{batch});
  }
  for (const Variable& h : {Variable(), Variable(zeros({4, 4}))})
    BOOST_TEST(error_of([&] { initial_state(cell, random({4, 4}), {h, zeros({4})}); }) ==
               "[Summing] a value of the initial state is (4,), and both the batch and hidden are "
               "4: of each sequence, or the same for all? Give the cell `State zero_state(const "
               "Variable& x) const`, which says it.");
  // What is learned, or all of them without the batch axis, are the same for all.
  const Parameter learned("learned", zeros({4}));
  for (const Summing::State& s :
       {Summing::State{{}, learned}, Summing::State{zeros({4}), zeros({4})}})
    BOOST_TEST(initial_state(cell, random({4, 4}), s).loss.shape() == Shape({4, 4}));
}

// How long a list is at the start says zero_state, or who passes it.
BOOST_AUTO_TEST_CASE(a_list_without_a_start) {
  struct Past : Cell {
    using Cell::Cell;
    struct Steps {
      std::vector<Variable> h;
    };
    struct State {
      Variable h;
      Steps past;
    };
    State step(const Variable& x, const State& s) const {
      return {tanh(x + s.h + s.past.h[0]), {{s.h}}};
    }
  };
  const Past cell(4, 4);
  const Array x = random({3, 2, 4});
  BOOST_TEST(error_of([&] { over_time(cell, x); }) ==
             "[Past] a list in its State has no start; pass it as .initial, or give the cell `State "
             "zero_state(const Variable& x) const`, which may leave it empty.");
  over_time(cell, x, {.initial = {{}, {{zeros({2, 4}, float64)}}}});
}

BOOST_AUTO_TEST_SUITE_END()
