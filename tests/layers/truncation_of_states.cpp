// Truncated backpropagation through time and States of any kind: what of them is cut, what is only
// carried along. Windows themselves are truncation.cpp's.
#include <boost/test/unit_test.hpp>

#include "common/numbers.hpp"
#include "common/windows.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/ops.hpp>

using namespace unroll;

namespace {

constexpr Size kSteps = 9;
const Array x = random({kSteps, 2, 3});

/// Hands its values round from step to step.
struct Swapping : Module {
  Parameter U = parameter("U", {3, 3});
  struct State {
    Variable h, a, b;
  };
  State step(const Variable& x, const State& s) const {
    return {tanh(x + linear(s.h, U) + s.a), s.b, s.a};
  }
};

/// Remembers the state before.
struct Delayed : Module {
  Parameter U = parameter("U", {3, 3});
  struct State {
    Variable h, before;
  };
  State step(const Variable& x, const State& s) const {
    return {tanh(x + linear(s.h, U) + 0.5 * s.before), s.h};
  }
};

/// The outputs of windows of k1 steps, each from constant(the state before it).
template <class C, class Constant>
Variable windows(const C& cell, typename C::State s, Size k1, Constant&& constant) {
  Variables h;
  for (Size t = 0; t < kSteps; ++t) {
    if (t > 0 && t % k1 == 0) s = constant(s);
    s = cell.step(x[t], s);
    h.push_back(s.h);
  }
  return stack_along(h);
}

template <class C>
Variable truncated(const C& cell, const typename C::State& start, Size k1, Size every) {
  return over_time(cell, x, {.initial = start, .recompute_every = every, .truncation = {k1}})
      .outputs();
}

void check_equal(const std::vector<Array>& a, const std::vector<Array>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k) BOOST_TEST(distance(a[k], b[k]) < 1e-11);
}

/// Gradients by two starts, in the places that `state` puts them, with everything cut.
template <class C, class MakeState>
void check_cut_as_a_whole(MakeState&& state) {
  C cell;
  cell.to(float64);
  auto gradients = [&](auto&& outputs) {
    Tape tape;
    const Variable one = tape.watch(random({2, 3}, 7)), other = tape.watch(random({2, 3}, 8));
    std::vector<Array> result;
    for (const Variable& g : grad(sum(square(outputs(state(one, other)))), {one, other, cell.U}))
      result.push_back(g.value());
    return result;
  };
  using State = typename C::State;
  for (Size k1 : {1, 2, 3}) {
    const auto by_hand = gradients([&](const State& start) {
      return windows(cell, start, k1, [](const State& s) { return detach(s); });
    });
    for (Size every : {0, 1, 2, 3})
      check_equal(gradients([&](const State& start) { return truncated(cell, start, k1, every); }),
                  by_hand);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(truncation_of_states)

// A decoder of any window reads the whole source: what its State only carries is not cut.
BOOST_AUTO_TEST_CASE(a_memory_in_the_state_keeps_its_gradients) {
  struct Decoder : Cell {
    using Cell::Cell;
    DotAttention attention = submodule("attention", DotAttention(hidden, 5, 3));
    Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden}),
              C = parameter("C", {hidden, 5});
    struct State {
      Variable h;
      AttentionMemory memory;
    };
    State step(const Variable& x, const State& s) const {
      const Variable seen = attention(s.h, s.memory).output;
      return {tanh(affine(x, W, s.h, U, seen, C)), s.memory};
    }
  } decoder(3, 4);
  decoder.to(float64);
  using Options = OverTimeOptions<Decoder::State>;
  auto gradients = [&](auto&& outputs) {
    Tape tape;
    const Variable source = tape.watch(random({6, 2, 5}, 7));
    const Decoder::State start{zeros({2, 4}, float64), decoder.attention.remember(source)};
    Variables leaves{source};
    for (const Parameter& p : decoder.parameters()) leaves.push_back(p);
    std::vector<Array> result;
    for (const Variable& g : grad(sum(square(outputs(start))), leaves)) result.push_back(g.value());
    return result;
  };
  for (Truncation t : {Truncation{3}, Truncation{kSteps}, Truncation{2, 4}, Truncation{1, 2}})
    for (std::vector<Size> lengths : {std::vector<Size>{}, {9, 4}}) {
      const auto by_hand = gradients([&](const Decoder::State& start) {
        return by_windows(decoder, x, t, Options{.initial = start, .lengths = lengths},
                          [&](const Decoder::State& s) {
                            return Decoder::State{detach(s.h), start.memory};
                          });
      });
      auto truncated = [&](Size every) {
        return gradients([&](const Decoder::State& start) {
          return over_time(decoder, x,
                           {.initial = start,
                            .lengths = lengths,
                            .recompute_every = every,
                            .truncation = t})
              .outputs();
        });
      };
      check_equal(truncated(0), by_hand);
      if (t.k2 > t.k1) continue;
      for (Size every : {1, 2, 4}) check_equal(truncated(every), by_hand);
    }
}

