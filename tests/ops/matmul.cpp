// matmul, dot, outer and einsum against naive sums, in every combination of layouts.
#include "reference.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace {

using namespace reference;

/// NumPy's matmul, one element at a time.
Array naive(Array a, Array b) {
  bool row = a.rank() == 1, column = b.rank() == 1;
  if (row) a = a.expanded(0);
  if (column) b = b.expanded(-1);
  Size inner = a.shape().back();
  Shape batch = broadcast_shapes("test", Shape(a.shape().data(), a.rank() - 2),
                                 Shape(b.shape().data(), b.rank() - 2));
  Shape shape = batch, sa = batch, sb = batch;
  for (Size s : {a.size(-2), b.size(-1)}) shape.push_back(s);
  for (Size s : {a.size(-2), inner}) sa.push_back(s);
  for (Size s : {inner, b.size(-1)}) sb.push_back(s);
  Array x = a.broadcast_to(sa), z = b.broadcast_to(sb);
  Array y = build(shape, [&](const Index& i) {
    Index ia = i, ib = i;
    double sum = 0;
    for (Size k = 0; k < inner; ++k) {
      ia.back() = k;
      ib[ib.size() - 2] = k;
      sum += at(x, ia) * at(z, ib);
    }
    return sum;
  });
  if (row) y = y.squeezed(-2);
  if (column) y = y.squeezed(-1);
  return y;
}

struct Case {
  Shape a, b;
};
const std::vector<Case> kCases = {
    {{3, 4}, {4, 5}},
    {{4}, {4}},
    {{3, 4}, {4}},
    {{4}, {4, 5}},
    {{2, 3, 4}, {2, 4, 5}},
    {{2, 3, 4}, {4, 5}},
    {{3, 4}, {2, 4, 5}},
    {{2, 3, 4}, {4}},
    {{4}, {2, 4, 5}},
    {{1, 3, 4}, {2, 4, 5}},
    {{2, 1, 3, 4}, {3, 4, 2}},
    {{2, 1, 4}, {4, 5}},
    {{3, 2, 4, 1}, {3, 1, 1, 5}},
    {{2, 4, 4}, {2, 4, 1}},
    {{1, 4}, {3, 4, 5}},
    {{2, 3, 1, 4}, {4, 1}},
};

