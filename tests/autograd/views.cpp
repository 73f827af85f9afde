// Gradients of views: overlapping slices, views of views, a whole and its slices together, against a
// plain sum over the elements that each view shows; with and without create_graph.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/generator.hpp>

#include "errors.hpp"
#include "small_ops.hpp"

using namespace unroll;

namespace {

/// A random view of a random axis; the same function is applied to arrays and Variables.
Function<Array(const Array&)> random_view(const Array& a, Generator& g) {
  Size axis = a.rank() ? static_cast<Size>(g.below(static_cast<std::uint64_t>(a.rank()))) : 0;
  Size n = a.rank() ? a.size(axis) : 0;
  switch (a.rank() == 0 ? 3 : g.below(6)) {
    case 0: {
      Size start = static_cast<Size>(g.below(static_cast<std::uint64_t>(n + 1))), step = 1 + static_cast<Size>(g.below(2));
      return [=](const Array& x) { return x.sliced(axis, start, n, step); };
    }
    case 1:
      return [=](const Array& x) { return x.sliced(axis, n, -n - 1, -1 - static_cast<Size>(n > 2)); };
    case 2:
      if (a.rank() < 2) return [](const Array& x) { return x.flipped(0); };
      return [](const Array& x) { return x.transposed(); };
    case 3:
      return [](const Array& x) { return x.expanded(0); };
    case 4:
      if (n == 0) return [](const Array& x) { return x.expanded(-1); };
      return [=](const Array& x) { return x.select(axis, n - 1); };
    default:
      return [](const Array& x) { return x; };  // the whole
  }
}

/// A loss of many random views of a leaf or of a value in the middle, and its gradient by hand.
struct RandomViews {
  Variable loss = zeros({}, float64);
  std::vector<double> expected = std::vector<double>(24, 0);
  std::vector<Variable> shown;
  std::vector<Array> shows;  // which elements of the source each view shows

  RandomViews(const Variable& source, Generator& g) : shown{source} {
    shows.push_back(arange(0, 24, 1, float64).reshaped(source.shape()));
    for (int k = 0; k < 12; ++k) add_view(g);
  }
  void add_view(Generator& g) {
    std::size_t from = g.below(shown.size());
    auto f = random_view(shows[from], g);
    Array place = f(shows[from]);
    Variable v = view("view", shown[from], f);
    Array weights = small::map(place, [&](double) { return g.normal(); });
    std::uint64_t uses = g.below(3);  // 0: it is only viewed again
    for (std::uint64_t u = 0; u < uses; ++u) {
      loss = add(loss, small::sum(small::mul(u ? small::scale(v, 1) : v, weights)));
      std::vector<double> w = weights.to_vector<double>(), p = place.to_vector<double>();
      for (std::size_t i = 0; i < p.size(); ++i) expected[static_cast<std::size_t>(p[i])] += w[i];
    }
    shown.push_back(v);
    shows.push_back(place);
  }
};

bool close(const Variable& a, const std::vector<double>& b, double factor) {
  std::vector<double> x = a.value().to_vector<double>();
  if (x.size() != b.size()) return false;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (std::fabs(x[i] - factor * b[i]) > 1e-12) return false;
  return true;
}

bool same(const Variable& a, const Array& b) { return !a.empty() && identical(a.value(), b); }

}  // namespace

BOOST_AUTO_TEST_SUITE(views_of_values)

