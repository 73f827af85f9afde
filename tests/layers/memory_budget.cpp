// What a memory budget promises: the peak stays below it, whatever the padding, the direction and
// other threads, and the gradients are the same. Parts of a given length are recomputed.cpp's.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

using namespace unroll;

namespace {

template <class C>
using Options = OverTimeOptions<StateOf<C>>;

/// Bytes at the peak of a run and its backward pass, beyond the memory of the input's gradient: a
/// block of the pool, of which this may leave a fifth untouched.
template <class C>
std::int64_t peak(
    const C& cell, const Array& xs, const Options<C>& options,
    const Function<void()>& prepare = [] {}) {
  release_cached_memory();
  Generator generator(1);
  Tape tape(generator);
  Variable x = tape.watch(xs);
  prepare();
  reset_peak_memory();
  const std::int64_t before = memory_statistics().live;
  auto states = over_time(cell, x, options);
  Variables wrt{x};
  for (const Parameter& p : cell.parameters()) wrt.push_back(p);
  grad(mean(values_of(states.last())[0]), wrt);
  const auto gradient = block::size_of(static_cast<std::size_t>(xs.size()) * 4).payload;
  return memory_statistics().peak - before - static_cast<std::int64_t>(gradient);
}

/// 1 for steps begin..end - 1 of (steps, 2), in the second column for a few of them only.
Array real_between(Size steps, Size begin, Size end) {
  Array mask = zeros({steps, 2});
  mask.sliced(0, begin, end).fill(1);
  mask.sliced(0, begin, begin + 8).sliced(1, 1, 2).fill(0);
  return mask;
}

/// The least budget of a cell, and some above it.
template <class C>
void check_budgets(
    const C& cell, const Array& xs, double below_plain, const Function<void()>& prepare = [] {}) {
  const auto plain = static_cast<double>(peak(cell, xs, {.keep_states = false}, prepare));
  const std::string message =
      error_of([&] { peak(cell, xs, {.keep_states = false, .memory_budget = 1}, prepare); });
  const double least = std::stod(message.substr(message.find("at least ") + 9));
  for (const double more : {1.0, 1.1, 1.3, 1.6, 2.0, 3.0}) {
    const auto budget = static_cast<Size>(more * least);
    const std::int64_t bytes =
        peak(cell, xs, {.keep_states = false, .memory_budget = budget}, prepare);
    BOOST_TEST(bytes <= budget);
    BOOST_TEST(static_cast<double>(bytes) < plain * below_plain);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_budget)

BOOST_AUTO_TEST_CASE(gradients_are_the_same_with_many_states_or_few) {
  LSTM cell(3, 4);
  cell.to(float64);
  const Array xs = random({600, 2, 3});
  auto gradients = [&](Size budget) {
    Tape tape;
    Variable x = tape.watch(xs);
    auto states = over_time(cell, x, {.keep_states = false, .memory_budget = budget});
    return grad(mean(square(states.last().h)), {x, cell.W, cell.U, cell.b});
  };
  const std::vector<Variable> expected = gradients(0);
  for (Size budget : {400'000, 600'000, 1'000'000, 1'000'000'000}) {
    const std::vector<Variable> got = gradients(budget);
    for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(distance(got[k], expected[k]) < 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(it_holds) {
  LSTM cell(64, 64);
  const Array xs = zeros({20'000, 1, 64});
  const std::int64_t plain = peak(cell, xs, {.keep_states = false});
  for (Size budget : {1'500'000, 4'000'000, 16'000'000}) {
    const std::int64_t bytes = peak(cell, xs, {.keep_states = false, .memory_budget = budget});
    BOOST_TEST(bytes < budget);
    BOOST_TEST(bytes < plain / 4);
  }
}

// Longer parts than were run to see what they take make products of many rows, which take more.
BOOST_AUTO_TEST_CASE(it_holds_for_few_rows_a_step) {
  check_budgets(LSTM(96, 96), zeros({8000, 1, 96}), 0.9);
  check_budgets(LSTM(192, 192), zeros({4000, 2, 192}), 0.9);
  check_budgets(LSTM(256, 256), zeros({4000, 1, 256}), 0.9);
  check_budgets(GRU(256, 256), zeros({4000, 1, 256}), 0.9);
  check_budgets(Elman(512, 512), zeros({4000, 1, 512}), 0.9);
}

// What waits in the backward pass to be done together takes more than the steps themselves, if the
// batch is large.
BOOST_AUTO_TEST_CASE(it_holds_for_batches) {
  check_budgets(LSTM(128, 128), zeros({512, 4, 128}), 0.9);
  check_budgets(GRU(32, 32), zeros({1024, 64, 32}), 0.1);
  check_budgets(Elman(32, 32), zeros({512, 64, 32}), 0.3);
}

// Products of few rows copy their weights and those of many do not, so that more steps may take less.
BOOST_AUTO_TEST_CASE(it_holds_for_many_rows_a_step) {
  check_budgets(LSTM(512, 200), zeros({50, 64, 512}), 1.01);
  check_budgets(LayerNormLSTM(512, 200), zeros({100, 16, 512}), 1.01);
}

// What is there is used: steps are not run again that could have stayed. The bounds are those of a
// schedule that knows to 40 % what steps take.
BOOST_AUTO_TEST_CASE(it_is_used) {
  struct Counting : Cell {
    using Cell::Cell;
    LSTM cell = submodule("cell", LSTM(in, hidden));
    mutable Size steps = 0;
    using State = LSTM::State;
    State step(const Variable& x, const State& s) const {
      ++steps;
      return cell.step(x, s);
    }
  } cell(128, 128);
  const Size steps = 2000;
  const Array xs = zeros({steps, 4, 128});
  const auto plain = static_cast<double>(peak(cell, xs, {.keep_states = false}));
  for (auto [share, most] : {std::pair{1.4, 1.05}, std::pair{0.8, 1.6}, std::pair{1 / 3.0, 1.95}}) {
    cell.steps = 0;
    peak(cell, xs, {.keep_states = false, .memory_budget = static_cast<Size>(share * plain)});
    BOOST_TEST(static_cast<double>(cell.steps) <= most * steps);
  }
}

// Some steps are run to see what they take: these must fit in, too.
BOOST_AUTO_TEST_CASE(it_holds_for_steps_that_take_much) {
  struct Words : Cell {
    Words() : Cell(32, 32) {}
    GRU letters = submodule("letters", GRU(4, 32));
    LSTM words = submodule("words", LSTM(32, 32));
    using State = LSTM::State;
    State step(const Variable& x, const State& s) const {
      const Variable word = permute(reshape(x, {x.size(0), 8, 4}), {1, 0, 2});
      return words.step(over_time(letters, word, {.initial = {s.h}}).last().h, s);
    }
  };
  check_budgets(Words(), zeros({200, 32, 32}), 0.2);
  check_budgets(ConvLSTM(2, 16), zeros({60, 2, 2, 16, 16}), 0.7);
}

// A loss in the State goes through a wide weight, whose gradients wait to be made together; and
// where the loss is of the other value, what led to this one stays on the tape.
BOOST_AUTO_TEST_CASE(it_holds_for_a_loss_in_the_state) {
  struct Words : Cell {
    Words(Size hidden, Size words) : Cell(8, hidden), words(words) {}
    Size words;
    Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden}),
              R = parameter("R", {words, hidden});
    struct State {
      Variable first, second;
    };
    bool loss_first = true;
    State zero_state(const Variable& x) const {
      const Variable h = zeros({x.size(0), hidden}), loss = zeros({x.size(0)});
      return loss_first ? State{loss, h} : State{h, loss};
    }
    State step(const Variable& x, const State& s) const {
      const Variable &before = loss_first ? s.second : s.first,
                     &sum_before = loss_first ? s.first : s.second;
      const Variable h = tanh(affine(x, W, before, U)),
                     loss = sum_before + sum(square(softmax(linear(h, R))), {.axes = {1}});
      return loss_first ? State{loss, h} : State{h, loss};
    }
  } cell(8, 2000), of_many_sequences(16, 100);
  for (bool first : {true, false}) {
    cell.loss_first = of_many_sequences.loss_first = first;
    check_budgets(cell, zeros({300, 2, 8}), 0.9);
    check_budgets(of_many_sequences, zeros({400, 32, 8}), 0.9);
    // With few parts the last one is a large share.
    for (Size budget = 3'500'000; budget < 6'000'000; budget += 250'000)
      BOOST_TEST(peak(cell, zeros({300, 2, 8}), {.keep_states = false, .memory_budget = budget}) <=
                 budget);
  }
}

// Weights that were computed before the sequence have gradients as Parameters have.
BOOST_AUTO_TEST_CASE(it_holds_for_weights_that_are_computed) {
  struct Bounded : Cell {
    using Cell::Cell;
    Parameter W = parameter("W", {hidden, in}), U = parameter("U", {hidden, hidden});
    Variable w, u;
    struct State {
      Variable h;
    };
    State step(const Variable& x, const State& s) const { return {tanh(affine(x, w, s.h, u))}; }
  } cell(256, 256);
  check_budgets(cell, zeros({2048, 4, 256}), 0.9, [&cell] {
    cell.w = tanh(cell.W);
    cell.u = tanh(cell.U);
  });
}

// A State may hold what was recorded outside of the loop and is no input of it.
BOOST_AUTO_TEST_CASE(of_a_state_that_takes_a_value_from_outside) {
  struct Taking : Cell {
    using Cell::Cell;
    Parameter U = parameter("U", {hidden, hidden});
    Variable outside;
    struct State {
      Variable h, taken;
    };
    State step(const Variable& x, const State& s) const {
      return {tanh(x + linear(s.h, U) + s.taken), outside};
    }
  } cell(3, 3);
  cell.to(float64);
  auto gradient = [&](Size budget) {
    Tape tape;
    const Variable w = tape.watch(random({2, 3}));
    cell.outside = 2 * w;
    const auto states =
        over_time(cell, random({600, 2, 3}, 4), {.keep_states = false, .memory_budget = budget});
    return grad(sum(square(states.last().h)), w);
  };
  BOOST_TEST(distance(gradient(400'000), gradient(0)) < 1e-13);
}

// Three forward passes of as many steps, which sanitizers and unoptimised builds do not get through
// in reasonable time.
BOOST_AUTO_TEST_CASE(a_hundred_thousand_steps_fit_into_64_MiB) {
#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
  const Size size = 64, budget = Size{16} << 20;
#else
  const Size size = 256, budget = Size{64} << 20;
#endif
  LSTM cell(size, size);
  BOOST_TEST(peak(cell, zeros({100'000, 1, size}),
                  {.keep_states = false, .memory_budget = budget}) < budget);
}

// Truncation stops gradients and keeps every window on the tape; together with a budget it does
// not.
BOOST_AUTO_TEST_CASE(it_holds_with_truncation) {
  LSTM cell(64, 64);
  const Size budget = 1'500'000;
  BOOST_TEST(peak(cell, zeros({5000, 1, 64}),
                  {.keep_states = false, .memory_budget = budget, .truncation = {300}}) < budget);
}

// The layers below the last keep their states whatever the budget: h and c, the outputs that the
// next layer reads, and the gradients of these.
BOOST_AUTO_TEST_CASE(it_holds_in_layers_and_directions) {
  const Size steps = 3000, budget = 8'000'000;
  const Array xs = zeros({steps, 2, 32});
  for (bool bidirectional : {false, true}) {
    Recurrent net = recurrent<LSTM>(32, 32, {.bidirectional = bidirectional, .layers = 3});
    Options<Recurrent> o{.keep_states = false, .lengths = {steps - 20, steps / 2}};
    const std::int64_t plain = peak(net, xs, o);
    o.memory_budget = budget;
    const std::int64_t between = net.cells() * steps * 2 * 32 * 4 * 4;
    const std::int64_t bytes = peak(net, xs, o);
    BOOST_TEST(bytes < budget + between);
    BOOST_TEST(bytes < plain / 2);
  }
}

// The first steps that are taken may be padding, or full where later ones are not.
BOOST_AUTO_TEST_CASE(it_holds_with_padding_in_both_directions) {
  const Size steps = 4000;
  LSTM cell(64, 64);
  const Array xs = zeros({steps, 2, 64});
  struct Row {
    const char* name;
    std::vector<Size> lengths;
    Array mask;
  };
  for (const Row& row : std::initializer_list<Row>{{"lengths", {steps, 100}, {}},
                                                   {"short", {steps - 40, steps - 50}, {}},
                                                   {"a gap", {}, real_between(steps, 30, steps)},
                                                   {"an end", {}, real_between(steps, 0, 3500)}})
    for (bool reverse : {false, true}) BOOST_TEST_CONTEXT(row.name << ", reverse " << reverse) {
        Options<LSTM> o{.keep_states = false, .lengths = row.lengths, .reverse = reverse};
        if (row.lengths.empty()) o.mask = row.mask;
        const std::int64_t plain = peak(cell, xs, o);
        for (Size budget : {2'000'000, 3'000'000, 6'000'000}) {
          o.memory_budget = budget;
          const std::int64_t bytes = peak(cell, xs, o);
          BOOST_TEST(bytes < budget);
          BOOST_TEST(bytes < plain / 3);
        }
      }
}

// What is read instead of padding has a gradient of its own, which is most of all if the input is wide.
BOOST_AUTO_TEST_CASE(it_holds_with_padding_of_wide_inputs) {
  const Size steps = 1000;
  const Array xs = zeros({steps, 16, 128});
  Options<LSTM> o{.keep_states = false};
  for (Size b = 0; b < 16; ++b) o.lengths.push_back(b == 0 ? steps : steps - b * 37 % (steps / 2));
  LSTM cell(128, 16);
  for (bool reverse : {false, true}) {
    o.reverse = reverse;
    o.memory_budget = 0;
    const auto plain = static_cast<double>(peak(cell, xs, o));
    for (double share : {0.1, 0.3, 0.5, 0.8, 0.99}) {
      o.memory_budget = static_cast<Size>(share * plain);
      BOOST_TEST(peak(cell, xs, o) <= o.memory_budget);
    }
  }
}

// Other threads allocate and free while a step is measured: the schedules must not notice, for
// they decide in which order gradients are summed.
BOOST_AUTO_TEST_CASE(threads_do_not_disturb_it) {
  LSTM cell(16, 16);
  Generator generator(3);
  const Array xs = normal({600, 8, 16}, generator);
  auto gradients = [&] {
    cell.zero_grad();
    parallel_backward(8,
                      [&](Size begin, Size end) {
                        const Variable x = sliced(xs, 1, begin, end);
                        auto states =
                            over_time(cell, x, {.keep_states = false, .memory_budget = 600'000});
                        return mean(square(states.last().h));
                      },
                      {.threads = 4});
    std::vector<Array> result;
    for (const Parameter& p : cell.parameters()) result.push_back(p.grad().value());
    return result;
  };
  const std::vector<Array> first = gradients();
  for (int again = 0; again < 20; ++again) {
    const std::vector<Array> got = gradients();
    for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(identical(got[k], first[k]));
  }
}

BOOST_AUTO_TEST_SUITE_END()