/// The last two axes exchanged in memory only.
Array turned(const Array& x) { return x.rank() < 2 ? x : x.transposed().copy().transposed(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(matmul_ops)

BOOST_AUTO_TEST_CASE(values_of_all_shapes) {
  for (const Case& c : kCases) {
    Array a = numbers(c.a, 1), b = numbers(c.b, 2);
    Array expected = naive(a, b);
    for (const Array& x : {a, turned(a), awkward(a)})
      for (const Array& z : {b, turned(b), awkward(b)})
        BOOST_TEST(close(matmul(Variable(x), Variable(z)), expected),
                   c.a.text() << " x " << c.b.text());
    BOOST_TEST(close(matmul(Variable(a.to(float32)), Variable(b.to(float32))), expected, 1e-5));
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_all_shapes) {
  for (const Case& c : kCases)
    BOOST_TEST(
        gradcheck([](auto& a, auto& b) { return sin(matmul(a, b)); }, {c.a, c.b}, {.order = 2}),
        c.a.text() << " x " << c.b.text());
}

BOOST_AUTO_TEST_CASE(gradients_of_views) {
  BOOST_TEST(gradcheck([](auto& a, auto& b) { return sin(matmul(transpose(a), flip(b, {0}))); },
                       {{4, 3}, {4, 2}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& a, auto& b) {
    // columns and rows of a larger array, whose gradients are written in place
    return sin(matmul(sliced(a, 1, 1, 4), b[1])) +
           matmul(sliced(a, 1, 0, 4, 2), sliced(b[0], 0, 0, 2));
  }, {{3, 4}, {2, 3, 2}}, {.order = 2}));
  // some rows of each matrix of a batch, and every second number of a vector
  BOOST_TEST(
      gradcheck([](auto& a, auto& b) { return sin(matmul(sliced(a, 1, 0, 2), b)) + a[0][2][0]; },
                {{2, 3, 4}, {4, 2}}, {.order = 2}));
  BOOST_TEST(gradcheck(
      [](auto& a, auto& b) {
        return sin(matmul(sliced(a, 0, 0, 6, 2), b)) +
               sin(matmul(transpose(b), sliced(a, 0, 1, 6, 2))) + a[0];
      },
      {{6}, {3, 2}}, {.order = 2}));
  BOOST_TEST(gradcheck([](auto& a) { return matmul(matmul(a, a), transpose(a)); }, {{3, 3}},
                       {.order = 2}));
  BOOST_TEST(gradcheck(
      [](auto& a, auto& b) {
        return matmul(broadcast_to(expand(a, 0), {3, 2, 2}), b);
      },
      {{2, 2}, {3, 2, 2}}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(empty_arrays) {
  auto product = [](const Shape& a, const Shape& b) {
    return matmul(Variable(zeros(a, float64)), Variable(zeros(b, float64)));
  };
  BOOST_TEST(close(product({3, 0}, {0, 5}), zeros({3, 5}, float64)));
  BOOST_TEST(product({0, 4}, {4, 5}).shape() == Shape({0, 5}));
  BOOST_TEST(product({0, 3, 4}, {4, 5}).shape() == Shape({0, 3, 5}));
  BOOST_TEST(product({2, 3, 0}, {0}).shape() == Shape({2, 3}));
  BOOST_TEST(close(product({0}, {0}), zeros({}, float64)));
  Tape tape;
  for (auto [a, b] :
       {std::pair<Shape, Shape>{{3, 0}, {0, 5}}, {{0, 4}, {4, 5}}, {{0, 3, 4}, {4, 5}}}) {
    Variable x = tape.watch(zeros(a)), z = tape.watch(ones(b));
    std::vector<Variable> g = grad(sum(matmul(x, z)), {x, z});
    BOOST_TEST(close(g[0], a.count() ? zeros(a) : Array(a)));
    BOOST_TEST(close(g[1], zeros(b)));
  }
}

BOOST_AUTO_TEST_CASE(mistakes) {
  auto message = [](const Shape& a, const Shape& b, Type type = float32) {
    return error_of([&] { matmul(Variable(zeros(a, type)), Variable(zeros(b, type))); });
  };
  BOOST_TEST(
      message({20, 128}, {64, 512}) ==
      "[matmul] inner sizes differ: a is (20, 128), b is (64, 512); expected b with 128 rows.");
  BOOST_TEST(
      message({20, 128}, {64}) ==
      "[matmul] inner sizes differ: a is (20, 128), b is (64,); expected b with 128 elements.");
  BOOST_TEST(
      message({2, 3, 4}, {3, 4, 5}) ==
      "[matmul] leading sizes differ: a is (2, 3, 4), b is (3, 4, 5); expected them equal or 1.");
  BOOST_TEST(
      message({}, {3, 4}) ==
      "[matmul] a is (), b is (3, 4); expected at least one axis each, multiply scalars with *.");
  BOOST_TEST(message({2, 2}, {2, 2}, int64) ==
             "[matmul] a is int64 (2, 2); expected float32 or float64.");
  BOOST_TEST(error_of([] { dot(Variable(zeros({2})), Variable(zeros({3}))); }) ==
             "[dot] a is (2,), b is (3,); expected two (n,) of one size.");
  BOOST_TEST(error_of([] { outer(Variable(zeros({2, 2})), Variable(zeros({3}))); }) ==
             "[outer] a is (2, 2), b is (3,); expected (m,) and (n,).");
}

BOOST_AUTO_TEST_CASE(vectors) {
  Array a = numbers({4}, 1), b = numbers({4}, 2);
  BOOST_TEST(close(dot(Variable(a), Variable(awkward(b))), naive(a, b)));
  BOOST_TEST(close(outer(Variable(a), Variable(b)), build({4, 4}, [&](const Index& i) {
    return at(a, {i[0]}) * at(b, {i[1]});
  })));
  BOOST_TEST(gradcheck([](auto& x, auto& y) { return dot(x, y) * outer(x, y); }, {{3}, {3}},
                       {.order = 2}));
}

BOOST_AUTO_TEST_CASE(named_axes) {
  Size sizes[] = {2, 3, 4, 2, 3};  // of a, b, c, d, e
  for (std::string text : {"ab,bc->ac", "ab,cb->ca", "abc,dc->abd", "abc,adc->abd", "abc,adc->ac",
                           "ab,ab->", "ab,ab->ab", "a,b->ba", "abc->cab", "abc->b", "abc,abd->cd",
                           "ab,bc,cd->ad", "ab,b,bc->c", "ab,cd->dbca", "abc,bcd->ad", "ab,bc",
                           "ba", "abc,abc,abc->a", "abcd,e->bde", "a,a,a->a", "ad,dbc -> abc"}) {
    std::string left = text.substr(0, text.find("->")), result;
    if (text.find("->") != text.npos) result = text.substr(text.find("->") + 2);
    else result = text == "ab,bc" ? "ac" : "ab";
    std::erase(left, ' ');
    std::erase(result, ' ');
    Variables factors;
    std::vector<std::string> axes{""};
    for (char c : left) {
      if (c == ',') axes.emplace_back();
      else axes.back() += c;
    }
    std::string summed;
    CheckInputs inputs;
    for (const std::string& f : axes) {
      Shape shape;
      for (char c : f) {
        shape.push_back(sizes[c - 'a']);
        if (result.find(c) == result.npos && summed.find(c) == summed.npos) summed += c;
      }
      factors.push_back(awkward(numbers(shape, 1 + inputs.size())));
      inputs.push_back(shape);
    }
    Shape outer, inner;
    for (char c : result) outer.push_back(sizes[c - 'a']);
    for (char c : summed) inner.push_back(sizes[c - 'a']);
    Array expected = build(outer, [&](const Index& o) {
      double sum = 0;
      build(inner, [&](const Index& i) {
        double product = 1;
        for (std::size_t f = 0; f < axes.size(); ++f) {
          Index place;
          for (char c : axes[f])
            place.push_back(result.find(c) != result.npos ? o[result.find(c)] : i[summed.find(c)]);
          product *= at(factors[f].value(), place);
        }
        sum += product;
        return 0.0;
      });
      return sum;
    });
    BOOST_TEST(close(einsum(text, factors), expected), text);
    if (axes.size() == 1)
      BOOST_TEST(gradcheck([&](auto& a) { return sin(einsum(text, {a})); }, inputs, {.order = 2}),
                 text);
    if (axes.size() == 2)
      BOOST_TEST(gradcheck([&](auto& a, auto& b) { return sin(einsum(text, {a, b})); }, inputs,
                           {.order = 2}), text);
    if (axes.size() == 3)
      BOOST_TEST(gradcheck(
                     [&](auto& a, auto& b, auto& c) {
                       return einsum(text, {a, b, c});
                     },
                     inputs, {.order = 2}),
                 text);
  }
}

BOOST_AUTO_TEST_CASE(mistakes_in_equations) {
  Variable a(zeros({2, 3})), b(zeros({4, 5}));
  auto message = [](const char* text, const Variables& factors) {
    return error_of([&] { einsum(text, factors); });
  };
  BOOST_TEST(message("ij,jk->ik", {a, b}) ==
             "[einsum] \"ij,jk->ik\" has size 3 along j; factor 1 is (4, 5).");
  BOOST_TEST(message("ij,jk->ik", {a}) == "[einsum] \"ij,jk->ik\" has 2 factors; 1 are given.");
  BOOST_TEST(message("ijk->i", {a}) ==
             "[einsum] \"ijk->i\" gives factor 0 3 axes; its shape is (2, 3).");
  BOOST_TEST(message("ii->i", {a}) == "[einsum] \"ii->i\" names axis i twice; use diagonal first.");
  BOOST_TEST(message("ij->k", {a}) == "[einsum] \"ij->k\" has k in the result; no factor has it.");
  BOOST_TEST(
      message("i...->i", {a}) ==
      "[einsum] \"i...->i\" has an unexpected '.'; expected letters, commas and one \"->\".");
}

// Nothing is multiplied, and the gradient of what there is is 0, not what was in the memory.
BOOST_AUTO_TEST_CASE(gradients_of_empty_products) {
  for (Size b : {0, 1, 2})
    for (Size m : {0, 1, 2})
      for (Size k : {0, 1, 2})
        for (Size n : {0, 1, 2}) BOOST_TEST_CONTEXT(b << " x " << m << " x " << k << " x " << n) {
            const Array ones_x = ones({b, m, k}), ones_w = ones({k, n});
            full(ones_w.shape(), 7), full(ones_x.shape(), 7);  // freed at once, and taken next
            Tape tape;
            const Variable x = tape.watch(ones_x), w = tape.watch(ones_w);
            const std::vector<Variable> g = grad(sum(matmul(x, w)), {x, w});
            BOOST_TEST(identical(g[0].value(), full(ones_x.shape(), static_cast<double>(n))));
            BOOST_TEST(identical(g[1].value(), full(ones_w.shape(), static_cast<double>(b * m))));
          }
}

BOOST_AUTO_TEST_SUITE_END()
