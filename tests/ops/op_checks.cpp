// The checks that the runner makes of every row of the op table; see op_table.hpp.
#include <algorithm>
#include <cmath>

#include <boost/test/unit_test.hpp>

#include <unroll/autograd/gradcheck.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>

#include "op_table.hpp"

namespace op_table {
namespace {

using unroll::Array;
using unroll::Shape;
using unroll::Tape;

/// Uniform in [0, 1): the same in every run.
double next_random(std::uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<double>(state >> 11) / 9007199254740992.0;
}

std::uint64_t seed_of(const Row& row) {
  std::uint64_t seed = 1469598103934665603u;
  for (char c : row.name + row.variant) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return seed;
}

double draw(const Input& input, std::uint64_t& state) {
  for (;;) {
    double x = input.low + (input.high - input.low) * next_random(state);
    if (input.whole) return std::floor(x);
    if (std::all_of(input.away_from.begin(), input.away_from.end(),
                    [&](double kink) { return std::fabs(x - kink) >= 0.05; }))
      return x;
  }
}

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

using Arrays = std::vector<Array>;

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

Arrays compute(const Row& row, const Arrays& inputs) {
  Variables x;
  for (const Array& a : inputs) x.push_back(a);
  Arrays values;
  for (const Variable& y : row.f(x)) values.push_back(y.value());
  return values;
}

/// Gradients of sum over outputs k of sum(y_k w_k), with weights w_k that differ from element to
/// element; zeros for int64 inputs.
Arrays gradients(const Row& row, const Arrays& inputs) {
  Tape tape;
  Variables x;
  for (const Array& a : inputs) x.push_back(a.type() == unroll::int64 ? Variable(a) : tape.watch(a));
  Variable loss;
  for (const Variable& y : row.f(x)) {
    if (!y.is_recorded()) continue;
    std::uint64_t state = 7;
    std::vector<double> w(static_cast<std::size_t>(y.size()));
    for (double& element : w) element = next_random(state) - 0.5;
    const Array weights = unroll::values(std::span<const double>(w), y.shape()).to(y.type());
    const Variable part = sum(y * Variable(weights));
    loss = loss.empty() ? part : loss + part;
  }
  if (!loss.empty()) tape.backward(loss);
  Arrays result;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const Variable g = x[k].grad();
    result.push_back(g.empty() ? unroll::zeros(x[k].shape(), x[k].type()) : g.value());
  }
  return result;
}

/// Largest |a - b| relative to max(1, largest |b|); infinite if one is not finite and the other is.
double error_between(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0, scale = 1;
  for (std::size_t k = 0; k < b.size(); ++k) {
    if (a[k] == b[k] || (std::isnan(a[k]) && std::isnan(b[k]))) continue;
    if (!std::isfinite(a[k]) || !std::isfinite(b[k])) return INFINITY;
    scale = std::max(scale, std::fabs(b[k]));
    largest = std::max(largest, std::fabs(a[k] - b[k]));
  }
  return largest / scale;
}

void check_close(const Arrays& got, const Arrays& expected, double allowed) {
  BOOST_REQUIRE_EQUAL(got.size(), expected.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    BOOST_TEST_CONTEXT("result " << k) {
      BOOST_REQUIRE_EQUAL(got[k].shape().text(), expected[k].shape().text());
      BOOST_TEST(error_between(got[k].to_vector<double>(), expected[k].to_vector<double>()) <= allowed);
    }
  }
}

void check_value(const Row& row, const Arrays& inputs) {
  const Arrays got = compute(row, inputs);
  const NumbersList expected = row.reference(numbers_of(inputs));
  BOOST_REQUIRE_EQUAL(got.size(), expected.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    BOOST_TEST_CONTEXT("result " << k) {
      BOOST_REQUIRE_EQUAL(got[k].shape().text(), Shape(expected[k].shape).text());
      const double error = error_between(got[k].to_vector<double>(), expected[k].data);
      BOOST_TEST(error <= (got[k].type() == unroll::int64 ? 0 : 1e-12));
    }
  }
}

void check_gradients(const Row& row, const Arrays& inputs, int order) {
  if (row.constant) {
    for (const Array& g : gradients(row, inputs))
      for (double element : g.to_vector<double>()) BOOST_TEST(element == 0);
    return;
  }
  unroll::CheckInputs arguments(inputs.begin(), inputs.end());
  // Differences of a difference are less exact; ops of one element have them exact enough.
  auto f = [&](const Variables& x) -> std::vector<Variable> { return row.f(x); };
  BOOST_TEST(unroll::detail::gradcheck(unroll::CheckFunction(f), arguments,
                                       {.may_be_constant = true, .order = order}));
}

void check_broadcasting(const Row& row) {
  const std::vector<std::pair<Index, Index>> pairs = {
      {{3, 4}, {4}},    {{4}, {3, 4}}, {{3, 1}, {1, 4}},       {{}, {2, 3}},
      {{2, 3}, {}},     {{}, {}},      {{2, 1, 3}, {4, 1}},    {{1, 5}, {2, 1, 1}},
      {{0, 4}, {1, 4}}, {{3, 0}, {1}}, {{2, 19}, {2, 1}},
  };
  for (const auto& [a, b] : pairs) {
    BOOST_TEST_CONTEXT("shapes " << Shape(a).text() << " and " << Shape(b).text()) {
      std::uint64_t state = seed_of(row);
      const Arrays inputs{make(row.inputs[0], a, state), make(row.inputs[1], b, state)};
      check_value(row, inputs);
      if (Shape(broadcast(a, b)).count() > 0) check_gradients(row, inputs, 1);
    }
  }
}

void check_empty(const Row& row) {
  Arrays inputs;
  bool any = false;
  std::uint64_t state = seed_of(row);
  for (const Input& input : row.inputs) {
    inputs.push_back(make(input, input.empty, state));
    any = any || inputs.back().size() == 0;
  }
  if (!any) return;
  if (row.on_empty == OnEmpty::throws) {
    BOOST_CHECK_THROW(compute(row, inputs), unroll::Error);
    return;
  }
  check_value(row, inputs);
  const Arrays g = gradients(row, inputs);
  for (std::size_t k = 0; k < g.size(); ++k)
    BOOST_TEST(g[k].shape().text() == inputs[k].shape().text());
}

/// The same numbers at other places in memory: turned, reversed, every second of a longer array.
Arrays laid_out_differently(const Array& a) {
  Arrays others;
  if (a.rank() >= 2) others.push_back(a.transposed().copy().transposed());
  for (int axis = 0; axis < a.rank(); ++axis) {
    others.push_back(a.flipped(axis).copy().flipped(axis));
    Shape longer = a.shape();
    longer[axis] = 2 * longer[axis] + 1;
    const double hole = a.type() == unroll::int64 ? 0 : NAN;  // nobody may read between
    const Array room = unroll::full(longer, hole, a.type());
    others.push_back(room.sliced(axis, 1, longer[axis], 2));
    others.back().assign(a);
  }
  return others;
}

void check_strided(const Row& row, const Arrays& inputs) {
  const Arrays value = compute(row, inputs), gradient = gradients(row, inputs);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    for (const Array& other : laid_out_differently(inputs[k])) {
      BOOST_TEST_CONTEXT("input " << k << " with strides " << other.strides().text()) {
        Arrays changed = inputs;
        changed[k] = other;
        check_close(compute(row, changed), value, 1e-13);
        check_close(gradients(row, changed), gradient, 1e-13);
      }
    }
    if (inputs[k].rank() == 0 || inputs[k].size() == 0 || row.inputs[k].spaced) continue;
    BOOST_TEST_CONTEXT("input " << k << " repeating its first row") {
      Arrays repeated = inputs, copied = inputs;
      repeated[k] = inputs[k].sliced(0, 0, 1).broadcast_to(inputs[k].shape());
      copied[k] = repeated[k].copy();
      check_close(compute(row, repeated), compute(row, copied), 1e-13);
      check_close(gradients(row, repeated), gradients(row, copied), 1e-13);
    }
  }
}

