// Steps that are computed again and do more than their equations: they ask other sequences, take
// gradients on tapes of their own, count, or read what is frozen. Recomputation itself is
// recomputed.cpp's.
#include <boost/test/unit_test.hpp>

#include <optional>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/ops.hpp>

using namespace unroll;

namespace {

/// Asks an encoder for all its outputs, or states, at each step.
struct Decoder : Cell {
  using Cell::Cell;
  const States<GRU::State>* encoder = nullptr;
  bool states = false;
  Parameter U = parameter("U", {hidden, hidden});
  struct State {
    Variable h;
  };
  State step(const Variable& x, const State& s) const {
    const Variable memory = states ? encoder->all().h : encoder->outputs();
    return {tanh(x + linear(s.h, U) + mean(square(memory), {.axes = {0}}))};
  }
};

/// Goes one step downhill before it uses its weight.
struct Fast : Cell {
  using Cell::Cell;
  Parameter W = parameter("W", {hidden, in});
  struct State {
    Variable h;
  };
  State step(const Variable& x, const State& s) const {
    Variable slope;
    {
      Tape inner;
      const Variable input = inner.watch(x);
      slope = grad(sum(square(linear(input, W))), {W, input})[0].value();
    }
    return {tanh(linear(x, W - 0.1 * slope) + s.h)};
  }
};

/// How many brackets are open: classes 0 opens one, 1 closes it.
struct Brackets : Cell {
  using Cell::Cell;
  Parameter E = parameter("E", {4, hidden});
  struct State {
    Variable h, depth;
  };
  State zero_state(const Variable& x) const {
    return {zeros({x.size(0), hidden}), Array({x.size(0)}, int64)};
  }
  State step(const Variable& x, const State& s) const {
    Array depth = s.depth.value().copy();
    for (Size b = 0; b < depth.size(); ++b)
      depth.mutable_data<Size>()[b] += x.value().data<Size>()[b] == 0 ? 1 : -1;
    return {tanh(embedding(E, depth) + s.h), depth};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(recomputed_beside)

BOOST_AUTO_TEST_CASE(a_cell_that_is_gone_is_refused) {
  const std::string said = "[Fast] has been destroyed or moved, but its steps are computed again by "
                           "the backward pass; let it live until then.";
  const Array x = ones({6, 2, 3});
  for (bool moved : {false, true}) {
    std::optional<Fast> cell(std::in_place, 3, 3), other;
    Tape tape;
    const Variable loss = sum(over_time(*cell, x, {.recompute_every = 2}).last().h);
    if (moved) other.emplace(std::move(*cell));
    else cell.reset();
    BOOST_TEST(error_of([&] { tape.backward(loss); }).starts_with(said));
  }
}

BOOST_AUTO_TEST_CASE(a_cell_that_was_emptied) {
  std::optional<Fast> cell(std::in_place, 3, 3);
  Fast other(3, 3), taken(std::move(other));
  Tape tape;
  const Variable loss = sum(over_time(*cell, ones({6, 2, 3}), {.recompute_every = 2}).last().h);
  *cell = std::move(other);
  BOOST_TEST(error_of([&] { tape.backward(loss); }).starts_with("[Fast] has been destroyed or moved"));
}

// Gradients of the Parameters that were used the first time would be lost.
BOOST_AUTO_TEST_CASE(a_part_of_a_cell_that_was_replaced) {
  struct Outer : Cell {
    using Cell::Cell;
    Linear inner = submodule("inner", Linear(3, 3));
    struct State {
      Variable h;
    };
    State step(const Variable& x, const State& s) const { return {tanh(inner(x) + s.h)}; }
  } cell(3, 3);
  Tape tape;
  const Variable loss = sum(over_time(cell, ones({6, 2, 3}), {.recompute_every = 2}).last().h);
  cell.inner = Linear(3, 3);
  BOOST_TEST(error_of([&] { tape.backward(loss); })
                 .starts_with("[recomputed] inner.W (3, 3) is used, but was not the first time: "));
}

BOOST_AUTO_TEST_CASE(outputs_of_another_sequence) {
  GRU encoder(3, 3);
  Decoder decoder(3, 3);
  encoder.to(float64);
  decoder.to(float64);
  const Array x = random({5, 2, 3});
  for (bool states : {false, true})
    for (bool asked_before : {false, true})
      for (bool create_graph : {false, true}) {
        auto gradients = [&](Size every) {
          Tape tape;
          const auto encoded = over_time(encoder, x);
          decoder.encoder = &encoded;
          decoder.states = states;
          if (asked_before) encoded.outputs(), encoded.all();
          const Variable h = over_time(decoder, x, {.recompute_every = every}).last().h;
          const Variable loss = sum(square(h)) + sum(encoded.outputs());
          return grad(loss, {encoder.W, encoder.U, decoder.U}, {.create_graph = create_graph});
        };
        const std::vector<Variable> plain = gradients(0);
        for (Size every : {1, 2, 3, 5}) {
          const std::vector<Variable> again = gradients(every);
          for (std::size_t k = 0; k < plain.size(); ++k)
            BOOST_TEST(distance(again[k], plain[k]) < 1e-12, "every " << every);
        }
      }
}

BOOST_AUTO_TEST_CASE(gradients_on_a_tape_of_the_step) {
  Fast cell(3, 4);
  cell.to(float64);
  auto gradient = [&](OverTimeOptions<Fast::State> options) {
    Tape tape;
    return grad(sum(square(over_time(cell, random({6, 2, 3}), options).last().h)), cell.W).value();
  };
  const Array plain = gradient({});
  for (Size every : {1, 2, 6})
    BOOST_TEST(distance(gradient({.recompute_every = every}), plain) < 1e-12);
  BOOST_TEST(distance(gradient({.keep_states = false, .memory_budget = 1'000'000}), plain) < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_frozen_weight_must_not_change_before_backward) {
  LSTM cell(3, 4);
  cell.W.freeze();
  for (Size every : {1, 2}) {
    Tape tape;
    const Variable loss =
        sum(over_time(cell, random({6, 2, 3}).to(float32), {.recompute_every = every}).last().h);
    cell.W.assign(zeros(cell.W.shape()));
    BOOST_TEST(error_of([&] { tape.backward(loss); }).find("changed after it was recorded") !=
               std::string::npos);
  }
}

// A part that runs again reads the weights that were there, though nothing gives them gradients.
BOOST_AUTO_TEST_CASE(dropped_weights_that_are_frozen) {
  Recurrent net = recurrent<EchoState>(3, 4, {.drop_connect = {"U"}});
  net.to(float64);
  const Array x = random({6, 2, 3});
  auto gradient = [&](Size every) {
    Generator generator(4);
    Tape tape(generator);
    const Variable input = tape.watch(x);
    return grad(sum(square(over_time(net, input, {.recompute_every = every}).outputs())), input).value();
  };
  for (Size every : {1, 2, 6}) BOOST_TEST(distance(gradient(every), gradient(0)) < 1e-12);
}

// The steps that take most memory need not make sense from the state at the start.
BOOST_AUTO_TEST_CASE(a_budget_for_a_state_that_counts) {
  constexpr Size kSteps = 60;
  Array x({kSteps, 2}, int64);
  for (Size t = 0; t < kSteps; ++t) x[t].fill(static_cast<double>((t / 3) % 2));
  const Brackets cell(1, 4);
  auto gradient = [&](Size budget) {
    Tape tape;
    const auto states = over_time(cell, x, {.lengths = {60, 40}, .memory_budget = budget});
    return grad(sum(square(states.last().h)), cell.E).value();
  };
  BOOST_TEST(distance(gradient(1'000'000), gradient(0)) < 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()
