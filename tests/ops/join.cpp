// Joining along an axis and cutting again, against index formulas. Other ops that move numbers are
// in reshape.cpp.
#include "moves.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

using namespace reference;

BOOST_AUTO_TEST_SUITE(join_ops)

BOOST_AUTO_TEST_CASE(concatenating) {
  Variable a(numbers({2, 1, 3}, 1)), b(numbers({2, 2, 3}, 2)), c(numbers({2, 0, 3}, 3));
  Array expected = build({2, 3, 3}, [&](const Index& i) {
    return i[1] < 1 ? at(a.value(), i) : at(b.value(), {i[0], i[1] - 1, i[2]});
  });
  BOOST_TEST(close(concat({a, c, b}, 1), expected));
  BOOST_TEST(close(concat({awkward(a.value()), c, awkward(b.value())}, -2), expected));
  BOOST_TEST(close(concat({a, a}), build({2, 1, 6}, [&](const Index& i) {
    return at(a.value(), {i[0], i[1], i[2] % 3});
  })));
  BOOST_TEST(
      close(concat({a, b, c, a, b, c, a, b, c, a, b, c}, 1).value().sliced(1, 9, 12), expected));
  BOOST_TEST(identical(concat({indices({1, 2}), indices({3})}, 0).value(), indices({1, 2, 3})));
  for (Size axis : {0, 1})
    BOOST_TEST(gradcheck(
        [&](auto& x, auto& y) {
          return sin(concat({x, y, transpose(y), x}, axis));
        },
        {{3, 3}, {3, 3}}, {.order = 2}));
  BOOST_TEST(error_of([] { concat({}); }) ==
             "[concat] nothing to join; expected at least one Variable.");
  BOOST_TEST(error_of([&] { concat({a, b}, 0); }) ==
             "[concat] part 0 is (2, 1, 3), part 1 is (2, 2, 3); expected equal sizes except along "
             "axis 0.");
  BOOST_TEST(error_of([&] { concat({a, Variable(indices({1}))}, 0); }) ==
             "[concat] mixed element types: part 0 is float64, part 1 is int64; convert one with "
             "to().");
}

BOOST_AUTO_TEST_CASE(stacking) {
  Variable a(numbers({2, 3}, 1)), b(numbers({2, 3}, 2));
  auto stacked = [&](int axis) {
    Shape shape{2, 3};
    shape.insert(axis, 2);
    return build(shape, [&](Index i) {
      Size part = i[static_cast<std::size_t>(axis)];
      i.erase(i.begin() + axis);
      return at(part ? b.value() : a.value(), i);
    });
  };
  for (int axis : {0, 1, 2}) {
    BOOST_TEST(close(stack_along({a, b}, axis), stacked(axis)));
    BOOST_TEST(close(stack_along({awkward(a.value()), b}, axis - 3), stacked(axis)));
    std::vector<Variable> parts = unstack(stack_along({a, b}, axis), axis);
    BOOST_TEST(parts.size() == 2u);
    BOOST_TEST(close(parts[1], b.value()));
    BOOST_TEST(gradcheck(
        [&](auto& x, auto& y) {
          return sin(stack_along({x, transpose(y), x}, axis));
        },
        {{2, 3}, {3, 2}}, {.order = 2}));
    check_gradients([&](const Variable& v) {
      std::vector<Variable> all = unstack(v, axis);
      return all[0] * all[1] + all[1];
    }, {2, 2, 2});
  }
  BOOST_TEST(unstack(Variable(zeros({0, 2}))).empty());
  BOOST_TEST(error_of([&] { stack_along({a, Variable(zeros({3, 2}, float64))}); }) ==
             "[stack_along] part 0 is (2, 3), part 1 is (3, 2); expected equal shapes.");
  BOOST_TEST(error_of([&] { stack_along({a}, 3); }) ==
             "[stack_along] position 3 does not exist for parts (2, 3); expected -3 to 2.");
}

BOOST_AUTO_TEST_CASE(gradients_of_a_stack_lie_in_one_array) {
  for (Size n : {3, 300000}) {  // a large one is not copied
    Tape tape;
    Variable a = tape.watch(numbers({2, n}, 1)), b = tape.watch(numbers({2, n}, 2));
    Variable weights(numbers({2, 2, n}, 3));
    std::vector<Variable> g = grad(stack_along({a, b}), {a, b}, {.grad_outputs = weights});
    BOOST_TEST(shares(g[0], g[1]));
    BOOST_TEST(shares(g[0], weights) == (n > 3));
    BOOST_TEST(close(g[0], weights.value()[0]));
    BOOST_TEST(close(g[1], weights.value()[1]));
  }
}

