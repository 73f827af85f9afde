// The checks that the runner makes of every row of the op table; see op_table.hpp.
#include <algorithm>
#include <cmath>
#include <sstream>

#include <unroll/autograd/gradcheck.hpp>

#include "op_run.hpp"

namespace op_table {
namespace {

using unroll::Shape;

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

/// What was found so far, and what is being checked at the moment.
class Checker {
 public:
  explicit Checker(const Row& row) : row(row) {}

  const Row& row;
  Outcome outcome;

  template <class... Parts>
  bool expect(bool condition, const Parts&... parts) {
    ++outcome.checks;
    if (condition) return true;
    std::ostringstream text;
    for (const std::string& where : context_) text << where << ": ";
    (text << ... << parts);
    outcome.complaints.push_back(text.str());
    return false;
  }

  /// Runs f, whose complaints and errors are told with that context.
  template <class F>
  void within(const std::string& where, F&& f) {
    context_.push_back(where);
    try {
      f();
    } catch (const std::exception& error) {
      expect(false, "threw ", error.what());
    }
    context_.pop_back();
  }

  void close(const Array& got, const Index& shape, const std::vector<double>& expected,
             double allowed) {
    if (!expect(got.shape() == Shape(shape), "shape is ", got.shape().text(), ", expected ",
                Shape(shape).text()))
      return;
    const double error = error_between(got.to_vector<double>(), expected);
    expect(error <= allowed, "differs by ", error, ", allowed ", allowed);
  }
  void close(const Arrays& got, const Arrays& expected, double allowed) {
    if (!expect(got.size() == expected.size(), got.size(), " results, not ", expected.size()))
      return;
    for (std::size_t k = 0; k < got.size(); ++k)
      within("result " + std::to_string(k), [&] {
        const Shape& shape = expected[k].shape();
        close(got[k], Index(shape.begin(), shape.end()), expected[k].to_vector<double>(), allowed);
      });
  }