// Which values those are is no matter of how many others there are: one that a step fills, a list
// that grows.
BOOST_AUTO_TEST_CASE(a_memory_behind_values_that_come_to_be) {
  struct Gathering : Module {
    Parameter U = parameter("U", {3, 3});
    struct State {
      Variable h, before;
      std::vector<Variable> all;
      Variable memory;
    };
    State zero_state(const Variable& x) const { return {zeros(x.shape(), x.type()), {}, {}, {}}; }
    State step(const Variable& x, const State& s) const {
      State next{tanh(x + linear(s.h, U) + s.memory), s.h, s.all, s.memory};
      for (const Variable& h : s.all) next.h = next.h + 0.1 * h;
      if (!s.before.empty()) next.h = next.h + 0.2 * s.before;
      next.all.push_back(next.h);
      return next;
    }
  } cell;
  cell.to(float64);
  auto gradients = [&](auto&& outputs) {
    Tape tape;
    const Variable memory = tape.watch(random({2, 3}, 7)), h = tape.watch(random({2, 3}, 8));
    const Gathering::State start{h, {}, {}, memory};
    std::vector<Array> result;
    for (const Variable& g : grad(sum(square(outputs(start))), {memory, h, cell.U}))
      result.push_back(g.value());
    return result;
  };
  for (Size k1 : {1, 2, 4}) {
    const auto by_hand = gradients([&](const Gathering::State& start) {
      return windows(cell, start, k1, [&](Gathering::State s) {
        s = detach(s);
        s.memory = start.memory;
        return s;
      });
    });
    for (Size every : {0, 1, 2, 3})
      check_equal(gradients([&](const Gathering::State& start) {
                    return truncated(cell, start, k1, every);
                  }),
                  by_hand);
  }
}

// What a step moves is no more what it was at the start, be it back in its place after two.
BOOST_AUTO_TEST_CASE(values_that_steps_hand_round) {
  check_cut_as_a_whole<Swapping>([](const Variable& one, const Variable& other) {
    return Swapping::State{zeros({2, 3}, float64), one, other};
  });
}

BOOST_AUTO_TEST_CASE(one_start_in_two_places) {
  check_cut_as_a_whole<Delayed>([](const Variable& one, const Variable& other) {
    const Variable both = one * other;
    return Delayed::State{both, both};
  });
}

