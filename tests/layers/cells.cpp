// The cell table: a row a cell, and what holds for each of them. Their equations have files of
// their own, cells_by_element.cpp and cells_values.cpp.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <filesystem>
#include <regex>

#include "common/error_of.hpp"
#include "common/numbers.hpp"
#include "common/paths.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/loss.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

struct Row {
  const char* name;
  Recurrent (*initial)();  // of 3 features to 4
  Shape step = {3};        // shape of one input
  /// One whose biases are not 0, the same for the same seed.
  Recurrent make(std::uint64_t seed = 1) const {
    Recurrent cell = initial();
    Generator generator(seed);
    cell.initialise(generator);
    for (Parameter p : cell.parameters())
      if (max(abs(p)).item() == 0) p.assign((0.3 * Variable(random(p.shape(), 4))).value().to(float32));
    return cell;
  }
  /// A sequence of random inputs.
  Array input(Size steps, Size batch) const {
    Shape shape = step;
    shape.insert(0, batch);
    shape.insert(0, steps);
    return random(shape);
  }
};

const std::vector<Row> kRows = {
    {"elman", [] { return Recurrent(Elman(3, 4)); }},
    {"elman without bias", [] { return Recurrent(Elman(3, 4, {.bias = false})); }},
    {"elman of relu", [] { return Recurrent(Elman(3, 4, {.activation = relu})); }},
    {"elman of order 3", [] { return Recurrent(ElmanOfOrder(3, 4, 3)); }},
    {"lstm", [] { return Recurrent(LSTM(3, 4)); }},
    {"lstm without bias", [] { return Recurrent(LSTM(3, 4, {.bias = false})); }},
    {"projected lstm", [] { return Recurrent(LSTM(3, 5, {.projection = 4})); }},
    {"peephole lstm", [] { return Recurrent(PeepholeLSTM(3, 4)); }},
    {"coupled lstm", [] { return Recurrent(CoupledLSTM(3, 4)); }},
    {"layer-norm lstm", [] { return Recurrent(LayerNormLSTM(3, 4)); }},
    {"conv lstm", [] { return Recurrent(ConvLSTM(3, 4)); }, {3, 2, 3}},
    {"gru", [] { return Recurrent(GRU(3, 4)); }},
    {"gru without bias", [] { return Recurrent(GRU(3, 4, {.bias = false})); }},
    {"gru reset before", [] { return Recurrent(GRUResetBefore(3, 4)); }},
    {"minimal gated unit", [] { return Recurrent(MGU(3, 4)); }},
    {"indrnn", [] { return Recurrent(IndRNN(3, 4)); }},
    {"sru", [] { return Recurrent(SRU(3, 4)); }},
    {"multiplicative", [] { return Recurrent(MultiplicativeRNN(3, 4)); }},
    {"recurrent highway", [] { return Recurrent(RecurrentHighway(3, 4, {.depth = 3})); }},
    {"leaky", [] { return Recurrent(LeakyIntegrator(3, 4)); }},
    {"learned leak", [] { return Recurrent(LeakyIntegrator(3, 4, {.learned_leak = true})); }},
    {"echo state", [] { return Recurrent(EchoState(3, 4)); }},
    {"echo state that learns its leak",
     [] {
       return Recurrent(EchoState(3, 4, {.leak = 0.8, .learned_leak = true, .train_input = true}));
     }},
};

template <class F>
void for_each_cell(F&& f) {
  for (const Row& row : kRows) BOOST_TEST_CONTEXT(row.name) f(row);
}

/// Whether any Parameter gets a gradient.
bool learns(const Module& m) {
  for (const Parameter& p : m.parameters())
    if (!p.is_frozen()) return true;
  return false;
}

/// Of the sum of the squares of what outputs(xs) gives: for xs and for every Parameter.
template <class F>
Variables gradients(const Recurrent& cell, const Array& x, F&& outputs,
                    const GradOptions& options = {}) {
  Tape tape;
  const Variable xs = tape.watch(x);
  Variables leaves{xs};
  for (const Parameter& p : cell.parameters()) leaves.push_back(p);
  return grad(sum(square(outputs(xs))), leaves, options);
}

