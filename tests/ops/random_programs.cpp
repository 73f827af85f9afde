// Programs of random ops, in which values, their views and their joins meet in every way: the
// gradients that a sweep sums in place are those of recorded ones, of other tapes, of programs that
// are computed again, and of central differences. Single ops are the op table's.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "common/numbers.hpp"

#include <unroll/autograd/recomputed.hpp>
#include <unroll/ops/ops.hpp>
#include <unroll/ops/sequence.hpp>

using namespace unroll;

namespace {

/// The same program whenever it runs: what it does is drawn from its number.
class Program {
 public:
  Program(std::uint64_t number, Variables weights)
      : draws_(number), steps_(3 + below(25)), weights_(std::move(weights)) {}

  /// Its result, a number.
  Variable operator()(const Variables& leaves) {
    pool_ = leaves;
    for (Size k = 0; k < steps_; ++k) step();
    Variable loss = full({}, 0, float64);
    for (const Variable& x : pool_)
      if (below(10) < 6) loss = below(2) ? loss + term(x) : term(x) + loss;
    return loss;
  }

 private:
  Size below(Size n) { return static_cast<Size>(draws_.below(static_cast<std::uint64_t>(n))); }
  const Variable& any() {
    const Size n = static_cast<Size>(pool_.size());
    return pool_[static_cast<std::size_t>(below(2) ? below(n) : n - 1 - below(std::min<Size>(n, 5)))];
  }
  Variable alike(const Variable& x) {
    Variables same;
    for (const Variable& y : pool_)
      if (y.shape() == x.shape()) same.push_back(y);
    return same[static_cast<std::size_t>(below(static_cast<Size>(same.size())))];
  }
  Variable term(const Variable& x) {
    const Size how = below(3);
    if (how == 0) return sum(x);
    return how == 1 ? sum(square(x)) : sum(x * random(x.shape(), 3));
  }
  void keep(const Variable& x) {
    if (x.size() <= 300 && x.rank() <= 6) pool_.push_back(x);
  }
  void keep(const std::vector<Variable>& xs) {
    for (const Variable& x : xs) keep(x);
  }

  void step() {
    const Variable x = any();
    if (x.rank() == 0) return keep(tanh(x + alike(x)));
    const Size axis = below(x.rank()), n = x.size(axis), op = below(14);
    if (op < 3) return keep(op == 0 ? tanh(x) : op == 1 ? x + alike(x) : tanh(x * alike(x)));
    if (op < 6) return keep(cut(x, axis, n));
    if (op < 8) return keep(joined(x, axis));
    if (op < 10) return keep(moved(x, axis));
    if (op == 10) return keep(sum(x, {.axes = {axis}, .keepdims = below(2) == 1}));
    if (op == 11) return keep(x.rank() < 6 ? broadcast_to(x, with_axis(x.shape(), 2)) : x);
    if (op == 12) return multiply(x);
    auto [a, b] = fuse([](auto p, auto q) { return std::tuple(tanh(p) * q, sigmoid(q)); }, x, alike(x));
    keep({a, b});
  }
  static Shape with_axis(Shape shape, Size size) {
    shape.insert(0, size);
    return shape;
  }
  std::vector<Variable> cut(const Variable& x, Size axis, Size n) {
    const Size how = below(4), from = below(n + 1);
    if (how == 0) return n <= 5 ? unstack(x, axis) : chunk(x, n, axis);
    if (how == 1) return chunk(x, n % 2 == 0 ? 2 : 1, axis);
    if (how == 2) return split(x, {from, n - from}, axis);
    return {below(2) ? sliced(x, axis, from, n) : sliced(x, axis, n - 1, -n - 1, -1 - below(2))};
  }
  Variable joined(const Variable& x, Size axis) {
    Variables parts;
    for (Size k = below(3) + 1; k > 0; --k) parts.push_back(alike(x));
    return below(2) && x.rank() < 6 ? stack_along(parts, axis) : concat(parts, axis);
  }
  Variable moved(const Variable& x, Size axis) {
    const Size how = below(4);
    if (how == 0 && x.rank() >= 2) return transpose(x);
    if (how == 1) return reshape(x, {x.size()});
    return how == 2 ? flip(x, {axis}) : expand(x, axis);
  }
  /// Products with weights that fit, of rows in any order if x is a sequence.
  void multiply(const Variable& x) {
    for (const Variable& W : weights_) {
      if (W.size(1) != x.shape().back()) continue;
      if (x.rank() < 2 || x.size(0) < 2 || below(3) == 0) return keep(linear(x, W));
      const std::vector<Variable> rows = rows_of(x);
      Variable h = linear(rows[0], W);
      for (Size k = below(5); k > 0; --k) {
        const Variable& row = rows[static_cast<std::size_t>(below(x.size(0)))];
        const Variable y = affine(row, W, h, weights_[0]);
        h = below(3) ? tanh(y) : y;
        if (below(2)) keep({y, row});
      }
      return keep(h);
    }
  }