// What is carried in its place stays, a copy of it in another place is cut like all else.
BOOST_AUTO_TEST_CASE(a_memory_and_a_copy_of_it) {
  struct Copying : Module {
    Parameter U = parameter("U", {3, 3});
    struct State {
      Variable h, memory, copy;
    };
    State step(const Variable& x, const State& s) const {
      return {tanh(x + linear(s.h, U) + s.memory * s.copy), s.memory, s.memory};
    }
  } cell;
  cell.to(float64);
  auto gradients = [&](auto&& outputs) {
    Tape tape;
    const Variable h = tape.watch(random({2, 3}, 7)), memory = tape.watch(random({2, 3}, 8));
    const Copying::State start{h, memory, tape.watch(random({2, 3}, 9))};
    std::vector<Array> result;
    for (const Variable& g : grad(sum(square(outputs(start))), {h, memory, cell.U}))
      result.push_back(g.value());
    return result;
  };
  for (Size k1 : {1, 2, 3}) {
    const auto by_hand = gradients([&](const Copying::State& start) {
      return windows(cell, start, k1, [](const Copying::State& s) {
        return Copying::State{detach(s.h), s.memory, detach(s.copy)};
      });
    });
    for (Size every : {0, 1, 2, 4})
      check_equal(gradients([&](const Copying::State& start) {
                    return truncated(cell, start, k1, every);
                  }),
                  by_hand);
  }
}

// Windows that overlap go back to before the change, where the memory still was that of the start.
BOOST_AUTO_TEST_CASE(a_memory_that_changes_late) {
  struct Late : Cell {
    using Cell::Cell;
    Size change = 0;
    Parameter U = parameter("U", {hidden, hidden}), V = parameter("V", {hidden, hidden});
    struct State {
      Variable h, memory;
      Size steps = 0;
    };
    State step(const Variable& x, const State& s) const {
      const Variable memory = s.steps == change ? tanh(linear(s.memory, V)) : s.memory;
      return {tanh(x + linear(s.h, U) + memory), memory, s.steps + 1};
    }
  } cell(3, 3);
  cell.to(float64);
  const Array weights = random({kSteps, 2, 3}, 4);
  for (cell.change = 0; cell.change < kSteps; ++cell.change)
    for (Truncation t : {Truncation{1, 2}, {2, 3}, {2, 5}, {3, 4}, {3, 3}, {1, kSteps}}) {
      auto gradient = [&](auto&& outputs) {
        Tape tape;
        const Variable memory = tape.watch(random({2, 3}, 7));
        return grad(sum(weights * outputs(Late::State{{}, memory})), memory).value();
      };
      auto by_hand = [&](const Late::State& start) {
        return by_windows(
            cell, x, t, OverTimeOptions<Late::State>{.initial = start}, [&](const Late::State& s) {
              const bool changed = s.steps > cell.change;
              return Late::State{detach(s.h), changed ? detach(s.memory) : start.memory, s.steps};
            });
      };
      auto by_option = [&](const Late::State& start) {
        return over_time(cell, x, {.initial = start, .truncation = t}).outputs();
      };
      BOOST_TEST(distance(gradient(by_option), gradient(by_hand)) < 1e-11);
    }
}

// Numbers in a State are part of what a window goes on from, and its lists may grow.
BOOST_AUTO_TEST_CASE(of_any_state) {
  struct Growing : Cell {
    using Cell::Cell;
    struct State {
      Variable h;
      std::vector<Variable> all;
      Size count = 0;
    };
    State zero_state(const Variable& x) const { return {zeros({x.size(0), 1}), {}, 0}; }
    State step(const Variable& x, const State& s) const {
      State next{tanh(s.h + double(s.count) * x), s.all, s.count + 1};
      for (const Variable& h : s.all) next.h = next.h + 0.1 * h;
      next.all.push_back(next.h);
      return next;
    }
  } cell(1, 1);
  auto outputs = [&](Truncation truncation) {
    Tape tape;
    const Variable xs = tape.watch(random({kSteps, 2, 1}));
    const auto states = over_time(cell, xs, {.truncation = truncation});
    BOOST_TEST(states.last().count == kSteps);
    return states.outputs().value();
  };
  BOOST_TEST(identical(outputs({2, 5}), outputs({})));
  BOOST_TEST(identical(outputs({4}), outputs({})));
}

BOOST_AUTO_TEST_SUITE_END()
