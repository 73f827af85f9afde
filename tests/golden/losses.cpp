// Golden group `losses`: every loss with its reductions, weights and special targets. The kind is
// the first part of a case's name, everything else is in the metadata.
#include "run.hpp"

#include <unroll/ops/loss.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

namespace golden {
namespace {

using namespace unroll;

Reduction reduction_of(const Run& run) {
  const Json said = run.c.says("reduction", "mean");
  if (said == "mean" || said == "batchmean") return Reduction::mean;
  if (said == "sum") return Reduction::sum;
  if (said == "none") return Reduction::none;
  throw Unknown("reduction " + said.dump());
}

Size ignore_index_of(const Run& run) {
  const Json said = run.c.says("ignore_index", "none");
  return said.is_number() ? said.get<Size>() : -100;
}

Variable class_weights_of(const Run& run) {
  if (!run.has("class_weights")) return {};
  return run.constant("in.class_weights");
}

/// (N, C, ...) with the classes moved to the end, where this library has them.
Variable classes_last(const Variable& x) {
  std::vector<Size> axes{0};
  for (Size axis = 2; axis < x.rank(); ++axis) axes.push_back(axis);
  if (x.rank() > 1) axes.push_back(1);
  return x.rank() > 2 ? permute(x, axes) : x;
}

Variable run_cross_entropy(Run& run) {
  const Variable targets =
      run.has("targets") ? run.in("targets") : classes_last(run.constant("in.target_probs"));
  return cross_entropy(classes_last(run.in("logits")), targets,
                       {.ignore_index = ignore_index_of(run),
                        .label_smoothing = run.c.says("label_smoothing", 0.0),
                        .reduction = reduction_of(run),
                        .weights = class_weights_of(run)});
}

Variable run_nll(Run& run) {
  return nll_loss(classes_last(run.in("log_probs")), run.in("targets"),
                  {.ignore_index = ignore_index_of(run),
                   .reduction = reduction_of(run),
                   .weights = class_weights_of(run)});
}

Variable run_mse(Run& run) {
  return mean_squared_error(run.in("x"), run.in("target"), {.reduction = reduction_of(run)});
}

Variable run_l1(Run& run) {
  return mean_absolute_error(run.in("x"), run.in("target"), {.reduction = reduction_of(run)});
}

Variable run_huber(Run& run) {
  return huber_loss(run.in("x"), run.in("target"),
                    {.delta = run.c.says("delta", 1.0), .reduction = reduction_of(run)});
}

Variable run_smooth_l1(Run& run) {
  const Json beta = run.c.says("beta", run.c.says("delta", 1.0));
  return smooth_l1_loss(run.in("x"), run.in("target"),
                        {.beta = beta, .reduction = reduction_of(run)});
}

Variable run_bce(Run& run) {
  auto factor = [&](const char* name) {
    return run.has(name) ? Variable(run.constant(std::string("in.") + name)) : Variable();
  };
  return binary_cross_entropy_with_logits(run.in("logits"), run.in("target"),
                                          {.pos_weight = factor("pos_weight"),
                                           .reduction = reduction_of(run),
                                           .weight = factor("weight")});
}

Variable run_kl(Run& run) {
  return kl_divergence(run.in("input"), run.in("target"),
                       {.batch_mean = run.c.says("reduction") == "batchmean",
                        .log_target = run.c.says("log_target", false),
                        .reduction = reduction_of(run)});
}

Variable run_ctc(Run& run) {
  return ctc_loss(log_softmax(run.in("logits")), run.in("targets"), run.sizes("input_lengths"),
                  run.sizes("target_lengths"),
                  {.blank = run.c.says("blank", 0),
                   .reduction = reduction_of(run),
                   .zero_infinity = run.c.says("zero_infinity", false)});
}

struct Kind {
  const char* name;
  Variable (*compute)(Run&);
};
constexpr Kind kKinds[] = {
    {"cross_entropy", run_cross_entropy},
    {"nll", run_nll},
    {"mse", run_mse},
    {"l1", run_l1},
    {"huber", run_huber},
    {"smooth_l1", run_smooth_l1},
    {"bce_with_logits", run_bce},
    {"kl_div", run_kl},
    {"ctc", run_ctc},
};

void run_losses(Run& run) {
  for (const Kind& kind : kKinds) {
    if (!(run.c.name + "_").starts_with(std::string(kind.name) + "_")) continue;
    run.differentiate([&] { run.out("loss", kind.compute(run)); });
    return;
  }
  throw Unknown("a loss of another name");
}

const Handler handler{"losses", run_losses};

}  // namespace
}  // namespace golden
