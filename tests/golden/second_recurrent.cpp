// Golden group `second`, recurrent layers: Hessian-vector products, a whole Hessian, and gradients
// of gradient penalties.
#include "recurrent.hpp"
#include "second.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace golden {

using namespace unroll;

namespace {

/// 0.5 sum((y - target)^2) + sum(hn weighting.hn) [+ sum(cn weighting.cn)]
Variable loss_of(Run& run) {
  const RecurrentResult result = run_recurrent(run);
  give(run, result);
  Variable loss = 0.5 * sum(square(result.y - run.constant("in.target"))) +
                  sum(result.hn * run.constant("in.weighting.hn"));
  if (!result.cn.empty()) loss = loss + sum(result.cn * run.constant("in.weighting.cn"));
  run.compare("out.loss", loss, Kind::output);
  return loss;
}

/// The mean over the batch of (|slope_b| - 1)^2, or the sum of squares of slope (T, B, D).
Variable penalty_of(const Run& run, const Variable& slope) {
  if (!run.c.name.starts_with("wgan")) return sum(square(slope));
  return mean(square(norm(slope, {.axes = {0, 2}}) - 1));
}

void run_penalty(Run& run) {
  for (bool create_graph : {false, true}) {
    Tape tape;
    run.begin(tape);
    const Variable loss = loss_of(run);
    const Variable slope = grad(loss, run.in("x"), {.create_graph = true});
    if (run.c.has("out.dloss_dx")) run.compare("out.dloss_dx", slope, Kind::gradient);
    const Variable penalty = penalty_of(run, slope);
    run.compare("out.penalty", penalty, Kind::gradient);
    run.compare_gradients(tape, penalty, create_graph, Kind::second_order);
  }
}

void run_hessian_product(Run& run) {
  for (bool create_graph : {false, true}) {
    Tape tape;
    run.begin(tape);
    run.compare_gradients(tape, loss_of(run), create_graph);
  }
  Tape tape;
  run.begin(tape);
  compare_hessian_product(run, loss_of(run));
}

void run_hessian(Run& run) {
  Tape tape;
  run.begin(tape);
  const Variable loss = loss_of(run);
  Variables leaves, flat;
  for (const char* name : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"})
    leaves.push_back(run.parameter(name));
  for (const Variable& g : grad(loss, leaves, {.create_graph = true}))
    flat.push_back(reshape(g, {-1}));
  const Variable gradient = concat(flat, 0);
  run.compare("out.gradient", gradient, Kind::gradient);
  Variables rows;
  for (Size k = 0; k < gradient.size(); ++k) {
    Variables row;
    for (const Variable& g : grad(gradient[k], leaves, {.retain_graph = true}))
      row.push_back(reshape(g, {-1}));
    rows.push_back(concat(row, 0));
  }
  run.compare("out.hessian", stack_along(rows, 0), Kind::second_order);
}

}  // namespace

void run_second_recurrent(Run& run) {
  if (run.c.has("out.hessian")) return run_hessian(run);
  if (run.c.has("out.penalty")) return run_penalty(run);
  if (!run.c.names("out.hvp.").empty()) return run_hessian_product(run);
  throw Unknown("a second-order case of another form");
}

}  // namespace golden
