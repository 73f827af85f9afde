// Views and repetitions against index formulas. Joins are in join.cpp, choosing by index arrays in
// index.cpp.
#include "moves.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

using namespace reference;

BOOST_AUTO_TEST_SUITE(reshape_ops)

BOOST_AUTO_TEST_CASE(reshaping) {
  Variable x(numbers({3, 4, 5}));
  Array expected = build({15, 4}, [&](const Index& i) {
    Size n = i[0] * 4 + i[1];
    return at(x.value(), {n / 20, n / 5 % 4, n % 5});
  });
  BOOST_TEST(close(reshape(x, {15, -1}), expected));
  BOOST_TEST(shares(reshape(x, {15, -1}), x));
  BOOST_TEST(close(reshape(awkward(x.value()), {-1, 4}), expected));
  BOOST_TEST(
      close(reshape(Variable(zeros({0, 3}, float64)), {3, 0, 2}), zeros({3, 0, 2}, float64)));
  BOOST_TEST(reshape(Variable(indices({1, 2})), {2, 1}).type() == int64);
  check_gradients([](const Variable& v) { return reshape(v, {2, -1}); }, {3, 4});
  BOOST_TEST(error_of([&] { reshape(x, {7, 3}); }) ==
             "[reshape] shape (3, 4, 5) has 60 elements, (7, 3) has 21.");
  BOOST_TEST(error_of([&] { reshape(x, {-2, -30}); }) ==
             "[reshape] shape (-2, -30) has a negative size.");
  BOOST_TEST(error_of([&] { reshape(x, {-1, -1}); }) ==
             "[reshape] shape (-1, -1) has 2 sizes of -1; expected at most one.");
}

BOOST_AUTO_TEST_CASE(transposing) {
  Variable x(numbers({2, 3, 4}));
  BOOST_TEST(close(transpose(x), build({2, 4, 3}, [&](const Index& i) {
    return at(x.value(), {i[0], i[2], i[1]});
  })));
  BOOST_TEST(close(permute(x, {2, 0, -2}), build({4, 2, 3}, [&](const Index& i) {
    return at(x.value(), {i[1], i[2], i[0]});
  })));
  BOOST_TEST(shares(transpose(x), x));
  check_gradients([](const Variable& v) { return transpose(v); }, {2, 3});
  check_gradients([](const Variable& v) { return permute(v, {2, 0, 1}); }, {2, 3, 4});
  BOOST_TEST(error_of([] { transpose(Variable(zeros({3}))); }) ==
             "[transpose] shape (3,) has fewer than two axes.");
  BOOST_TEST(error_of([&] { permute(x, {0, 0, 1}); }) ==
             "[permute] axis 0 is named twice.");
  BOOST_TEST(error_of([&] { permute(x, {0, 1}); }) ==
             "[permute] 2 axes given for shape (2, 3, 4).");
}

BOOST_AUTO_TEST_CASE(expanding) {
  Variable x(numbers({3, 4}));
  BOOST_TEST(close(expand(x, 1), build({3, 1, 4}, [&](const Index& i) {
    return at(x.value(), {i[0], i[2]});
  })));
  BOOST_TEST(expand(x, -1).shape() == Shape({3, 4, 1}));
  BOOST_TEST(expand(x, -3).shape() == Shape({1, 3, 4}));
  BOOST_TEST(close(squeeze(expand(x, -1), -1), x.value()));
  BOOST_TEST(expand(Variable(1.0), 0).shape() == Shape({1}));
  check_gradients([](const Variable& v) { return expand(v, 1); }, {2, 3});
  check_gradients([](const Variable& v) { return expand(v, -2); }, {2, 3});
  check_gradients([](const Variable& v) { return squeeze(v, 1); }, {2, 1, 3});
  BOOST_TEST(error_of([&] { squeeze(x, 0); }) ==
             "[squeeze] axis 0 of shape (3, 4) is not of size 1.");
  BOOST_TEST(error_of([&] { expand(x, 3); }) ==
             "[expand] position 3 does not exist in shape (3, 4); expected -3 to 2.");
}