/// The same, and behind it the gradients of the sum of their squares.
template <class F>
Variables gradients_to_order_two(const Recurrent& cell, const Array& x, F&& outputs) {
  Tape tape;
  const Variable xs = tape.watch(x);
  Variables leaves{xs};
  for (const Parameter& p : cell.parameters()) leaves.push_back(p);
  Variables list = grad(sum(square(outputs(xs))), leaves, {.create_graph = true});
  Variable squares = full({}, 0, float64);
  for (const Variable& g : list) squares = squares + sum(square(g));
  for (Variable& second : grad(squares, leaves)) list.push_back(std::move(second));
  return list;
}

/// The least memory_budget that a run of it takes.
Size least_budget(const Recurrent& cell, const Array& x,
                  OverTimeOptions<Recurrent::State> options) {
  options.memory_budget = 1;
  const std::string told = error_of([&] {
    Tape tape;
    over_time(cell, tape.watch(x), options);
  });
  return std::stoll(told.substr(told.find("at least ") + 9));
}

/// The steps of sequence b that are real, as a batch of one.
Variable without_padding(const Variable& xs, const Array& real, Size b) {
  Variables steps;
  for (Size t = 0; t < xs.size(0); ++t)
    if (real.at({t, b}) != 0) steps.push_back(sliced(xs[t], 0, b, b + 1));
  return steps.empty() ? sliced(sliced(xs, 1, b, b + 1), 0, 0, 0) : stack_along(steps);
}

