// Choosing by indices and masks, and sorting, against naive loops. Ranges are in reshape.cpp.
#include "reference.hpp"

#include <algorithm>
#include <limits>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace {

using namespace reference;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Array integers(const Shape& shape, std::vector<Size> numbers) {
  return values(std::span<const Size>(numbers), shape);
}

/// Both forms of each gradient, contiguous and not.
template <class F>
void check_gradients(F op, const Shape& shape) {
  BOOST_TEST(gradcheck([&](auto& x) { return sin(op(x)); }, {shape}, {.order = 2}));
  Shape turned = shape;
  std::swap(turned[shape.rank() - 1], turned[shape.rank() - 2]);
  BOOST_TEST(gradcheck([&](auto& x) { return sin(op(flip(transpose(x), {0}))); }, {turned},
                       {.order = 2}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(index_ops)

BOOST_AUTO_TEST_CASE(gathering) {
  Array x = numbers({2, 3, 4});
  Array i = integers({2, 2, 3}, {0, 2, 1, 2, 2, 2, 1, 0, 0, 1, 1, 0});
  Array expected = build({2, 2, 3}, [&](const Index& k) {
    return at(x, {k[0], static_cast<Size>(at(i, k)), k[2]});
  });
  BOOST_TEST(close(gather(Variable(x), 1, i), expected));
  BOOST_TEST(close(gather(Variable(awkward(x)), -2, awkward(i)), expected));
  BOOST_TEST(gather(Variable(x), 0, zeros({0, 1, 1}, int64)).shape() == Shape({0, 1, 1}));
  check_gradients([&](const Variable& v) { return gather(v, 1, i); }, {2, 3, 4});
  check_gradients(
      [&](const Variable& v) { return gather(sliced(v, 2, 0, 4, 2), 1, i.sliced(2, 0, 2)); },
      {2, 3, 4});
  BOOST_TEST(error_of([&] { gather(Variable(x), 1, integers({1, 1, 1}, {3})); }) ==
             "[gather] index 3 is outside axis 1 of shape (2, 3, 4); expected 0 to 2.");
  BOOST_TEST(error_of([&] { gather(Variable(x), 1, integers({1, 1, 1}, {-1})); }) ==
             "[gather] index -1 is outside axis 1 of shape (2, 3, 4); expected 0 to 2.");
  BOOST_TEST(error_of([&] { gather(Variable(x), 1, integers({1, 1, 5}, {0, 0, 0, 0, 0})); }) ==
             "[gather] x is (2, 3, 4), index is (1, 1, 5); expected as many axes, and sizes up "
             "to x's "
             "except along axis 1.");
  BOOST_TEST(error_of([&] { gather(Variable(x), 1, zeros({1, 1, 1})); }) ==
             "[gather] the index (1, 1, 1) is float32; expected int64.");
}

BOOST_AUTO_TEST_CASE(scattering) {
  Array x = numbers({2, 3}, 1), source = numbers({4, 3}, 2);
  Array i = integers({4, 3}, {0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1});
  Array expected = build({2, 3}, [&](const Index& k) {
    double y = at(x, k);
    for (Size row = 0; row < 4; ++row)
      if (at(i, {row, k[1]}) == static_cast<double>(k[0])) y += at(source, {row, k[1]});
    return y;
  });
  BOOST_TEST(close(scatter_add(Variable(x), 0, i, source), expected));
  BOOST_TEST(close(scatter_add(Variable(awkward(x)), 0, awkward(i), awkward(source)), expected));
  BOOST_TEST(gradcheck([&](auto& v, auto& s) { return sin(scatter_add(v, 0, i, s)); },
                       {{2, 3}, {4, 3}}, {.order = 2}));
  BOOST_TEST(gradcheck(
      [&](auto& v, auto& s) { return sin(scatter_add(transpose(v), 0, i, transpose(s))); },
      {{3, 2}, {3, 4}}, {.order = 2}));
  BOOST_TEST(error_of([&] { scatter_add(Variable(x), 0, i, x); }) ==
             "[scatter_add] index is (4, 3), source is (2, 3); expected equal shapes.");
}

BOOST_AUTO_TEST_CASE(selecting) {
  Array x = numbers({3, 4, 2});
  Array i = integers({2, 2}, {3, 0, 3, 1});
  Array expected = build({3, 2, 2, 2}, [&](const Index& k) {
    return at(x, {k[0], static_cast<Size>(at(i, {k[1], k[2]})), k[3]});
  });
  BOOST_TEST(close(index_select(Variable(x), 1, i), expected));
  BOOST_TEST(close(index_select(Variable(awkward(x)), -2, awkward(i)), expected));
  BOOST_TEST(close(index_select(Variable(x), 2, integers({}, {1})), x.select(2, 1)));
  BOOST_TEST(index_select(Variable(x), 0, zeros({0}, int64)).shape() == Shape({0, 4, 2}));
  BOOST_TEST(index_select(Variable(zeros({2, 0})), 0, integers({3}, {0, 1, 0})).shape() ==
             Shape({3, 0}));
  for (Size axis : {0, 1, 2})
    check_gradients([&](const Variable& v) { return index_select(v, axis, indices({1, 0, 1})); },
                    {2, 3, 2});
  // a strided slice whose gradient lies inside that of v
  check_gradients([&](const Variable& v) {
    return index_select(sliced(v, 1, 0, 4, 2), 0, indices({1, 0, 1})) + v[0][0];
  }, {2, 4});
  BOOST_TEST(error_of([&] { index_select(Variable(x), 2, indices({0, 2})); }) ==
             "[index_select] index 2 is outside axis 2 of shape (3, 4, 2); expected 0 to 1.");
}

BOOST_AUTO_TEST_CASE(adding_at_indices) {
  Array x = numbers({3, 2}, 1), source = numbers({4, 2}, 2);
  Array i = indices({2, 0, 2, 2});
  Array expected = x.copy();
  for (Size k = 0; k < 4; ++k) {
    Size row = static_cast<Size>(at(i, {k}));
    for (Size j = 0; j < 2; ++j) expected[row][j].fill(at(expected, {row, j}) + at(source, {k, j}));
  }
  BOOST_TEST(close(index_add(Variable(x), 0, i, source), expected));
  BOOST_TEST(close(index_add(Variable(awkward(x)), 0, i, awkward(source)), expected));
  BOOST_TEST(
      close(index_add(Variable(x.transposed()), 1, i, source.transposed()), expected.transposed()));
  for (Size axis : {0, 1})
    BOOST_TEST(gradcheck([&](auto& v, auto& s) {
      return sin(axis ? index_add(transpose(v), 1, i, transpose(s)) : index_add(v, 0, i, s));
    }, {{3, 2}, {4, 2}}, {.order = 2}));
  BOOST_TEST(error_of([&] { index_add(Variable(x), 0, i, x); }) ==
             "[index_add] x is (3, 2), index is (4,), source is (3, 2); expected source (4, 2).");
}

BOOST_AUTO_TEST_CASE(advanced_indexing) {
  Array x = numbers({3, 4, 2});
  Array rows = integers({2, 1}, {0, -1}), columns = indices({1, 1, -4});
  Array expected = build({2, 3, 2}, [&](const Index& k) {
    Size r = static_cast<Size>(at(rows, {k[0], 0})), c = static_cast<Size>(at(columns, {k[1]}));
    return at(x, {(r + 3) % 3, (c + 4) % 4, k[2]});
  });
  BOOST_TEST(close(index(Variable(x), {rows, columns}), expected));
  BOOST_TEST(close(index(Variable(awkward(x)), {rows, columns}), expected));
  BOOST_TEST(close(index(Variable(x), {indices({2, 0})}), build({2, 4, 2}, [&](const Index& k) {
    return at(x, {k[0] ? 0 : 2, k[1], k[2]});
  })));
  check_gradients([&](const Variable& v) { return index(v, {rows, columns}); }, {3, 4, 2});
  BOOST_TEST(error_of([&] { index(Variable(x), {rows, indices({4})}); }) ==
             "[index] index 4 is outside axis 1 of shape (3, 4, 2); expected -4 to 3.");
  BOOST_TEST(error_of([&] { index(Variable(x), {rows, rows, rows, rows}); }) ==
             "[index] 4 indices for shape (3, 4, 2); expected 1 to 3.");
}

BOOST_AUTO_TEST_CASE(masked) {
  Array x = numbers({2, 3});
  Array mask = values({{1, 0, 1}, {0, 0, 2}});
  Array expected = build({3}, [&](const Index& k) {
    return at(x, k[0] == 0 ? Index{0, 0} : k[0] == 1 ? Index{0, 2} : Index{1, 2});
  });
  BOOST_TEST(close(masked_select(Variable(x), mask), expected));
  BOOST_TEST(close(masked_select(Variable(awkward(x)), awkward(mask).to(int64)), expected));
  BOOST_TEST(masked_select(Variable(x), indices({0, 0, 1})).shape() == Shape({2}));
  BOOST_TEST(masked_select(Variable(x), Variable(0.0)).shape() == Shape({0}));
  check_gradients([&](const Variable& v) { return masked_select(v, mask); }, {2, 3});
  BOOST_TEST(error_of([&] { masked_select(Variable(x), zeros({2, 2, 3})); }) ==
             "[masked_select] x is (2, 3), mask is (2, 2, 3); expected a mask that broadcasts to "
             "x.");
}

BOOST_AUTO_TEST_CASE(embeddings) {
  Array weight = numbers({5, 3});
  Array words = integers({2, 3}, {4, 0, 4, 1, 2, 0});
  BOOST_TEST(close(embedding(Variable(weight), words), build({2, 3, 3}, [&](const Index& k) {
    return at(weight, {static_cast<Size>(at(words, {k[0], k[1]})), k[2]});
  })));
  BOOST_TEST(gradcheck([&](auto& W) { return sin(embedding(W, words)); }, {{5, 3}}, {.order = 2}));
  BOOST_TEST(gradcheck(
      [&](auto& W) {
        return sin(embedding(transpose(W), words)) * embedding(W, indices({1}))[0][0];
      },
      {{3, 5}}, {.order = 2}));
  // Used at every step, as in a recurrent network: uses add up; the padding row gets nothing.
  Variable dy(numbers({2, 3, 3}, 7));
  Array expected = build({5, 3}, [&](const Index& k) {
    double g = 0;
    for (Size i = 0; i < 2; ++i)
      for (Size j = 0; j < 3; ++j)
        if (at(words, {i, j}) == static_cast<double>(k[0])) g += 2 * at(dy.value(), {i, j, k[1]});
    return k[0] == 4 ? 0.0 : g;
  });
  for (bool create_graph : {false, true}) {
    Tape tape;
    Variable W = tape.watch(weight);
    Variable y = embedding(W, words, {.padding = 4}) + embedding(W, words, {.padding = 4});
    Variable g = grad(y, W, {.create_graph = create_graph, .grad_outputs = dy});
    BOOST_TEST(close(g, expected));
  }
  BOOST_TEST(error_of([&] { embedding(Variable(weight), integers({1}, {5})); }) ==
             "[embedding] index 5 is outside axis 0 of shape (5, 3); expected 0 to 4.");
  BOOST_TEST(error_of([&] { embedding(Variable(weight), words, {.padding = 5}); }) ==
             "[embedding] padding row 5 does not exist in weight (5, 3).");
}

BOOST_AUTO_TEST_CASE(one_hots) {
  Array classes = integers({2, 2}, {2, 0, 1, 2});
  BOOST_TEST(close(one_hot(classes, 3), build({2, 2, 3}, [&](const Index& k) {
    return at(classes, {k[0], k[1]}) == static_cast<double>(k[2]) ? 1.0 : 0.0;
  })));
  BOOST_TEST(one_hot(classes, 3).type() == float32);
  BOOST_TEST(one_hot(awkward(classes), 3, int64).value().at({1, 0, 1}) == 1);
  BOOST_TEST(error_of([&] { one_hot(classes, 2); }) ==
             "[one_hot] index 2 is outside axis 0 of shape (2,); expected 0 to 1.");
}

BOOST_AUTO_TEST_CASE(sorting) {
  Array x = numbers({3, 5, 4});
  for (Size axis : {0, 1, -1})
    for (bool descending : {false, true})
      for (const Array& v : {x, awkward(x)}) {
        Sorted s = sort(Variable(v), axis, descending);
        BOOST_TEST(close(gather(Variable(x), axis, s.indices), s.values.value()));
        Array t = s.values.value().permuted(axis == 0   ? std::vector<Size>{1, 2, 0}
                                            : axis == 1 ? std::vector<Size>{0, 2, 1}
                                                        : std::vector<Size>{0, 1, 2});
        Array u = x.permuted(axis == 0   ? std::vector<Size>{1, 2, 0}
                             : axis == 1 ? std::vector<Size>{0, 2, 1}
                                         : std::vector<Size>{0, 1, 2});
        for (Size i = 0; i < t.size(0); ++i)
          for (Size j = 0; j < t.size(1); ++j) {
            std::vector<double> lane = u[i][j].to_vector<double>();
            std::sort(lane.begin(), lane.end());
            if (descending) std::reverse(lane.begin(), lane.end());
            BOOST_TEST(lane == t[i][j].to_vector<double>(), boost::test_tools::per_element());
          }
      }
  // equal elements keep their order; NaN is larger than everything
  Sorted s = sort(Variable(values({2, kNan, 1, 2, 1})));
  BOOST_TEST(identical(s.indices.value(), indices({2, 4, 0, 3, 1})));
  s = sort(Variable(values({2, kNan, 1, 2, 1})), 0, true);
  BOOST_TEST(identical(s.indices.value(), indices({1, 0, 3, 2, 4})));
  BOOST_TEST(sort(Variable(zeros({2, 0}))).values.shape() == Shape({2, 0}));
  check_gradients([](const Variable& v) { return sort(v, 0).values; }, {3, 2});
  check_gradients([](const Variable& v) { return sort(v, 1, true).values; }, {3, 2});
}

BOOST_AUTO_TEST_CASE(k_best) {
  Array x = numbers({3, 6});
  for (bool largest : {true, false})
    for (Size axis : {0, 1}) {
      Sorted all = sort(Variable(x), axis, largest);
      Sorted best = topk(Variable(awkward(x)), 2, {.axis = axis, .largest = largest});
      BOOST_TEST(close(best.values, all.values.value().sliced(axis, 0, 2)));
      BOOST_TEST(identical(best.indices.value(), all.indices.value().sliced(axis, 0, 2)));
    }
  BOOST_TEST(topk(Variable(x), 0).values.shape() == Shape({3, 0}));
  check_gradients([](const Variable& v) { return topk(v, 2).values; }, {2, 3});
  check_gradients(
      [](const Variable& v) { return topk(v, 1, {.axis = 0, .largest = false}).values; }, {2, 3});
  BOOST_TEST(error_of([&] { topk(Variable(x), 7); }) ==
             "[topk] k is 7, axis 1 of shape (3, 6) has 6 elements.");
}

BOOST_AUTO_TEST_SUITE_END()
