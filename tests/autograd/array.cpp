// Arrays: types, views, copies, broadcasting, conversions and text.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>

#include <unroll/autograd/strided.hpp>
#include <unroll/autograd/variable.hpp>

#include "errors.hpp"

using namespace unroll;

namespace {

Array counting(const Shape& shape, Type type = float64) { return arange(0, shape.count(), 1, type).reshaped(shape); }
std::vector<double> numbers(const Array& a) { return a.to_vector<double>(); }
using V = std::vector<double>;

}  // namespace

BOOST_AUTO_TEST_SUITE(array)

BOOST_AUTO_TEST_CASE(makers) {
  BOOST_TEST(numbers(zeros({2, 2})) == V(4, 0));
  BOOST_TEST(numbers(ones({3}, int64)) == V(3, 1));
  BOOST_TEST(numbers(full({}, 2.5)) == V{2.5});
  BOOST_TEST(numbers(eye(2)) == (V{1, 0, 0, 1}));
  BOOST_TEST(numbers(arange(5, 0, -2)) == (V{5, 3, 1}));
  BOOST_TEST(arange(3, 3).size() == 0);
  BOOST_TEST(numbers(indices({4, -1})) == (V{4, -1}));
  BOOST_TEST(values({{1, 2}, {3, 4}}).shape() == Shape({2, 2}));
  BOOST_TEST(values({{1}, {3}}).shape() == Shape({2, 1}));
  BOOST_TEST(values({{1.5}}).shape() == Shape({1, 1}));
  BOOST_TEST(values({5, 3}).shape() == Shape({2}));
  BOOST_TEST(numbers(values({1, 2.5, 3.0f, Size{4}})) == (V{1, 2.5, 3, 4}));
  BOOST_TEST(zeros({5, 3}).shape() == Shape({5, 3}));
  BOOST_TEST(Array().shape() == Shape({0}));
  EXPECT_ERROR(values({{1, 2}, {3}}), "[values] rows have 2 and 1 numbers.");
  EXPECT_ERROR(values(std::span<const float>(), {2}), "[values] 0 numbers for shape (2,).");
  EXPECT_ERROR(zeros({2, -1}), "[array] shape (2, -1) has a negative size.");
}

BOOST_AUTO_TEST_CASE(scalars) {
  Array s = full({}, 7, float64);
  BOOST_TEST(s.rank() == 0);
  BOOST_TEST(s.size() == 1);
  BOOST_TEST(s.item() == 7);
  BOOST_TEST(s.is_contiguous());
  BOOST_TEST(s.expanded(0).shape() == Shape({1}));
  BOOST_TEST(s.broadcast_to({2, 3}).size() == 6);
  EXPECT_ERROR(s[0], "[index] a scalar () has no axis to index.");
  EXPECT_ERROR(ones({2}).item(), "[item] shape (2,) has 2 elements; expected one.");
  EXPECT_ERROR(zeros({0}).item(), "[item] shape (0,) has 0 elements; expected one.");
}

BOOST_AUTO_TEST_CASE(types) {
  Array a = values({1.5, -2.5}, float64);
  BOOST_TEST(a.to(float32).type() == float32);
  BOOST_TEST(numbers(a.to(int64)) == (V{1, -2}));
  BOOST_TEST(a.to(float64).raw() == a.raw());  // no copy
  EXPECT_ERROR(a.data<float>(), "[array] elements are float64, read as float32.");
  EXPECT_ERROR(a.mutable_data<Size>(), "[array] elements are float64, read as int64.");
  BOOST_TEST(arange(1, 1 << 30, 1 << 29).to_vector<Size>()[1] == (1 << 29) + 1);
}

BOOST_AUTO_TEST_CASE(select_and_at) {
  Array a = counting({2, 3, 4});
  BOOST_TEST(a.at({1, 2, 3}) == 23);
  BOOST_TEST(a.at({-1, -3, -4}) == 12);
  BOOST_TEST(a[1].shape() == Shape({3, 4}));
  BOOST_TEST(numbers(a.select(1, -1)) == (V{8, 9, 10, 11, 20, 21, 22, 23}));
  BOOST_TEST(numbers(a.select(-1, 0)) == (V{0, 4, 8, 12, 16, 20}));
  EXPECT_ERROR(a[2], "[index] index 2 is outside axis 0 of shape (2, 3, 4).");
  EXPECT_ERROR(a.select(3, 0), "[index] axis 3 does not exist in shape (2, 3, 4); expected -3 to 2.");
  EXPECT_ERROR(a.at({1}), "[at] 1 indices for shape (2, 3, 4).");
}

