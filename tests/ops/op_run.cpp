// Inputs, values and gradients for the checks of the op table; see op_run.hpp.
#include "op_run.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <unroll/autograd/memory.hpp>
#include <unroll/autograd/substitution.hpp>
#include <unroll/autograd/tape.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>

namespace op_table {

using unroll::Shape;
using unroll::Tape;

double next_random(std::uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<double>(state >> 11) / 9007199254740992.0;
}

std::uint64_t seed_of(const Row& row) {
  std::uint64_t seed = 1469598103934665603u;
  for (char c : row.name + row.variant)
    seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return seed;
}

namespace {

double draw(const Input& input, std::uint64_t& state) {
  for (;;) {
    double x = input.low + (input.high - input.low) * next_random(state);
    if (input.whole) return std::floor(x);
    if (std::all_of(input.away_from.begin(), input.away_from.end(),
                    [&](double kink) { return std::fabs(x - kink) >= 0.05; }))
      return x;
  }
}

/// Leaves a strange number in the memory that is handed out next, so that an op which forgets to
/// write an element cannot pass by finding the right one there.
void poison_free_memory() {
  constexpr std::size_t kLargest = 2048, kEach = 12;
  std::vector<unroll::Ref<unroll::Buffer>> held;
  for (std::size_t bytes = 64; bytes <= kLargest; bytes += std::max<std::size_t>(16, bytes / 4))
    for (std::size_t k = 0; k < kEach; ++k) {
      held.push_back(unroll::Buffer::take(bytes));
      std::memset(held.back()->data(), 0x4b, bytes);  // 1.3e7 as float32, 5e54 as float64
    }
}

}  // namespace

Array make(const Input& input, const Index& shape, std::uint64_t& state) {
  std::vector<double> x(static_cast<std::size_t>(Shape(shape).count()));
  for (double& element : x) element = draw(input, state);
  if (input.spaced) {  // a grid in random order, with a little noise
    for (std::size_t k = 0; k < x.size(); ++k)
      x[k] = 0.1 * static_cast<double>(k) - 0.05 * static_cast<double>(x.size()) +
             0.02 * next_random(state);
    for (std::size_t k = x.size(); k > 1; --k)
      std::swap(x[k - 1], x[static_cast<std::size_t>(next_random(state) * static_cast<double>(k))]);
  }
  const Array array = unroll::values(std::span<const double>(x), Shape(shape));
  return input.whole ? array.to(unroll::int64) : array;
}

Arrays inputs_of(const Row& row) {
  std::uint64_t state = seed_of(row);
  Arrays arrays;
  for (const Input& input : row.inputs) arrays.push_back(make(input, input.shape, state));
  return arrays;
}

NumbersList numbers_of(const Arrays& arrays) {
  NumbersList list;
  for (const Array& a : arrays) {
    Numbers x(Index(a.shape().begin(), a.shape().end()));
    x.data = a.to_vector<double>();
    list.push_back(std::move(x));
  }
  return list;
}

/// The op itself.
Variables plain(const Row& row, const Variables& x) { return row.f(x); }

/// The op of Parameters in whose place x stands.
Variables in_place(const Row& row, const Variables& x) {
  Variables given = x;
  std::vector<unroll::Substitution::Pair> pairs;
  for (Variable& v : given) {
    if (v.type() == unroll::int64) continue;
    const unroll::Parameter stands("stands", unroll::full(v.shape(), 0.5, v.type()));
    pairs.push_back({stands, v});
    v = stands;
  }
  unroll::Substitution substitution(pairs);
  return row.f(given);
}

Arrays compute_by(Variables (*f)(const Row&, const Variables&), const Row& row,
                  const Arrays& inputs) {
  poison_free_memory();
  Variables x;
  for (const Array& a : inputs) x.push_back(a);
  Arrays values;
  for (const Variable& y : f(row, x)) values.push_back(y.value());
  return values;
}

Arrays compute(const Row& row, const Arrays& inputs) { return compute_by(plain, row, inputs); }
Arrays compute_in_place(const Row& row, const Arrays& inputs) {
  return compute_by(in_place, row, inputs);
}

std::vector<double> loss_weights(Size n) {
  std::uint64_t state = 7;
  std::vector<double> w(static_cast<std::size_t>(n));
  for (double& element : w) element = next_random(state) - 0.5;
  return w;
}

/// The sum over outputs k of sum(y_k w_k); empty if no output is recorded.
Variable loss_of(const Variables& outputs) {
  Variable loss;
  for (const Variable& y : outputs) {
    if (!y.is_recorded()) continue;
    const std::vector<double> w = loss_weights(y.size());
    const Array weights = unroll::values(std::span<const double>(w), y.shape()).to(y.type());
    const Variable part = sum(y * Variable(weights));
    loss = loss.empty() ? part : loss + part;
  }
  return loss;
}

Variables watched(Tape& tape, const Arrays& inputs) {
  Variables x;
  for (const Array& a : inputs)
    x.push_back(a.type() == unroll::int64 ? Variable(a) : tape.watch(a));
  return x;
}

Arrays gradients_by(Variables (*f)(const Row&, const Variables&), const Row& row,
                    const Arrays& inputs) {
  poison_free_memory();
  Tape tape;
  const Variables x = watched(tape, inputs);
  const Variable loss = loss_of(f(row, x));
  if (!loss.empty()) tape.backward(loss);
  Arrays result;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const Variable g = x[k].grad();
    result.push_back(g.empty() ? unroll::zeros(x[k].shape(), x[k].type()) : g.value());
  }
  return result;
}

Arrays gradients(const Row& row, const Arrays& inputs) { return gradients_by(plain, row, inputs); }
Arrays gradients_in_place(const Row& row, const Arrays& inputs) {
  return gradients_by(in_place, row, inputs);
}

Arrays gradients_after_change(const Row& row, const Arrays& inputs, std::size_t changed,
                              const Array& other, bool create_graph) {
  Arrays own, result;
  for (const Array& a : inputs) own.push_back(a.copy());
  Tape tape;
  const Variables x = watched(tape, own);
  const Variable loss = loss_of(row.f(x));
  own[changed].assign(other);
  for (const Variable& v : x)
    result.push_back(loss.empty() || v.type() == unroll::int64
                         ? unroll::zeros(v.shape(), v.type())
                         : grad(loss, v, {.create_graph = create_graph, .retain_graph = true}).value());
  return result;
}

NumbersList reference_gradients(const Row& row, NumbersList inputs) {
  auto loss = [&] {
    double sum = 0;
    for (const Numbers& y : row.reference(inputs)) {
      const std::vector<double> w = loss_weights(y.count());
      for (std::size_t k = 0; k < w.size(); ++k) sum += w[k] * y.data[k];
    }
    return sum;
  };
  NumbersList gradients;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    Numbers g(inputs[k].shape);
    if (!row.constant && !row.inputs[k].whole)
      for (std::size_t i = 0; i < g.data.size(); ++i) {
        constexpr double kStep = 1e-5;
        const double x = inputs[k].data[i];
        inputs[k].data[i] = x + kStep;
        g.data[i] = loss();
        inputs[k].data[i] = x - kStep;
        g.data[i] = (g.data[i] - loss()) / (2 * kStep);
        inputs[k].data[i] = x;
      }
    gradients.push_back(std::move(g));
  }
  return gradients;
}

}  // namespace op_table
