// The product that all rows of a sequence share: it is made once, and never when the rows changed.
// What over_time makes of it is tested with the cells.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/substitution.hpp>
#include <unroll/ops/ops.hpp>
#include <unroll/ops/sequence.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

using namespace unroll;

namespace {

Array ramp(const Shape& shape) { return arange(0, shape.count(), 1, float32).reshaped(shape); }

/// x_t W^T of every row, by rows that know of each other.
std::vector<Array> products(const Variable& xs, const Variable& W) {
  std::vector<Array> list;
  for (const Variable& x : rows_of(xs)) list.push_back(linear(x, W).value());
  return list;
}

Size nodes_named_linear(Size steps) {
  Parameter W("W", ramp({4, 3}));
  Tape tape;
  Variable xs = tape.watch(ramp({steps, 2, 3}));
  Size before = tape.nodes();
  for (const Variable& x : rows_of(xs)) linear(x, W);
  return tape.nodes() - before;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sequence)

BOOST_AUTO_TEST_CASE(one_product_for_all_rows) {
  // unstack, the first row's product, all rows, their product and its unstack: however many rows.
  BOOST_TEST(nodes_named_linear(5) == 5);
  BOOST_TEST(nodes_named_linear(50) == 5);
}

BOOST_AUTO_TEST_CASE(each_row_gets_its_own) {
  Variable W = ramp({4, 3});
  const Array whole = ramp({8, 2, 3});
  const Array layouts[] = {whole, whole.sliced(0, 1, 6, 2), whole.flipped(0), ramp({1, 2, 3}).broadcast_to({8, 2, 3}),
                           ramp({2, 8, 3}).permuted({1, 0, 2})};
  for (const Array& xs : layouts) {
    std::vector<Array> got = products(xs, W);
    for (Size t = 0; t < xs.size(0); ++t)
      BOOST_TEST(identical(got[static_cast<std::size_t>(t)], linear(Variable(xs[t].copy()), W).value()));
  }
}

// What stands for a Parameter may lie anywhere in other memory.
BOOST_AUTO_TEST_CASE(rows_of_what_stands_for_a_parameter) {
  Parameter P("P", ramp({5, 2, 3}));
  const Variable W = ramp({4, 3}), xs = ramp({8, 2, 3}).sliced(0, 2, 7);
  Substitution in_place(P, xs);
  const std::vector<Array> got = products(P, W), expected = products(xs, W);
  for (std::size_t t = 0; t < 5; ++t) BOOST_TEST(identical(got[t], expected[t]));
}

// Values are read once, also by those that swap places.
BOOST_AUTO_TEST_CASE(rows_and_weights_that_stand_for_each_other) {
  const Parameter P("P", random({5, 2, 3}, 1)), Q("Q", random({5, 2, 3}, 2)), W("W", random({4, 3}, 3)),
      V("V", random({4, 3}, 4));
  Tape tape;
  const Variable expected = sum(square(linear(Q, V)));
  Variable got = zeros({}, float64);
  {
    Substitution swap({{P, Q}, {Q, P}, {W, V}, {V, W}});
    for (const Variable& x : rows_of(P)) got = got + sum(square(linear(x, W)));
  }
  BOOST_TEST(std::abs(got.item() - expected.item()) <= 1e-12 * expected.item());
  const auto of = [&](const Variable& y) { return grad(y, {P, Q, W, V}, {.retain_graph = true}); };
  const std::vector<Variable> a = of(got), b = of(expected);
  for (std::size_t k = 0; k < a.size(); ++k) BOOST_TEST(distance(a[k].value(), b[k].value()) <= 1e-10);
}

// A part of a long sequence gives each row its own gradient, though it is computed with the others.
BOOST_AUTO_TEST_CASE(gradients_and_hooks_of_rows) {
  const Parameter W("W", random({4, 3}, 1));
  const Array one = random({1, 2, 3}, 2), long_one = random({600, 2, 3}, 3);
  for (const Array& xs : {one.broadcast_to({5, 2, 3}), long_one, long_one.flipped(0)}) {
    const auto run = [&](bool marked) {
      Tape tape;
      const Variable x = tape.watch(xs);
      const std::vector<Variable> rows = marked ? rows_of(x) : unstack(x);
      Variable y = zeros({}, float64);
      for (std::size_t t = 0; t + 1 < rows.size(); ++t)
        y = y + sum(tanh(linear(rows[t], W))) * static_cast<double>(t);
      std::vector<Array> list;
      for (const Variable& g : grad(y, {x, rows[3], rows[1]}, {.retain_graph = true}))
        list.push_back(g.value());
      const Variable g = grad(y, rows[2], {.create_graph = true});
      list.push_back(grad(sum(square(g)), x, {.retain_graph = true}).value());
      tape.hook(rows[3], [](const Variable& dy) { return dy * 0; });
      list.push_back(grad(y, x).value());
      return list;
    };
    const std::vector<Array> got = run(true), expected = run(false);
    for (std::size_t k = 0; k < got.size(); ++k) {
      BOOST_TEST(distance(got[k], expected[k]) <= 1e-10);
      BOOST_TEST(norm(expected[k]).item() > 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(sums_that_are_refused) {
  const Parameter W("W", random({4, 3}, 1)), V("V", random({4, 3}, 2));
  const auto gradient = [&](bool wrong) {
    Tape tape;
    const std::vector<Variable> a = rows_of(tape.watch(random({6, 2, 3}, 3))),
                                b = rows_of(tape.watch(random({6, 2, 3}, 4)));
    Variable y = zeros({}, float64);
    for (std::size_t t = 0; t < 6; ++t) {
      if (wrong && t == 4)
        BOOST_TEST(error_of([&] { affine(a[t], W, b[t], V, zeros({5}, float64)); })
                       .starts_with("[affine] shapes (5,) and (2, 4) do not broadcast; "));
      y = y + sum(square(affine(a[t], W, b[t], V)));
    }
    return grad(y, W).value();
  };
  BOOST_TEST(distance(gradient(true), gradient(false)) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(rows_in_any_order) {
  const Variable W = ramp({4, 3});
  for (const Array& xs : {ramp({9, 2, 3}), ramp({9, 2, 3}).flipped(0)}) {
    const std::vector<Variable> rows = rows_of(xs);
    for (Size t : {4, 8, 3, 4, 5, 5, 0, 1, 2, 7, 6, 0}) {
      const Array expected = linear(Variable(xs[t].copy()), W).value();
      BOOST_TEST(identical(linear(rows[static_cast<std::size_t>(t)], W).value(), expected));
    }
  }
}

// ---- rows that become the sums of a step ------------------------------------------------------

namespace {

/// What affine makes of rows that know of each other, or of rows that do not.
struct Run {
  Parameter W{"W", random({4, 3}, 1)}, U{"U", random({4, 4}, 2)}, b{"b", random({4}, 3)};
  Array xs = random({600, 2, 3}, 4);  // several parts
  bool marked;

  explicit Run(bool marked) : marked(marked) {}
  std::vector<Variable> rows(const Variable& x) const { return marked ? rows_of(x) : unstack(x); }
  Parameter all[3] = {W, U, b};
};

/// f(run, rows) is a loss; its gradients, those of the sum of their squares, and its value.
template <class F>
std::vector<Array> results(bool marked, bool twice, const F& f) {
  Run run(marked);
  Tape tape;
  Variable x = tape.watch(run.xs);
  Variable loss = f(run, run.rows(x));
  const Variables inputs{run.W, run.U, run.b, x};
  std::vector<Array> list{loss.value()};
  std::vector<Variable> first =
      grad(loss, inputs, {.create_graph = twice, .retain_graph = true});
  for (const Variable& g : first) list.push_back(g.value());
  if (!twice) return list;
  Variable squares = 0;
  for (const Variable& g : first) squares = squares + sum(square(g));
  for (const Variable& g : grad(squares, inputs)) list.push_back(g.value());
  return list;
}

template <class F>
void check_as_without_marks(const F& f) {
  for (bool twice : {false, true}) {
    std::vector<Array> got = results(true, twice, f), expected = results(false, twice, f);
    for (std::size_t k = 0; k < got.size(); ++k)
      BOOST_TEST(distance(got[k], expected[k]) <= 1e-10 * (1 + norm(expected[k]).item()));
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(sums_in_the_place_of_rows) {
  check_as_without_marks([](const Run& r, const std::vector<Variable>& rows) {
    Variable h = zeros({2, 4}, float64), sum = h;
    for (const Variable& x : rows) {
      h = tanh(affine(x, r.W, h, r.U, r.b));
      sum = sum + h;
    }
    return mean(sum * sum);
  });
}

BOOST_AUTO_TEST_CASE(a_row_that_is_used_twice) {
  check_as_without_marks([](const Run& r, const std::vector<Variable>& rows) {
    Variable h = zeros({2, 4}, float64), g = h;
    for (const Variable& x : rows) {
      h = tanh(affine(x, r.W, h, r.U, r.b));
      g = tanh(affine(x, r.W, g, r.U, r.b) + h);
    }
    return mean(h * g);
  });
}

BOOST_AUTO_TEST_CASE(sums_that_are_used_twice) {
  check_as_without_marks([](const Run& r, const std::vector<Variable>& rows) {
    Variable h = zeros({2, 4}, float64), total = 0;
    for (const Variable& x : rows) {
      Variable z = affine(x, r.W, h, r.U, r.b);
      h = tanh(z);
      total = total + mean(z * h);
    }
    return total + mean(h);
  });
}

BOOST_AUTO_TEST_CASE(sums_of_which_parts_are_used) {
  check_as_without_marks([](const Run& r, const std::vector<Variable>& rows) {
    Variable h = zeros({2, 4}, float64);
    for (const Variable& x : rows) {
      auto [a, b] = chunk<2>(affine(x, r.W, h, r.U, r.b));
      h = concat({tanh(a), tanh(a) * sigmoid(b[1])});
    }
    return mean(h);
  });
}

BOOST_AUTO_TEST_CASE(biases_that_change) {
  check_as_without_marks([](const Run& r, const std::vector<Variable>& rows) {
    Variable h = zeros({2, 4}, float64);
    int t = 0;
    for (const Variable& x : rows) h = tanh(affine(x, r.W, h, r.U, t++ % 3 ? Variable(r.b) : r.b * 2));
    return mean(h);
  });
}

BOOST_AUTO_TEST_CASE(sums_that_are_asked_for_themselves) {
  auto run = [](bool marked) {
    Run r(marked);
    Tape tape;
    Variable h = zeros({2, 4}, float64);
    std::vector<Variable> sums;
    for (const Variable& x : r.rows(tape.watch(r.xs))) {
      sums.push_back(affine(x, r.W, h, r.U, r.b));
      h = tanh(sums.back());
    }
    std::vector<Array> list;
    const Variables some{sums[590], sums[30]};
    for (const Variable& g : grad(sum(h), some, {.retain_graph = true})) list.push_back(g.value());
    // Several outputs, of which one is a sum; a hook; part of the weights.
    list.push_back(grad({h, sums[598]}, {r.U},
                        {.grad_outputs = {h, ones({2, 4}, float64)}, .retain_graph = true})[0]
                       .value());
    tape.hook(sums[599], [](const Variable& g) { return g * 2; });
    list.push_back(grad(sum(h), r.W).value());
    return list;
  };
  std::vector<Array> got = run(true), expected = run(false);
  for (std::size_t k = 0; k < got.size(); ++k)
    BOOST_TEST(distance(got[k], expected[k]) <= 1e-10 * (1 + norm(expected[k]).item()));
}

BOOST_AUTO_TEST_CASE(no_memory_for_the_sums_of_the_steps) {
  Run r(true);
  Tape tape;
  std::vector<Variable> rows = rows_of(tape.watch(r.xs)), sums;
  Variable h = zeros({2, 4}, float64);
  for (const Variable& x : rows) sums.push_back(affine(x, r.W, h, r.U, r.b));
  int buffers = 0;
  for (std::size_t t = 2; t < sums.size(); ++t)
    buffers += !(sums[t].value().buffer() == sums[t - 1].value().buffer());
  BOOST_TEST(buffers == 4);  // of five parts
}

BOOST_AUTO_TEST_SUITE_END()