BOOST_AUTO_TEST_CASE(slices_as_python) {
  Array a = counting({5});
  auto slice = [&](Size start, Size stop, Size step) { return numbers(a.sliced(0, start, stop, step)); };
  // Every start, stop and step, against the definition of Python's slice.indices.
  for (Size step : {-3, -2, -1, 1, 2, 3})
    for (Size start = -8; start <= 8; ++start)
      for (Size stop = -8; stop <= 8; ++stop) {
        Size low = step > 0 ? 0 : -1, high = step > 0 ? 5 : 4;
        auto clip = [&](Size p) { return std::min(std::max(p < 0 ? p + 5 : p, low), high); };
        V expected;
        for (Size i = clip(start); step > 0 ? i < clip(stop) : i > clip(stop); i += step)
          expected.push_back(static_cast<double>(i));
        BOOST_TEST_INFO("a[" << start << ":" << stop << ":" << step << "]");
        BOOST_TEST(slice(start, stop, step) == expected);
      }
  EXPECT_ERROR(a.sliced(0, 0, 5, 0), "[slice] step is 0 on axis 0 of shape (5,).");
  BOOST_TEST(counting({0, 3}).sliced(0, 0, 5).shape() == Shape({0, 3}));
  BOOST_TEST(counting({0, 3}).sliced(0, 4, 0, -1).shape() == Shape({0, 3}));
}

BOOST_AUTO_TEST_CASE(views_share_memory) {
  Array a = counting({4, 6});
  Array v = a.sliced(1, 1, 6, 2).transposed();
  BOOST_TEST(v.shape() == Shape({3, 4}));
  BOOST_TEST(v.buffer().get() == a.buffer().get());
  auto before = a.version();
  v.fill(-1);
  BOOST_TEST(a.version() > before);
  BOOST_TEST(a.at({2, 3}) == -1);
  BOOST_TEST(a.at({2, 2}) == 14);
  BOOST_TEST(v.copy().version() == v.copy().version());
  BOOST_TEST(v.copy().buffer().get() != a.buffer().get());
}