BOOST_AUTO_TEST_CASE(random_views) {
  for (std::uint64_t seed = 0; seed < 300; ++seed)
    for (bool middle : {false, true}) {
      Generator g(seed);
      Array at = small::map(zeros({3, 4, 2}, float64), [&](double) { return g.normal(); });
      Tape tape;
      Variable x = tape.watch(at), source = middle ? small::scale(x, 2) : x;
      RandomViews r(source, g);
      if (!r.loss.is_recorded()) continue;
      double factor = middle ? 2 : 1;
      BOOST_TEST_INFO("seed " << seed << (middle ? " middle" : " leaf"));
      BOOST_TEST(close(grad(r.loss, x, {.create_graph = true}), r.expected, factor));
      BOOST_TEST_INFO("seed " << seed << (middle ? " middle" : " leaf"));
      BOOST_TEST(close(grad(r.loss, x, {.retain_graph = true}), r.expected, factor));
      BOOST_TEST_INFO("seed " << seed << (middle ? " middle" : " leaf"));
      BOOST_TEST(close(grad(r.loss, source, {.retain_graph = true}), r.expected, 1));
      // With a view among the targets, and the source.
      std::vector<Variable> both = grad(r.loss, {r.shown[5], x}, {.retain_graph = true});
      BOOST_TEST(both[0].shape() == r.shown[5].shape());
      BOOST_TEST(close(both[1], r.expected, factor));
      Variable composed = grad(r.loss, r.shown[5], {.create_graph = true});
      BOOST_TEST(close(both[0], composed.value().to_vector<double>(), 1));
      tape.backward(r.loss);
      BOOST_TEST(close(x.grad(), r.expected, factor));
    }
}

BOOST_AUTO_TEST_CASE(overlapping_slices) {
  Parameter w("w", values({1, 2, 3, 4, 5}));
  Tape tape;
  Variable a = small::slice(w, 0, 0, 3), b = small::slice(w, 0, 1, 4), c = small::slice(w, 0, 4, -6, -2);
  tape.backward(add(add(small::sum(a), small::sum(small::scale(b, 10))), small::sum(small::scale(c, 100))));
  BOOST_TEST(same(w.grad(), values({101, 11, 111, 10, 100})));
}

BOOST_AUTO_TEST_CASE(rows_of_a_sequence) {
  Tape tape;
  Variable x = tape.watch(ones({4, 2, 3})), y = small::tanh(x);
  Variable loss = small::sum(small::scale(y[1], 2));
  loss = add(loss, small::sum(small::mul(y[-1], y[1])));
  tape.backward(loss, {.retain_graph = true});
  BOOST_TEST(x.grad().value().at({0, 0, 0}) == 0);  // rows that nobody asked for are zeros
  BOOST_TEST(x.grad().value().at({2, 1, 2}) == 0);
  BOOST_TEST(x.grad().value().at({1, 0, 0}) != 0);
  BOOST_TEST(same(grad(loss, x, {.create_graph = true}), x.grad().value()));
}

BOOST_AUTO_TEST_CASE(a_view_that_gets_no_gradient) {
  Parameter w("w", values({1, 2, 3}));
  Tape tape;
  Variable unused = small::slice(w, 0, 0, 2);
  Variable y = small::sum(small::square(w));
  small::tanh(unused);
  tape.backward(y);
  BOOST_TEST(same(w.grad(), values({2, 4, 6})));
}

BOOST_AUTO_TEST_CASE(view_of_a_strided_view) {  // the outer view's gradient lies in no contiguous array
  Parameter w("w", arange(0, 12, 1, float32).reshaped({3, 4}));
  for (bool graph : {false, true}) {
    Tape tape;
    Variable t = small::transpose(w), row = t[1], part = small::slice(row, 0, 0, 2);
    Variable y = add(small::sum(small::mul(part, values({5, 7}))), small::sum(small::mul(t, t)));
    Variable g = grad(y, w, {.create_graph = graph});
    BOOST_TEST(g.value().at({0, 1}) == 2 * 1 + 5);
    BOOST_TEST(g.value().at({1, 1}) == 2 * 5 + 7);
    BOOST_TEST(g.value().at({2, 1}) == 2 * 9);
    BOOST_TEST(g.value().at({2, 3}) == 2 * 11);
  }
}