BOOST_AUTO_TEST_CASE(slicing) {
  Variable x(numbers({3, 7}));
  auto columns = [&](std::vector<Size> which) {
    return build({3, static_cast<Size>(which.size())}, [&](const Index& i) {
      return at(x.value(), {i[0], which[static_cast<std::size_t>(i[1])]});
    });
  };
  BOOST_TEST(close(sliced(x, 1, 2, 5), columns({2, 3, 4})));
  BOOST_TEST(close(sliced(x, -1, 1, 7, 3), columns({1, 4})));
  BOOST_TEST(close(sliced(x, 1, -2, 100), columns({5, 6})));
  BOOST_TEST(close(sliced(x, 1, 5, 1, -2), columns({5, 3})));
  BOOST_TEST(close(sliced(x, 1, 4, 4), columns({})));
  BOOST_TEST(close(select(x, 1, -1), build({3}, [&](const Index& i) {
    return at(x.value(), {i[0], 6});
  })));
  BOOST_TEST(close(select(awkward(x.value()), 0, 2), x.value()[2]));
  BOOST_TEST(shares(sliced(x, 1, 5, 1, -2), x));
  check_gradients([](const Variable& v) { return sliced(v, 1, 4, 0, -2); }, {2, 5});
  check_gradients([](const Variable& v) { return select(v, -1, 1) * v[0][0]; }, {3, 3});
  // views of views, overlapping: their gradients meet in x
  check_gradients([](const Variable& v) {
    Variable a = sliced(v, 0, 0, 2), b = sliced(v, 0, 1, 3);
    return a * b * sliced(transpose(a), 1, 0, 1)[0] + select(b, 0, 1);
  }, {3, 2});
  // a row of a strided view that is used as a whole as well
  check_gradients([](const Variable& v) {
    Variable a = sliced(v, 1, 0, 3, 2);
    return a[0] * a + v[1][1];
  }, {3, 3});
  BOOST_TEST(error_of([&] { sliced(x, 2, 0, 1); }) ==
             "[slice] axis 2 does not exist in shape (3, 7); expected -2 to 1.");
  BOOST_TEST(error_of([&] { sliced(x, 1, 0, 1, 0); }) ==
             "[slice] step is 0 on axis 1 of shape (3, 7).");
  BOOST_TEST(error_of([&] { select(x, 1, 7); }) ==
             "[index] index 7 is outside axis 1 of shape (3, 7).");
}

BOOST_AUTO_TEST_CASE(flipping_and_rolling) {
  Variable x(numbers({3, 4, 5}));
  BOOST_TEST(close(flip(x, {0, -1}), build({3, 4, 5}, [&](const Index& i) {
    return at(x.value(), {2 - i[0], i[1], 4 - i[2]});
  })));
  for (Size shift : {2, -1, 13, 0})
    BOOST_TEST(close(roll(x, shift, 1), build({3, 4, 5}, [&](const Index& i) {
      return at(x.value(), {i[0], ((i[1] - shift) % 4 + 4) % 4, i[2]});
    })));
  BOOST_TEST(close(roll(awkward(x.value()), 3, -1), roll(x, 3, -1).value()));
  BOOST_TEST(roll(Variable(zeros({0, 2})), 1, 0).shape() == Shape({0, 2}));
  check_gradients([](const Variable& v) { return flip(v, {0, 1}); }, {2, 3});
  check_gradients([](const Variable& v) { return roll(v, 1, 1) * v; }, {2, 3});
  BOOST_TEST(error_of([&] { flip(x, {0, -3}); }) ==
             "[flip] axis -3 of shape (3, 4, 5) is named twice.");
}

