// Op table: softmax, log_softmax, logsumexp. Large and infinite numbers are in softmax.cpp.
#include <cmath>

#include <unroll/ops/softmax.hpp>

#include "op_table.hpp"

namespace op_table {
namespace {

double log_sum_exp(const std::vector<double>& x) {
  double sum = 0;
  for (double e : x) sum += std::exp(e);
  return std::log(sum);
}

/// f(x, log of the sum of exponentials along the axis) for each element.
Row normalised(const char* name, const char* variant, Variable (*op)(const Variable&, Size),
               double (*f)(double, double), Index shape, Size axis) {
  Input input = empty_as(real(shape), {0, 3});
  if (shape.size() == 3) input.empty = {2, 0, 3};
  Index nothing_along = shape;
  const Size rank = static_cast<Size>(shape.size());
  nothing_along[static_cast<std::size_t>((axis + rank) % rank)] = 0;
  return {.name = name,
          .variant = variant,
          .f = [=](const Variables& x) { return op(x[0], axis); },
          .reference =
              [=](const NumbersList& x) {
                const Numbers totals = fold(x[0], {axis}, true, log_sum_exp);
                return build(x[0].shape, [&](const Index& i) {
                  return f(x[0].at(i), broadcast_at(totals, i));
                });
              },
          .inputs = {input},
          .also_empty = {{Index(shape.size(), 0)}, {nothing_along}}};
}

double probability(double x, double total) { return std::exp(x - total); }
double log_probability(double x, double total) { return x - total; }

Row log_sum(const char* variant, Index shape, std::vector<Size> axes, bool keepdims, Index empty) {
  return {.name = "logsumexp",
          .variant = variant,
          .f = [=](const Variables& x) {
            return unroll::logsumexp(x[0], {.axes = axes, .keepdims = keepdims});
          },
          .reference =
              [=](const NumbersList& x) { return fold(x[0], axes, keepdims, log_sum_exp); },
          .inputs = {empty_as(real(std::move(shape)), std::move(empty))}};
}

const Rows rows{
    normalised("softmax", "last axis", unroll::softmax, probability, {3, 5}, -1),
    normalised("softmax", "many classes", unroll::softmax, probability, {2, 37}, 1),
    normalised("softmax", "first axis", unroll::softmax, probability, {4, 3}, 0),
    normalised("softmax", "middle axis", unroll::softmax, probability, {2, 4, 3}, -2),
    normalised("log_softmax", "last axis", unroll::log_softmax, log_probability, {3, 5}, -1),
    normalised("log_softmax", "many classes", unroll::log_softmax, log_probability, {2, 37}, 1),
    normalised("log_softmax", "first axis", unroll::log_softmax, log_probability, {4, 3}, 0),
    normalised("log_softmax", "middle axis", unroll::log_softmax, log_probability, {2, 4, 3}, 1),
    log_sum("all axes", {3, 4}, {}, false, {0, 4}),
    log_sum("last axis", {3, 19}, {-1}, false, {3, 0}),
    log_sum("first axis", {3, 4}, {0}, true, {3, 0}),
    log_sum("outer axes", {2, 3, 4}, {0, 2}, false, {0, 3, 4}),
    log_sum("outer axes kept", {2, 3, 4}, {-1, 0}, true, {2, 0, 4}),
};

}  // namespace
}  // namespace op_table