// What an input was used for before is added to its part of the gradient, which others must not see.
BOOST_AUTO_TEST_CASE(gradients_added_to_parts_of_a_join) {
  const Array w = numbers({4, 3}, 3);
  for (bool stacked : {true, false}) {
    Tape tape;
    Variable a = tape.watch(numbers({2, 3}, 1)), b = tape.watch(numbers({2, 3}, 2));
    Variable c = square(a), product = sum(c * b);
    Variable joined = stacked ? reshape(stack_along({c, b, c}), {6, 3}) : concat({c, b, c}, 0);
    Variable top = sliced(concat({joined, a}, 0), 0, 0, 4);
    Variable given(w.copy());
    std::vector<Variable> g = grad({top, product}, {c, b, joined, top},
                                   {.grad_outputs = {given, Variable(ones({}))}});
    const Array upper = w.sliced(0, 0, 2), lower = w.sliced(0, 2, 4);
    BOOST_TEST(close(g[0], (upper + b).value()));
    BOOST_TEST(close(g[1], (lower + c).value()));
    BOOST_TEST(close(g[2].value().sliced(0, 0, 4), w));
    BOOST_TEST(close(g[3], w));
    BOOST_TEST(identical(given.value(), w));
  }
}

// Columns of the gradient of a join, and views of what was joined, whose gradients lie in that.
BOOST_AUTO_TEST_CASE(gradients_of_views_of_a_part) {
  Tape tape;
  Variable a = tape.watch(numbers({2, 3}, 1)), b = tape.watch(numbers({2, 3}, 2));
  Variable c = square(a), row = sum(sliced(c, 0, 0, 1)), column = sum(sliced(c, 1, 1, 2));
  Variable weights(numbers({2, 6}, 3));
  Variable dc = grad(sum(concat({c, b}, 1) * weights) + row + 2 * column, c);
  Array expected = weights.value().sliced(1, 0, 3).copy();
  double* e = expected.mutable_data<double>();
  for (int i : {0, 1, 2}) e[i] += 1;
  for (int i : {1, 4}) e[i] += 2;
  BOOST_TEST(close(dc, expected));
}

BOOST_AUTO_TEST_CASE(cutting) {
  Variable x(numbers({3, 6}));
  std::vector<Variable> parts = split(x, {1, 0, 5}, 1);
  BOOST_TEST(close(parts[0], x.value().sliced(1, 0, 1)));
  BOOST_TEST(parts[1].shape() == Shape({3, 0}));
  BOOST_TEST(close(split(awkward(x.value()), {1, 0, 5})[2], x.value().sliced(1, 1, 6)));
  auto [a, b, c] = chunk<3>(x);
  BOOST_TEST(close(b, x.value().sliced(1, 2, 4)));
  BOOST_TEST(shares(c, x));
  BOOST_TEST(chunk(x, 3, 0)[2].shape() == Shape({1, 6}));
  check_gradients([](const Variable& v) {
    std::vector<Variable> p = split(v, {1, 2, 1}, 1);
    return p[0] * p[1] + p[0];  // nothing reaches the last one
  }, {2, 4});
  check_gradients([](const Variable& v) {
    auto [p, q] = chunk<2>(v, 0);
    auto [r, s] = chunk<2>(p * q + p, 1);
    return r * s;
  }, {4, 2});
  BOOST_TEST(error_of([&] { split(x, {1, 2}, 1); }) ==
             "[split] sizes sum to 3, axis 1 of shape (3, 6) has 6.");
  BOOST_TEST(error_of([&] { chunk(x, 4); }) ==
             "[chunk] axis 1 of shape (3, 6) cannot be cut into 4 equal parts; use split for "
             "others.");
}

// Parts are summed where they lie, unless that is somebody else's.
BOOST_AUTO_TEST_CASE(what_a_hook_returns_stays_as_it_is) {
  Parameter w("w", values({1, 2, 3, 4}));
  const Array replaced = values({10, 20, 30, 40});
  Tape tape;
  const Variable a = tanh(w), early = sum(a * 2.0), y = concat({a}, 0);
  tape.hook(y, [&](const Variable&) { return Variable(replaced); });
  const Variable loss = early + sum(sliced(y, 0, 0, 2));
  tape.backward(loss, {.retain_graph = true});
  BOOST_TEST(identical(replaced, values({10, 20, 30, 40})));
  const Array first = w.grad().value();
  w.zero_grad();
  tape.backward(loss);
  BOOST_TEST(identical(w.grad().value(), first));
}

BOOST_AUTO_TEST_SUITE_END()