  Generator draws_;
  Size steps_;
  Variables weights_;
  Variables pool_;
};

struct Setting {
  std::vector<Array> leaves;
  Variables weights;
  std::uint64_t number;

  explicit Setting(std::uint64_t n) : number(n) {
    const Shape shapes[] = {{2, 3},    {3, 2, 4}, {4, 3}, {1, 3},          {3, 1, 2}, {6}, {2, 2, 3},
                            {5, 2, 3}, {4, 1, 4}, {},     {2, 1, 2, 1, 3}, {0, 3}};
    for (std::uint64_t k = 0; k < 2; ++k)
      leaves.push_back(random(shapes[(n * (5 + 6 * k) + n / 12 * k) % 12], static_cast<int>(n + k)));
    int seed = 5;
    for (const Shape& shape : {Shape{3, 3}, Shape{3, 4}, Shape{3, 2}})
      weights.push_back(Parameter("W", random(shape, ++seed)));
  }
  Variables targets(Tape& tape) const {
    Variables list;
    for (const Array& a : leaves) list.push_back(tape.watch(a));
    list.insert(list.end(), weights.begin(), weights.end());
    return list;
  }
  Variable run(const Variables& targets) const {
    return Program(number, weights)(Variables(targets.begin(), targets.begin() + Size(leaves.size())));
  }
};

void check_alike(const std::vector<Variable>& got, const std::vector<Variable>& expected) {
  for (std::size_t k = 0; k < got.size(); ++k) {
    const double size = got[k].size() ? std::max(1.0, max(abs(expected[k])).item()) : 1;
    BOOST_TEST(distance(got[k], expected[k]) < 1e-10 * size);
  }
}

/// The loss with the leaves moved by so much.
double loss_at(const Setting& s, double step) {
  Variables moved;
  for (const Array& a : s.leaves) moved.push_back(Variable(a) + step * random(a.shape(), 11));
  return s.run(moved).item();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(random_programs)

BOOST_AUTO_TEST_CASE(every_way_to_their_gradients) {
  for (std::uint64_t number = 1; number <= 1500; ++number) BOOST_TEST_CONTEXT("program " << number) {
      const Setting s(number);
      Tape tape;
      const Variables targets = s.targets(tape);
      const Variable loss = s.run(targets);
      if (!loss.is_recorded() || !(std::abs(loss.item()) < 1e6)) continue;
      const std::vector<Variable> plain = grad(loss, targets, {.retain_graph = true});
      check_alike(grad(loss, targets, {.create_graph = true}), plain);
      tape.backward(loss, {.retain_graph = true});
      tape.backward(loss);
      for (std::size_t k = 0; k < targets.size(); ++k)
        if (Variable twice = targets[k].grad(); !twice.empty()) check_alike({0.5 * twice}, {plain[k]});
      for (const Variable& W : s.weights) W.zero_grad();
      {
        Tape checking({.anomaly = true});
        const Variables leaves = s.targets(checking);
        check_alike(grad(s.run(leaves), leaves), plain);
      }
      {
        Tape again;
        const Variables leaves = s.targets(again);
        auto f = [&](const Variables& x) { return Variables{s.run(x)}; };
        const Variables inputs(leaves.begin(), leaves.begin() + Size(s.leaves.size()));
        check_alike(grad(recomputed(f, inputs)[0], leaves), plain);
      }
      double slope = 0;
      for (std::size_t k = 0; k < s.leaves.size(); ++k)
        slope += sum(plain[k] * random(s.leaves[k].shape(), 11)).item();
      const double e = 1e-5, difference = (loss_at(s, e) - loss_at(s, -e)) / (2 * e);
      BOOST_TEST(std::abs(slope - difference) < 1e-4 * std::max(1.0, std::abs(slope)));
    }
}

BOOST_AUTO_TEST_SUITE_END()