/// A batch with NaN where it is padded gives what its sequences give one by one: outputs, last
/// states, and gradients of the inputs and of all Parameters, in both directions.
void check_padding(const Row& row, OverTimeOptions<Recurrent::State> options, const Array& real) {
  Recurrent cell = row.make();
  cell.to(float64);
  Array x = row.input(5, 4);
  for (Size t = 0; t < 5; ++t)
    for (Size b = 0; b < 4; ++b)
      if (real.at({t, b}) == 0) x[t][b].fill(NAN);
  for (bool reverse : {false, true}) {
    options.reverse = reverse;
    Tape tape;
    const Variable xs = tape.watch(x);
    Variables leaves{xs};
    for (const Parameter& p : cell.parameters()) leaves.push_back(p);
    const auto padded = over_time(cell, xs, options);
    Variable together = sum(square(padded.outputs())), apart = full({}, 0, float64);
    for (Size b = 0; b < 4; ++b) {
      const auto alone = over_time(cell, without_padding(xs, real, b), {.reverse = reverse});
      BOOST_TEST(distance(without_padding(padded.outputs(), real, b), alone.outputs()) < 1e-14);
      const Variables last = values_of(padded.last()), expected = values_of(alone.last());
      for (std::size_t k = 0; k < last.size(); ++k) {
        BOOST_TEST(distance(sliced(last[k], 0, b, b + 1), expected[k]) < 1e-14);
        apart = apart + sum(square(expected[k]));
      }
      apart = apart + sum(square(alone.outputs()));
    }
    for (const Variable& last : values_of(padded.last())) together = together + sum(square(last));
    const Variables expected = grad(apart, leaves, {.retain_graph = true});
    const Variables gradients = grad(together, leaves);
    for (std::size_t k = 0; k < leaves.size(); ++k)
      BOOST_TEST(distance(gradients[k], expected[k]) < 1e-12);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cells)

BOOST_AUTO_TEST_CASE(every_cell_has_a_row) {
  const auto layers = tests_dir().parent_path() / "layers";
  std::string rows;
  for (const std::string& line : lines_of(tests_dir() / "layers" / "cells.cpp")) rows += line;
  const std::regex declaration(R"(^struct (\w+) : \w+ \{)");
  int cells = 0;
  for (const auto& header : std::filesystem::directory_iterator(layers / "cells"))
    for (const std::string& line : lines_of(header.path())) {
      std::smatch match;
      if (!std::regex_search(line, match, declaration)) continue;
      ++cells;
      BOOST_TEST(rows.find("Recurrent(" + match[1].str() + "(") != rows.npos,
                 match[1] << " of " << header.path().filename() << " has no row");
    }
  BOOST_TEST(cells >= 16);
}

BOOST_AUTO_TEST_CASE(gradients_to_order_two_through_five_steps) {
  for_each_cell(
      [](const Row& row) { BOOST_TEST(gradcheck(row.make(), row.input(5, 2), {.order = 2})); });
}

BOOST_AUTO_TEST_CASE(gradients_of_padded_batches_in_both_directions) {
  const Array mask = values({{1, 0, 0}, {0, 0, 1}, {1, 0, 1}, {0, 0, 1}});
  for_each_cell([&](const Row& row) {
    for (bool reverse : {false, true}) {
      BOOST_TEST(gradcheck(row.make(), row.input(4, 3),
                           {.lengths = {2, 0, 4}, .order = 2, .reverse = reverse}));
      BOOST_TEST(gradcheck(row.make(), row.input(4, 3),
                           {.mask = mask, .order = 2, .reverse = reverse}));
    }
  });
}

BOOST_AUTO_TEST_CASE(padded_equals_one_by_one) {
  const Array lengths =
      values({{1, 1, 0, 1}, {1, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 0, 0}, {0, 1, 0, 0}});
  for_each_cell([&](const Row& row) { check_padding(row, {.lengths = {3, 5, 0, 1}}, lengths); });
}

BOOST_AUTO_TEST_CASE(masked_equals_without_the_holes) {
  const Array mask = values({{0, 1, 0, 1}, {1, 0, 0, 1}, {0, 1, 0, 0}, {1, 1, 0, 1}, {1, 0, 0, 1}});
  for_each_cell([&](const Row& row) { check_padding(row, {.mask = mask}, mask); });
}

BOOST_AUTO_TEST_CASE(reverse_equals_flipped_forward) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(5, 2);
    auto reverse = over_time(cell, x, {.reverse = true});
    auto forward = over_time(cell, x.flipped(0));
    BOOST_TEST(distance(flip(reverse.outputs(), {0}), forward.outputs()) == 0);
    const Variables last = values_of(reverse.last()), expected = values_of(forward.last()),
                    all = values_of(reverse.all()), flipped = values_of(forward.all());
    for (std::size_t k = 0; k < last.size(); ++k) {
      BOOST_TEST(distance(last[k], expected[k]) == 0);
      BOOST_TEST(distance(flip(all[k], {0}), flipped[k]) == 0);
    }
    const Variables back = gradients(cell, x, [&](const Variable& xs) {
      return over_time(cell, xs, {.reverse = true}).outputs();
    });
    const Variables forth = gradients(cell, x, [&](const Variable& xs) {
      return over_time(cell, flip(xs, {0})).outputs();
    });
    for (std::size_t k = 0; k < back.size(); ++k) BOOST_TEST(distance(back[k], forth[k]) < 1e-12);
  });
}

// What fuse() compiles into one loop is composed of ordinary ops where a graph of the gradient is
// wanted, and forward where anomalies are looked for.
BOOST_AUTO_TEST_CASE(fused_equals_composed) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(5, 2);
    auto outputs = [&](const Variable& xs) { return over_time(cell, xs).outputs(); };
    const Variables fused = gradients(cell, x, outputs);
    const Variables composed = gradients(cell, x, outputs, {.create_graph = true});
    for (std::size_t k = 0; k < fused.size(); ++k)
      BOOST_TEST(distance(fused[k], composed[k]) < 1e-12);
    const Variable y = outputs(x);
    Tape tape({.anomaly = true});
    BOOST_TEST(distance(outputs(tape.watch(x)), y) < 1e-14);
  });
}