// Neighbours in the copy lie far apart in what is copied.
BOOST_AUTO_TEST_CASE(copies_and_sums_of_permuted) {
  std::vector<Size> order{0, 1, 2};
  do {
    const Array p = counting({5, 19, 12}).permuted(order);
    for (const Array& v : {p, p.sliced(2, 1, p.shape()[2]), p.flipped(2), p.flipped(0)}) {
      Array c = v.copy(), sum = ones(v.shape(), float64), whole = v.to(int64),
            rest = zeros({v.shape()[2]}, float64);
      kernel::add_into(sum, v);
      kernel::add_into(rest, v);
      std::vector<double> totals(static_cast<std::size_t>(v.shape()[2]));
      bool same = c.is_contiguous();
      for (Size i = 0; i < v.shape()[0]; ++i)
        for (Size j = 0; j < v.shape()[1]; ++j)
          for (Size k = 0; k < v.shape()[2]; ++k) {
            const double x = v.at({i, j, k});
            same &= c.at({i, j, k}) == x && sum.at({i, j, k}) == x + 1 && whole.at({i, j, k}) == x;
            totals[static_cast<std::size_t>(k)] += x;
          }
      BOOST_TEST(same);
      BOOST_TEST(numbers(rest) == totals);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(flip_permute_expand_squeeze) {
  Array a = counting({2, 3});
  BOOST_TEST(numbers(a.flipped(-1)) == (V{2, 1, 0, 5, 4, 3}));
  BOOST_TEST(numbers(a.flipped(0).flipped(1)) == (V{5, 4, 3, 2, 1, 0}));
  BOOST_TEST(numbers(a.permuted({1, 0})) == (V{0, 3, 1, 4, 2, 5}));
  BOOST_TEST(a.expanded(-1).shape() == Shape({2, 3, 1}));
  BOOST_TEST(a.expanded(0).expanded(2).shape() == Shape({1, 2, 1, 3}));
  BOOST_TEST(a.expanded(1).squeezed(1).shape() == Shape({2, 3}));
  BOOST_TEST(a.transposed().expanded(1).squeezed(1).at({2, 1}) == 5);
  BOOST_TEST(zeros({0}).flipped(0).size() == 0);
  EXPECT_ERROR(a.permuted({0, 0}), "[permute] axis 0 is named twice.");
  EXPECT_ERROR(a.permuted({0}), "[permute] 1 axes given for shape (2, 3).");
  EXPECT_ERROR(a.squeezed(0), "[squeeze] axis 0 of shape (2, 3) is not of size 1.");
  EXPECT_ERROR(a.expanded(4), "[expand] position 4 does not exist in shape (2, 3); expected -3 to 2.");
  EXPECT_ERROR(ones({3}).transposed(), "[transpose] shape (3,) has fewer than two axes.");
}

BOOST_AUTO_TEST_CASE(reshape) {
  Array a = counting({2, 3, 4});
  BOOST_TEST(a.reshaped({6, -1}).shape() == Shape({6, 4}));
  BOOST_TEST(a.reshaped({24}).raw() == a.raw());  // contiguous: a view
  BOOST_TEST(a.transposed().reshaped({24}).raw() != a.raw());
  BOOST_TEST(a.transposed().reshaped({24}).at({1}) == 4);
  BOOST_TEST(full({1, 1}, 3).reshaped({}).item() == 3);
  BOOST_TEST(zeros({0, 4}).reshaped({2, -1}).shape() == Shape({2, 0}));
  EXPECT_ERROR(a.reshaped({5, 5}), "[reshape] shape (2, 3, 4) has 24 elements, (5, 5) has 25.");
  EXPECT_ERROR(a.reshaped({-4, -6}), "[reshape] shape (-4, -6) has a negative size; one may be -1.");
  EXPECT_ERROR(a.reshaped({5, -1}), "[reshape] shape (2, 3, 4) has 24 elements, (5, 4) has 20.");
}

BOOST_AUTO_TEST_CASE(broadcasting) {
  Array a = counting({3, 1});
  BOOST_TEST(numbers(a.broadcast_to({3, 2})) == (V{0, 0, 1, 1, 2, 2}));
  BOOST_TEST(a.broadcast_to({2, 3, 4}).at({1, 2, 3}) == 2);
  BOOST_TEST(ones({1}).broadcast_to({0}).size() == 0);
  BOOST_TEST(broadcast_shapes("op", {3, 1}, {1, 4}) == Shape({3, 4}));
  BOOST_TEST(broadcast_shapes("op", {}, {2, 0}) == Shape({2, 0}));
  EXPECT_ERROR(broadcast_shapes("op", {3, 2}, {3}),
               "[op] shapes (3, 2) and (3,) do not broadcast; sizes must be equal or 1, counted from the last axis.");
  EXPECT_ERROR(a.broadcast_to({2}), "[broadcast_to] shape (3, 1) does not broadcast to (2,).");
  EXPECT_ERROR(ones({1, 2}).broadcast_to({2}), "[broadcast_to] shape (1, 2) does not broadcast to (2,).");
}

// Every view knows whether its elements lie behind each other, as its strides say.
BOOST_AUTO_TEST_CASE(contiguous_views) {
  const Array a = zeros({2, 3, 4}), one = zeros({1, 3, 1});
  struct Row {
    const char* name;
    Array view;
    bool contiguous;
  };
  for (const Row& row : std::vector<Row>{{"first", a[1], true},
                                         {"middle", a.select(1, 0), false},
                                         {"last", a.select(2, 0), false},
                                         {"rows", a.sliced(0, 1, 2), true},
                                         {"columns", a.sliced(2, 1, 3), false},
                                         {"column of one", a[0].sliced(0, 0, 1).sliced(1, 1, 3), true},
                                         {"backwards", a.flipped(0), false},
                                         {"backwards, one", one.flipped(0), true},
                                         {"nothing", a.sliced(2, 1, 1), true},
                                         {"permuted", a.permuted({0, 2, 1}), false},
                                         {"permuted ones", one.permuted({2, 1, 0}), true},
                                         {"transposed", a.transposed(), false},
                                         {"and back", a.transposed().transposed(), true},
                                         {"expanded", a.expanded(1), true},
                                         {"squeezed", a.sliced(1, 1, 2).squeezed(1), false},
                                         {"broadcast", one.broadcast_to({2, 3, 4}), false},
                                         {"broadcast to itself", one.broadcast_to({1, 3, 1}), true},
                                         {"reshaped", a.transposed().reshaped({24}), true},
                                         {"moved", a.select(1, 0).moved(4), false},
                                         {"copied", a.transposed().copy(), true},
                                         {"another type", a.transposed().to(float64), true},
                                         {"no elements", Array(), true}}) {
    BOOST_TEST_CONTEXT(row.name) {
      BOOST_TEST(row.view.is_contiguous() == row.contiguous);
      BOOST_TEST(are_contiguous(row.view.shape(), row.view.strides()) == row.contiguous);
      BOOST_TEST(row.view.contiguous().is_contiguous());
    }
  }
}

BOOST_AUTO_TEST_CASE(eight_axes) {
  Shape shape{2, 1, 3, 1, 2, 2, 1, 3};
  Array a = counting(shape);
  BOOST_TEST(a.rank() == 8);
  BOOST_TEST(a.at({1, 0, 2, 0, 1, 1, 0, 2}) == 71);
  Array p = a.permuted({7, 6, 5, 4, 3, 2, 1, 0});
  BOOST_TEST(p.at({2, 0, 1, 1, 0, 2, 0, 1}) == 71);
  BOOST_TEST(identical(p.contiguous().permuted({7, 6, 5, 4, 3, 2, 1, 0}), a));
  BOOST_TEST(a[1][0][2].shape() == Shape({1, 2, 2, 1, 3}));
  BOOST_TEST(a.squeezed(1).squeezed(2).squeezed(-2).shape() == Shape({2, 3, 2, 2, 3}));
  BOOST_TEST(a.sliced(2, -1, -9, -2).size(2) == 2);
  Shape copy = shape, other{1};
  other = copy;
  copy = Shape{5};
  BOOST_TEST(other == shape);
  BOOST_TEST(copy == Shape({5}));
  std::swap(copy, other);
  BOOST_TEST(copy == shape);
  BOOST_TEST(identical(kernel::sum_to(a, {3}), values({828, 852, 876}, float64)));
}

BOOST_AUTO_TEST_CASE(sums_and_copies_of_strided_operands) {
  Array a = counting({3, 4});
  BOOST_TEST(numbers(kernel::sum_to(a, {1, 4})) == (V{12, 15, 18, 21}));
  BOOST_TEST(numbers(kernel::sum_to(a, {3, 1})) == (V{6, 22, 38}));
  BOOST_TEST(numbers(kernel::sum_to(a, {})) == V{66});
  BOOST_TEST(numbers(kernel::sum_to(a.transposed(), {3})) == (V{6, 22, 38}));
  Array target = zeros({4, 3}, float64);
  Array view = target.transposed();
  kernel::add_into(view, a);
  kernel::add_into(view, full({}, 1, float64));
  BOOST_TEST(target.at({3, 2}) == 12);
  Array narrow = zeros({2, 2}, float32);
  narrow.assign(values({1e300, 2}, float64));
  BOOST_TEST(std::isinf(narrow.at({0, 0})));
  BOOST_TEST(narrow.at({1, 1}) == 2);
  EXPECT_ERROR(narrow.assign(ones({3})), "[broadcast_to] shape (3,) does not broadcast to (2, 2).");
}

BOOST_AUTO_TEST_CASE(identity) {
  Array a = values({1, NAN}), b = a.copy();
  BOOST_TEST(identical(a, b));
  BOOST_TEST(!identical(a, a.to(float64)));
  BOOST_TEST(!identical(ones({2, 1}), ones({2})));
  BOOST_TEST(identical(counting({2, 3}).transposed(), counting({2, 3}).transposed().copy()));
  BOOST_TEST(!kernel::all_finite(a));
  BOOST_TEST(kernel::all_finite(zeros({0})));
}

BOOST_AUTO_TEST_CASE(text) {
  BOOST_TEST(values({{1, 2}, {3, 4}}).text().rfind("float32 (2, 2)\n", 0) == 0u);
  BOOST_TEST(full({}, 0.5).text() == "float32 () 0.5");
  BOOST_TEST(indices({1, 2}).text().rfind("int64 (2,) {1, 2}", 0) == 0u);
  BOOST_TEST(zeros({3000}).text().size() < 200u);  // the middle is left out
  BOOST_TEST(!zeros({0, 3}).text().empty());
  BOOST_TEST(Shape({3, 4}).text() == "(3, 4)");
  BOOST_TEST(Shape({3}).text() == "(3,)");
  BOOST_TEST(Shape().text() == "()");
  BOOST_TEST(detail::text_of(0.1) == "0.1");
}

BOOST_AUTO_TEST_CASE(written_to_a_stream) {
  std::ostringstream out;
  out << Shape{2, 3} << ' ' << float64 << ' ' << values({1, 2}) << ' ' << Variable(3.0);
  BOOST_TEST(out.str() == "(2, 3) float64 " + values({1, 2}).text() + " " + Variable(3.0).text());
}

BOOST_AUTO_TEST_SUITE_END()