BOOST_AUTO_TEST_CASE(reshaped_view_of_several) {
  Parameter w("w", arange(0, 6, 1, float32));
  Tape tape;
  std::vector<Variable> parts = views("split", w, [](const Array& a) {
    return std::vector<Series>{{a.sliced(0, 0, 2), 2, 2}, {a.sliced(0, 4, 6)}};
  });
  BOOST_TEST(tape.nodes() == 1);
  Variable y = small::sum(small::mul(parts[0], parts[2]));
  tape.backward(y, {.retain_graph = true});
  BOOST_TEST(same(w.grad(), values({4, 5, 0, 0, 0, 1})));
  BOOST_TEST(same(grad(y, w, {.create_graph = true}), values({4, 5, 0, 0, 0, 1})));
}

BOOST_AUTO_TEST_CASE(second_order_through_views) {
  Tape tape;
  Variable x = tape.watch(values({1, 2, 3}, float64));
  Variable v = small::slice(x, 0, 2, -4, -1);
  Variable y = small::sum(small::mul(small::square(v), small::slice(x, 0, 0, 3)));
  Variable g = grad(y, x, {.create_graph = true});  // y = x2^2 x0 + x1^3 + x0^2 x2
  BOOST_TEST(same(g, values({9 + 2 * 1 * 3, 3 * 4, 2 * 3 * 1 + 1}, float64)));
  BOOST_TEST(same(grad(small::sum(g), x), values({2 * 3 + 2 * 3 + 2 * 1, 6 * 2, 2 * 3 + 2 * 1 + 2 * 1}, float64)));
}

// What a value and a view of it are given may be the same numbers, and counts twice.
BOOST_AUTO_TEST_CASE(one_gradient_for_a_value_and_its_view) {
  auto gradient = [](auto f) {
    Parameter w("w", values({1, 2, 3}));
    Tape tape;
    tape.backward(f(w));
    return w.grad();
  };
  using small::slice;
  using small::sum;
  BOOST_TEST(same(gradient([](auto& w) { return sum(add(w, slice(w, 0, 0, 3))); }), values({2, 2, 2})));
  BOOST_TEST(same(gradient([](auto& w) { return sum(add(slice(w, 0, 0, 3), w)); }), values({2, 2, 2})));
  BOOST_TEST(same(gradient([](auto& w) {
                    Variable part = sum(slice(w, 0, 0, 2)), all = sum(w);
                    return add(part, all);
                  }),
                  values({2, 2, 1})));
  BOOST_TEST(same(gradient([](auto& w) { return sum(add(w, slice(w, 0, 0, 1))); }), values({4, 1, 1})));
  BOOST_TEST(same(gradient([](auto& w) { return sum(add(w, w[0])); }), values({4, 1, 1})));
}

// Also on tapes that keep results, of which there are none.
BOOST_AUTO_TEST_CASE(no_views_at_all) {
  for (TapeOptions options : {TapeOptions{.anomaly = true}, TapeOptions{.keep_values = true}}) {
    Parameter w("w", zeros({0, 3})), v("v", values({0.5, 2}));
    { std::vector<Variable> used(300, full({40}, 7)); }
    Tape tape(options);
    Variable y = small::tanh(v);
    views("nothing", w, [](const Array&) { return std::vector<Series>(); });
    for (int k = 0; k < 12; ++k) y = small::tanh(y);
    tape.backward(small::sum(y));
    BOOST_TEST(!v.grad().empty());
  }
}

BOOST_AUTO_TEST_CASE(views_in_anomaly_and_kept_tapes) {
  for (TapeOptions options : {TapeOptions{.anomaly = true}, TapeOptions{.keep_values = true}}) {
    Parameter w("w", values({1, 2, 3, 4}));
    Tape tape(options);
    Variable a = small::slice(w, 0, 0, 3), b = small::slice(a, 0, 1, 3);
    tape.backward(add(small::sum(small::square(b)), small::sum(a)));
    BOOST_TEST(same(w.grad(), values({1, 5, 7, 0})));
  }
}

BOOST_AUTO_TEST_SUITE_END()