BOOST_AUTO_TEST_CASE(recomputed_equals_plain) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(7, 2);
    auto with = [&](const OverTimeOptions<Recurrent::State>& options) {
      return gradients_to_order_two(
          cell, x, [&](const Variable& xs) { return over_time(cell, xs, options).outputs(); });
    };
    for (bool reverse : {false, true}) {
      OverTimeOptions<Recurrent::State> options{.lengths = {7, 4}, .reverse = reverse};
      const Variables plain = with(options);
      auto compare = [&] {
        const Variables again = with(options);
        for (std::size_t k = 0; k < plain.size(); ++k) {
          const double size = std::max(1.0, max(abs(plain[k])).item());
          BOOST_TEST(distance(again[k], plain[k]) < 1e-12 * size);
        }
      };
      for (Size every : {1, 2, 3}) {
        options.recompute_every = every;
        compare();
      }
      options.recompute_every = 0;
      options.memory_budget = least_budget(cell, x, options);
      compare();
    }
  });
}

BOOST_AUTO_TEST_CASE(truncated_at_the_end_equals_full_and_before_it_windows) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(5, 2);
    auto truncated = [&](Truncation t) {
      return gradients(
          cell, x,
          [&](const Variable& xs) { return over_time(cell, xs, {.truncation = t}).outputs(); });
    };
    const Variables full = truncated({}), at_end = truncated({5}), windows = truncated({2});
    const Variables by_hand = gradients(cell, x, [&](const Variable& xs) {
      const auto first = over_time(cell, sliced(xs, 0, 0, 2));
      const auto second = over_time(cell, sliced(xs, 0, 2, 4), {.initial = detach(first.last())});
      const auto third = over_time(cell, sliced(xs, 0, 4, 5), {.initial = detach(second.last())});
      return concat({first.outputs(), second.outputs(), third.outputs()}, 0);
    });
    for (std::size_t k = 0; k < full.size(); ++k) {
      BOOST_TEST(distance(at_end[k], full[k]) == 0);
      BOOST_TEST(distance(windows[k], by_hand[k]) < 1e-12);
    }
  });
}

// As DropConnect does it.
BOOST_AUTO_TEST_CASE(other_weights_stand_in_for_its_own) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(5, 2);
    std::vector<Substitution::Pair> pairs;
    for (const Parameter& p : cell.parameters()) {
      pairs.push_back({p, 0.5 * random(p.shape(), 9)});
    }
    Variable replaced;
    {
      Substitution in_place(pairs);
      replaced = over_time(cell, x).outputs();
    }
    for (Substitution::Pair& p : pairs) p.parameter.assign(p.value.value());
    BOOST_TEST(distance(replaced, over_time(cell, x).outputs()) < 1e-14);
  });
}

BOOST_AUTO_TEST_CASE(saving_and_loading_is_the_identity) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make(1), other = row.make(2);
    save(cell, "cell.safetensors");
    load(other, "cell.safetensors");
    Array x = row.input(5, 2).to(float32);
    BOOST_TEST(
        identical(over_time(cell, x).outputs().value(), over_time(other, x).outputs().value()));
  });
  std::remove("cell.safetensors");
}

BOOST_AUTO_TEST_CASE(thirty_steps_lower_the_loss) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    Array x = row.input(6, 8).to(float32), y = random({8, 1}, 5).to(float32);
    Linear readout(over_time(cell, x).outputs()[5].size() / 8, 1);
    Generator generator(2);
    readout.initialise(generator);
    // The cell alone, if it learns anything: a readout could do it without.
    Adam optimiser(learns(cell) ? ParameterList(cell) : ParameterList(readout),
                   {.learning_rate = 0.02});
    freeze(learns(cell) ? static_cast<Module&>(readout) : cell);
    double first = 0, last = 0;
    for (int k = 0; k < 30; ++k) {
      Tape tape;
      Variable seen = reshape(over_time(cell, x).outputs()[5], {8, -1});
      Variable loss = mean_squared_error(readout(seen), y);
      tape.backward(loss);
      optimiser.step();
      (k ? last : first) = loss.item();
    }
    BOOST_TEST(last < 0.8 * first);
  });
}

BOOST_AUTO_TEST_SUITE_END()