void check_float32(const Row& row, const Arrays& inputs) {
  Arrays narrow, wide;
  for (const Array& a : inputs) {
    narrow.push_back(a.type() == unroll::int64 ? a : a.to(unroll::float32));
    wide.push_back(a.type() == unroll::int64 ? a : narrow.back().to(unroll::float64));
  }
  const Arrays y = compute(row, narrow), expected = compute(row, wide);
  for (std::size_t k = 0; k < y.size(); ++k)
    BOOST_TEST((y[k].type() == expected[k].type() || y[k].type() == unroll::float32));
  check_close(y, expected, row.float32);
  check_close(gradients(row, narrow), gradients(row, wide), 10 * row.float32);
}

/// Lengths around those of SIMD lanes, and NaN at any place: it must come out there and only there.
void check_elementwise(const Row& row) {
  std::uint64_t state = seed_of(row);
  for (Size n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67}) {
    BOOST_TEST_CONTEXT("length " << n) {
      Array x = make(row.inputs[0], {n}, state);
      check_value(row, {x});
      check_float32(row, {x});
      x.mutable_data<double>()[n / 2] = NAN;
      for (const Array& input : {x, x.to(unroll::float32)}) {
        const auto y = compute(row, {input})[0].to_vector<double>();
        for (std::size_t k = 0; k < y.size(); ++k)
          BOOST_TEST(std::isnan(y[k]) == (k == static_cast<std::size_t>(n / 2)));
      }
    }
  }
}

}  // namespace

void check(const Row& row) {
  const Arrays inputs = inputs_of(row);
  BOOST_TEST_CONTEXT("value against the reference") { check_value(row, inputs); }
  BOOST_TEST_CONTEXT("gradients") { check_gradients(row, inputs, row.order); }
  if (row.broadcasts) BOOST_TEST_CONTEXT("broadcasting") { check_broadcasting(row); }
  BOOST_TEST_CONTEXT("empty input") { check_empty(row); }
  BOOST_TEST_CONTEXT("strided input") { check_strided(row, inputs); }
  BOOST_TEST_CONTEXT("float32 against float64") { check_float32(row, inputs); }
  if (row.elementwise && !row.constant)
    BOOST_TEST_CONTEXT("element by element") { check_elementwise(row); }
}

}  // namespace op_table
