// The cell table: a row a cell, and what holds for each of them; and their equations, written out
// for one element at a time.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/loss.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

struct Row {
  const char* name;
  Recurrent (*make)();  // of 3 features to 4
  Shape step = {3};     // shape of one input
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
};

template <class F>
void for_each_cell(F&& f) {
  for (const Row& row : kRows) BOOST_TEST_CONTEXT(row.name) f(row);
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

using Numbers = std::vector<double>;
Numbers numbers(const Variable& x) { return x.value().to_vector<double>(); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
/// Row `row` of W times x.
double product(const Variable& W, Size row, const Numbers& x) {
  double sum = 0;
  for (std::size_t k = 0; k < x.size(); ++k) sum += W.value().at({row, Size(k)}) * x[k];
  return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cells)

BOOST_AUTO_TEST_CASE(gradients_to_order_two_through_five_steps) {
  for_each_cell([](const Row& row) {
    BOOST_TEST(gradcheck(row.make(), row.input(5, 2), {.order = 2}));
  });
}

BOOST_AUTO_TEST_CASE(gradients_of_padded_batches_in_both_directions) {
  const Array mask = values({{1, 0, 0}, {0, 0, 1}, {1, 0, 1}, {0, 0, 1}});
  for_each_cell([&](const Row& row) {
    for (bool reverse : {false, true}) {
      BOOST_TEST(gradcheck(row.make(), row.input(4, 3), {.lengths = {2, 0, 4}, .reverse = reverse}));
      BOOST_TEST(gradcheck(row.make(), row.input(4, 3), {.mask = mask, .reverse = reverse}));
    }
  });
}

BOOST_AUTO_TEST_CASE(padded_equals_one_by_one) {
  const Array lengths = values({{1, 1, 0, 1}, {1, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 0, 0}, {0, 1, 0, 0}});
  for_each_cell([&](const Row& row) {
    check_padding(row, {.lengths = {3, 5, 0, 1}}, lengths);
  });
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
    const Variables last = values_of(reverse.last()), expected = values_of(forward.last());
    for (std::size_t k = 0; k < last.size(); ++k) BOOST_TEST(distance(last[k], expected[k]) == 0);
  });
}

BOOST_AUTO_TEST_CASE(saving_and_loading_is_the_identity) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make(), other = row.make();
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
    Adam optimiser({cell, readout}, {.learning_rate = 0.02});
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

BOOST_AUTO_TEST_CASE(elman_by_element) {
  Elman cell(3, 4);
  cell.to(float64);
  cell.b.assign(random({4}));
  Variable x = random({1, 3}), h = random({1, 4}, 5);
  Numbers y = numbers(cell.step(x, {h}).h);
  for (Size k = 0; k < 4; ++k)
    BOOST_TEST(y[std::size_t(k)] ==
                   std::tanh(product(cell.W, k, numbers(x)) + product(cell.U, k, numbers(h)) +
                             numbers(cell.b)[std::size_t(k)]),
               boost::test_tools::tolerance(1e-13));
  Elman rectified(3, 4, {.activation = relu});
  rectified.to(float64);
  y = numbers(rectified.step(x, {h}).h);
  for (Size k = 0; k < 4; ++k)
    BOOST_TEST(y[std::size_t(k)] == std::max(0.0, product(rectified.W, k, numbers(x)) +
                                                      product(rectified.U, k, numbers(h))),
               boost::test_tools::tolerance(1e-13));
}

BOOST_AUTO_TEST_CASE(elman_of_order_two_by_element) {
  ElmanOfOrder cell(3, 4, 2);
  cell.to(float64);
  Variable x = random({1, 3}), h = random({1, 4}, 5), before = random({1, 4}, 6);
  auto next = cell.step(x, {{h, before}});
  for (Size k = 0; k < 4; ++k)
    BOOST_TEST(numbers(next.h[0])[std::size_t(k)] ==
                   std::tanh(product(cell.W, k, numbers(x)) + product(cell.U[0], k, numbers(h)) +
                             product(cell.U[1], k, numbers(before))),
               boost::test_tools::tolerance(1e-13));
  BOOST_TEST((next.h[1].record() == h.record()));
  BOOST_TEST(next.h.size() == 2u);
}

BOOST_AUTO_TEST_CASE(lstm_by_element) {
  LSTM cell(3, 4);
  cell.to(float64);
  BOOST_TEST(identical(cell.b.value().sliced(0, 4, 8).copy(), ones({4}, float64)));
  Variable x = random({1, 3}), h = random({1, 4}, 5), c = random({1, 4}, 6);
  auto next = cell.step(x, {h, c});
  auto gate = [&](Size g, Size k) {
    return product(cell.W, 4 * g + k, numbers(x)) + product(cell.U, 4 * g + k, numbers(h)) +
           numbers(cell.b)[std::size_t(4 * g + k)];
  };
  for (Size k = 0; k < 4; ++k) {
    double c1 = sigmoid(gate(1, k)) * numbers(c)[std::size_t(k)] +
                sigmoid(gate(0, k)) * std::tanh(gate(2, k));
    BOOST_TEST(numbers(next.c)[std::size_t(k)] == c1, boost::test_tools::tolerance(1e-13));
    BOOST_TEST(numbers(next.h)[std::size_t(k)] == sigmoid(gate(3, k)) * std::tanh(c1),
               boost::test_tools::tolerance(1e-13));
  }
}

BOOST_AUTO_TEST_CASE(gru_by_element) {
  GRU cell(3, 4);
  cell.to(float64);
  cell.b.assign(random({12}, 7));
  cell.bh.assign(random({12}, 8));
  Variable x = random({1, 3}), h = random({1, 4}, 5);
  Numbers y = numbers(cell.step(x, {h}).h);
  auto of_x = [&](Size g, Size k) {
    return product(cell.W, 4 * g + k, numbers(x)) + numbers(cell.b)[std::size_t(4 * g + k)];
  };
  auto of_h = [&](Size g, Size k) {
    return product(cell.U, 4 * g + k, numbers(h)) + numbers(cell.bh)[std::size_t(4 * g + k)];
  };
  for (Size k = 0; k < 4; ++k) {
    double r = sigmoid(of_x(0, k) + of_h(0, k)), z = sigmoid(of_x(1, k) + of_h(1, k));
    double n = std::tanh(of_x(2, k) + r * of_h(2, k));
    BOOST_TEST(y[std::size_t(k)] == (1 - z) * n + z * numbers(h)[std::size_t(k)],
               boost::test_tools::tolerance(1e-13));
  }
}

BOOST_AUTO_TEST_SUITE_END()