BOOST_AUTO_TEST_CASE(repeating) {
  Variable x(numbers({2, 3}));
  BOOST_TEST(close(tile(x, {2, 3}), build({4, 9}, [&](const Index& i) {
    return at(x.value(), {i[0] % 2, i[1] % 3});
  })));
  BOOST_TEST(close(tile(x, {2}), build({2, 6}, [&](const Index& i) {
    return at(x.value(), {i[0], i[1] % 3});
  })));
  BOOST_TEST(close(tile(x, {2, 1, 1}), build({2, 2, 3}, [&](const Index& i) {
    return at(x.value(), {i[1], i[2]});
  })));
  BOOST_TEST(close(repeat(x, 2, -1), build({2, 6}, [&](const Index& i) {
    return at(x.value(), {i[0], i[1] / 2});
  })));
  BOOST_TEST(tile(x, {0, 1}).shape() == Shape({0, 3}));
  check_gradients([](const Variable& v) { return tile(v, {2, 2}); }, {2, 3});
  check_gradients([](const Variable& v) { return repeat(v, 3, 0); }, {2, 3});
  BOOST_TEST(error_of([&] { tile(x, {-1, 1}); }) ==
             "[tile] cannot repeat shape (2, 3) -1 times along axis 0.");
  BOOST_TEST(error_of([&] { repeat(x, -1, 0); }) ==
             "[repeat] cannot repeat shape (2, 3) -1 times.");
}

BOOST_AUTO_TEST_CASE(padding) {
  Variable x(numbers({2, 3}));
  auto padded = [&](const Index& i) {
    bool inside = i[0] >= 1 && i[0] < 3 && i[1] >= 2 && i[1] < 5;
    return inside ? at(x.value(), {i[0] - 1, i[1] - 2}) : 0.5;
  };
  BOOST_TEST(close(pad(x, {{1, 0}, {2, 1}}, 0.5), build({3, 6}, padded)));
  BOOST_TEST(close(pad(awkward(x.value()), {{1, 0}, {2, 1}}, 0.5), build({3, 6}, padded)));
  BOOST_TEST(close(pad(Variable(zeros({0, 1})), {{1, 1}, {0, 0}}, 2), full({2, 1}, 2)));
  check_gradients([](const Variable& v) { return pad(v, {{1, 0}, {2, 1}}, 0.5); }, {2, 3});
  BOOST_TEST(error_of([&] { pad(x, {{1, 1}}); }) ==
             "[pad] 1 pairs of widths for shape (2, 3); expected 2.");
  BOOST_TEST(error_of([&] { pad(x, {{1, 1}, {0, -1}}); }) ==
             "[pad] widths 0 and -1 of axis 1 are negative somewhere; expected at least 0, use "
             "sliced "
             "to cut.");
}

BOOST_AUTO_TEST_CASE(triangles) {
  Variable x(numbers({2, 3, 4}));
  for (Size k : {0, 1, -2, 9, -9}) {
    auto keep = [&](bool lower) {
      return build({2, 3, 4}, [&](const Index& i) {
        Size d = i[2] - i[1];
        return (lower ? d <= k : d >= k) ? at(x.value(), i) : 0.0;
      });
    };
    BOOST_TEST(close(tril(x, k), keep(true)));
    BOOST_TEST(close(triu(awkward(x.value()), k), keep(false)));
  }
  BOOST_TEST(close(diagonal(x), build({2, 3}, [&](const Index& i) {
    return at(x.value(), {i[0], i[1], i[1]});
  })));
  BOOST_TEST(close(diagonal(transpose(x)), diagonal(x).value()));
  BOOST_TEST(std::abs(trace(Variable(x.value()[0])).item() -
                      (x.value().at({0, 0, 0}) + x.value().at({0, 1, 1}) +
                       x.value().at({0, 2, 2}))) < 1e-14);
  BOOST_TEST(tril(Variable(zeros({0, 3}))).shape() == Shape({0, 3}));
  check_gradients([](const Variable& v) { return tril(v, 1) * triu(v); }, {3, 3});
  check_gradients([](const Variable& v) { return diagonal(v); }, {2, 3});
  check_gradients([](const Variable& v) { return trace(v) * diagonal(v); }, {3, 3});
  BOOST_TEST(error_of([] { trace(Variable(zeros({3}))); }) ==
             "[trace] shape (3,) has fewer than two axes.");
}

BOOST_AUTO_TEST_SUITE_END()