 private:
  std::vector<std::string> context_;
};

void check_value(Checker& c, const Arrays& inputs) {
  const Arrays got = compute(c.row, inputs);
  const NumbersList expected = c.row.reference(numbers_of(inputs));
  if (!c.expect(got.size() == expected.size(), got.size(), " results, not ", expected.size()))
    return;
  for (std::size_t k = 0; k < got.size(); ++k)
    c.within("result " + std::to_string(k), [&] {
      const double allowed = got[k].type() == unroll::int64 ? 0 : 1e-12;
      c.close(got[k], expected[k].shape, expected[k].data, allowed);
    });
}

void check_gradients(Checker& c, const Arrays& inputs, int order) {
  if (c.row.constant) {
    for (const Array& g : gradients(c.row, inputs))
      c.expect(error_between(g.to_vector<double>(), unroll::zeros(g.shape()).to_vector<double>()) ==
                   0,
               "an op without slope gave a gradient");
    return;
  }
  auto f = [&](const Variables& x) -> std::vector<Variable> { return c.row.f(x); };
  const auto report = unroll::gradcheck(f, unroll::CheckInputs(inputs.begin(), inputs.end()),
                                        {.may_be_constant = true, .order = order});
  c.expect(static_cast<bool>(report), report.text());
}

void check_broadcasting(Checker& c) {
  const std::vector<std::pair<Index, Index>> pairs = {
      {{3, 4}, {4}},    {{4}, {3, 4}}, {{3, 1}, {1, 4}},    {{}, {2, 3}},
      {{2, 3}, {}},     {{}, {}},      {{2, 1, 3}, {4, 1}}, {{1, 5}, {2, 1, 1}},
      {{0, 4}, {1, 4}}, {{3, 0}, {1}}, {{2, 19}, {2, 1}},
  };
  for (const auto& [a, b] : pairs) {
    c.within("shapes " + Shape(a).text() + " and " + Shape(b).text(), [&, a = a, b = b] {
      std::uint64_t state = seed_of(c.row);
      const Arrays inputs{make(c.row.inputs[0], a, state), make(c.row.inputs[1], b, state)};
      check_value(c, inputs);
      if (Shape(broadcast(a, b)).count() > 0) check_gradients(c, inputs, 1);
    });
  }
}

void check_empty_inputs(Checker& c, const Arrays& inputs) {
  check_value(c, inputs);
  const Arrays got = gradients(c.row, inputs);
  const NumbersList expected = reference_gradients(c.row, numbers_of(inputs));
  for (std::size_t k = 0; k < got.size(); ++k)
    c.within("gradient of input " + std::to_string(k),
             [&] { c.close(got[k], expected[k].shape, expected[k].data, 1e-7); });
}

void check_empty(Checker& c) {
  std::uint64_t state = seed_of(c.row);
  for (const std::vector<Index>& shapes : c.row.also_empty) {
    std::string where;
    Arrays inputs;
    for (std::size_t k = 0; k < shapes.size(); ++k) {
      inputs.push_back(make(c.row.inputs[k], shapes[k], state));
      where += (k ? " " : "") + Shape(shapes[k]).text();
    }
    c.within(where, [&] { check_empty_inputs(c, inputs); });
  }
  Arrays inputs;
  bool any = false;
  for (const Input& input : c.row.inputs) {
    inputs.push_back(make(input, input.empty, state));
    any = any || inputs.back().size() == 0;
  }
  if (!any) return;
  if (c.row.on_empty == OnEmpty::computes) return check_empty_inputs(c, inputs);
  bool thrown = false;
  try {
    compute(c.row, inputs);
  } catch (const unroll::Error&) {
    thrown = true;
  }
  c.expect(thrown, "did not throw");
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

void check_strided(Checker& c, const Arrays& inputs) {
  const Arrays value = compute(c.row, inputs), gradient = gradients(c.row, inputs);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const std::string name = "input " + std::to_string(k);
    for (const Array& other : laid_out_differently(inputs[k])) {
      c.within(name + " with strides " + other.strides().text(), [&] {
        Arrays changed = inputs;
        changed[k] = other;
        c.close(compute(c.row, changed), value, 1e-13);
        c.close(gradients(c.row, changed), gradient, 1e-13);
      });
    }
    if (inputs[k].rank() == 0 || inputs[k].size() == 0 || c.row.inputs[k].spaced) continue;
    c.within(name + " repeating its first row", [&] {
      Arrays repeated = inputs, copied = inputs;
      repeated[k] = inputs[k].sliced(0, 0, 1).broadcast_to(inputs[k].shape());
      copied[k] = repeated[k].copy();
      c.close(compute(c.row, repeated), compute(c.row, copied), 1e-13);
      c.close(gradients(c.row, repeated), gradients(c.row, copied), 1e-13);
    });
  }
}

void check_float32(Checker& c, const Arrays& inputs) {
  Arrays narrow, wide;
  for (const Array& a : inputs) {
    narrow.push_back(a.type() == unroll::int64 ? a : a.to(unroll::float32));
    wide.push_back(a.type() == unroll::int64 ? a : narrow.back().to(unroll::float64));
  }
  const Arrays y = compute(c.row, narrow), expected = compute(c.row, wide);
  for (std::size_t k = 0; k < y.size(); ++k)
    c.expect(y[k].type() == expected[k].type() || y[k].type() == unroll::float32, "float32 gave ",
             unroll::name_of(y[k].type()));
  c.close(y, expected, c.row.float32);
  c.close(gradients(c.row, narrow), gradients(c.row, wide), 10 * c.row.float32);
}

/// An op that took numbers from the Parameters it was given, not from what stands in their place,
/// would be seen here.
void check_substitution(Checker& c, const Arrays& inputs) {
  c.close(compute_in_place(c.row, inputs), compute(c.row, inputs), 0);
  c.close(gradients_in_place(c.row, inputs), gradients(c.row, inputs), 0);
}

/// An input that changes after it was recorded: an error that says so, or none of the op's business.
void check_change(Checker& c, const Arrays& inputs) {
  const Arrays expected = gradients(c.row, inputs);
  std::uint64_t state = seed_of(c.row) + 1;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Index shape(inputs[k].shape().begin(), inputs[k].shape().end());
    const Array other = make(c.row.inputs[k], shape, state);
    for (bool create_graph : {false, true})
      c.within("input " + std::to_string(k) + (create_graph ? ", create_graph" : ""), [&] {
        try {
          c.close(gradients_after_change(c.row, inputs, k, other, create_graph), expected, 1e-12);
        } catch (const unroll::Error& error) {
          c.expect(std::string(error.what()).find(" was changed after it was recorded; ") !=
                       std::string::npos,
                   "threw ", error.what());
        }
      });
  }
}

/// Lengths around those of SIMD lanes, and NaN at any place: it must come out there and only there.
void check_elementwise(Checker& c) {
  std::uint64_t state = seed_of(c.row);
  for (Size n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67}) {
    c.within("length " + std::to_string(n), [&] {
      Array x = make(c.row.inputs[0], {n}, state);
      check_value(c, {x});
      check_float32(c, {x});
      x.mutable_data<double>()[n / 2] = NAN;
      for (const Array& input : {x, x.to(unroll::float32)}) {
        const auto y = compute(c.row, {input})[0].to_vector<double>();
        for (Size k = 0; k < n; ++k)
          c.expect(std::isnan(y[static_cast<std::size_t>(k)]) == (k == n / 2), "NaN went in at ",
                   n / 2, ", element ", k, " is ", y[static_cast<std::size_t>(k)]);
      }
    });
  }
}

}  // namespace

Outcome check(const Row& row) {
  Checker c(row);
  Arrays inputs;
  c.within("inputs", [&] { inputs = inputs_of(row); });
  c.within("value against the reference", [&] { check_value(c, inputs); });
  c.within("gradients", [&] { check_gradients(c, inputs, row.order); });
  if (row.broadcasts) c.within("broadcasting", [&] { check_broadcasting(c); });
  c.within("empty input", [&] { check_empty(c); });
  c.within("strided input", [&] { check_strided(c, inputs); });
  c.within("float32 against float64", [&] { check_float32(c, inputs); });
  c.within("in the place of Parameters", [&] { check_substitution(c, inputs); });
  c.within("changed after recording", [&] { check_change(c, inputs); });
  if (row.elementwise && !row.constant)
    c.within("element by element", [&] { check_elementwise(c); });
  return c.outcome;
}

}  // namespace op_table
