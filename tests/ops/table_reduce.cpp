// Rows of the op table for reduce.hpp.
#include <algorithm>
#include <cmath>

#include <unroll/ops/reduce.hpp>

#include "op_table.hpp"

namespace {

using namespace op_table;
using Group = std::vector<double>;
using Folded = double (*)(const Group&);

double sum_of(const Group& x) {
  double s = 0;
  for (double element : x) s += element;
  return s;
}
double product_of(const Group& x) {
  double p = 1;
  for (double element : x) p *= element;
  return p;
}
double mean_of(const Group& x) { return sum_of(x) / static_cast<double>(x.size()); }
double largest_of(const Group& x) { return *std::max_element(x.begin(), x.end()); }
double smallest_of(const Group& x) { return *std::min_element(x.begin(), x.end()); }

/// sum (x - mean)^2 / (n - correction)
double variance_of(const Group& x, double correction) {
  double s = 0, m = mean_of(x);
  for (double element : x) s += (element - m) * (element - m);
  return s / (static_cast<double>(x.size()) - correction);
}
double norm_of(const Group& x, double p) {
  double s = 0;
  for (double element : x)
    s = std::isinf(p) ? std::max(s, std::fabs(element)) : s + std::pow(std::fabs(element), p);
  return std::isinf(p) ? s : std::pow(s, 1 / p);
}

using Reducer = Variable (*)(const Variable&, const unroll::Reduce&);

/// All, one and several axes, kept or not, of a reduction.
std::vector<Row> reductions(const char* name, Reducer f, Folded reference, Input input,
                            OnEmpty on_empty = OnEmpty::computes) {
  std::vector<Row> rows;
  const std::vector<std::pair<Index, bool>> ways = {{{}, false},    {{}, true},    {{0}, false},
                                                    {{1}, true},    {{-1}, false}, {{0, 2}, false},
                                                    {{-1, 0}, true}};
  for (const auto& [axes, keepdims] : ways) {
    Row row;
    row.name = name;
    row.variant = "over";
    for (Size axis : axes) row.variant += " " + std::to_string(axis);
    if (axes.empty()) row.variant += " all";
    if (keepdims) row.variant += " keepdims";
    row.f = [f, axes = axes, keepdims = keepdims](auto& x) { return f(x[0], {axes, keepdims}); };
    row.reference = [reference, axes = axes, keepdims = keepdims](auto& x) {
      return fold(x[0], axes, keepdims, reference);
    };
    // Nothing along axis 0: rows over other axes alone then have an empty result.
    row.inputs = {empty_as(input, {0, 3, 2})};
    const bool over_nothing = axes.empty() || std::count(axes.begin(), axes.end(), 0) > 0;
    row.on_empty = over_nothing ? on_empty : OnEmpty::computes;
    rows.push_back(row);
  }
  return rows;
}

const Rows sums{reductions("sum", unroll::sum, sum_of, real({2, 3, 4}))};
const Rows means{reductions("mean", unroll::mean, mean_of, real({2, 3, 4}), OnEmpty::throws)};
const Rows products{reductions("prod", unroll::prod, product_of, real({2, 2, 3}, 0.5, 1.5))};
const Rows largest{reductions("max", unroll::max, largest_of, spaced({2, 3, 4}), OnEmpty::throws)};
const Rows smallest{
    reductions("min", unroll::min, smallest_of, spaced({2, 3, 4}), OnEmpty::throws)};
const Rows shared_largest{
    reductions("amax", unroll::amax, largest_of, spaced({2, 3, 4}), OnEmpty::throws)};
const Rows shared_smallest{
    reductions("amin", unroll::amin, smallest_of, spaced({2, 3, 4}), OnEmpty::throws)};

Row variance_row(const char* name, bool root, double correction, Index axes) {
  Row row;
  row.name = name;
  row.variant = "correction " + std::to_string(static_cast<int>(correction)) +
                (axes.empty() ? " all" : " axis " + std::to_string(axes[0]));
  const unroll::VarianceOptions options{.axes = axes, .correction = correction};
  row.f = [root, options](auto& x) {
    return root ? standard_deviation(x[0], options) : variance(x[0], options);
  };
  row.reference = [root, correction, axes](auto& x) {
    return fold(x[0], axes, false, [&](const Group& g) {
      return root ? std::sqrt(variance_of(g, correction)) : variance_of(g, correction);
    });
  };
  row.inputs = {empty_as(real({3, 4}), {0, 4})};
  row.on_empty = OnEmpty::throws;
  if (axes == Index{-1}) row.on_empty = OnEmpty::computes;  // four elements in each of no rows
  return row;
}

Row norm_row(double p, Index axes) {
  Row row;
  row.name = "norm";
  row.variant = "p " + std::to_string(p) + (axes.empty() ? "" : " axis " + std::to_string(axes[0]));
  row.f = [=](auto& x) { return norm(x[0], {.axes = axes, .p = p}); };
  row.reference = [=](auto& x) {
    return fold(x[0], axes, false, [p](const Group& g) { return norm_of(g, p); });
  };
  row.inputs = {empty_as(spaced({3, 4}), {0, 4})};
  row.inputs[0].spaced = std::isinf(p);
  row.inputs[0].away_from = {0};
  return row;
}

/// Position of the best element along an axis of (3, 4, 2).
Row position_row(const char* name, Variable (*f)(const Variable&, Size), Size axis, bool greatest) {
  Row row;
  row.name = name;
  row.variant = "axis " + std::to_string(axis);
  row.f = [=](auto& x) { return f(x[0], axis); };
  row.reference = [=](auto& x) {
    return fold(x[0], {axis}, false, [=](const Group& g) {
      const auto best =
          greatest ? std::max_element(g.begin(), g.end()) : std::min_element(g.begin(), g.end());
      return static_cast<double>(best - g.begin());
    });
  };
  row.inputs = {empty_as(spaced({3, 4, 2}), {3, 4, 0})};
  if (axis == -1) row.on_empty = OnEmpty::throws;
  row.constant = true;
  return row;
}

const Rows moments{
    variance_row("variance", false, 0, {}),
    variance_row("variance", false, 1, {0}),
    variance_row("variance", false, 1, {-1}),
    variance_row("standard_deviation", true, 0, {}),
    variance_row("standard_deviation", true, 1, {-1}),
};
const Rows norms{norm_row(1, {}),  norm_row(2, {}),   norm_row(2, {-1}),
                 norm_row(3, {0}), norm_row(2.5, {}), norm_row(INFINITY, {-1})};
const Rows positions{position_row("argmax", unroll::argmax, 1, true),
                     position_row("argmax", unroll::argmax, -1, true),
                     position_row("argmin", unroll::argmin, 0, false),
                     position_row("argmin", unroll::argmin, -1, false)};

/// Something of a whole line along an axis of (3, 4, 2), in x's shape.
Row line_row(const char* name, Variable (*f)(const Variable&, Size), Size axis,
             double (*reference)(const Group&, std::size_t)) {
  Row row;
  row.name = name;
  row.variant = "axis " + std::to_string(axis);
  row.f = [=](auto& x) { return f(x[0], axis); };
  row.reference = [=](auto& x) {
    const Numbers& in = x[0];
    const std::size_t k = static_cast<std::size_t>(axis < 0 ? axis + 3 : axis);
    return build(in.shape, [&](const Index& i) {
      Group line;
      for (Index j = i; line.size() < static_cast<std::size_t>(in.shape[k]);) {
        j[k] = static_cast<Size>(line.size());
        line.push_back(in.at(j));
      }
      return reference(line, static_cast<std::size_t>(i[k]));
    });
  };
  row.inputs = {real({3, 4, 2})};
  return row;
}

Group first_of(const Group& x, std::size_t n) {
  return {x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n)};
}
double running_sum(const Group& x, std::size_t i) { return sum_of(first_of(x, i + 1)); }
double running_product(const Group& x, std::size_t i) { return product_of(first_of(x, i + 1)); }

std::vector<Row> lines(const char* name, Variable (*f)(const Variable&, Size),
                       double (*reference)(const Group&, std::size_t)) {
  return {line_row(name, f, 0, reference), line_row(name, f, 1, reference),
          line_row(name, f, -1, reference)};
}

const Rows running_sums{lines("cumsum", unroll::cumsum, running_sum)};
const Rows running_products{lines("cumprod", unroll::cumprod, running_product)};

}  // namespace
