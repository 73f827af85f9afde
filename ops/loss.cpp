// Losses that are composed of public ops, and so have gradients of any order. cross_entropy and
// ctc_loss have kernels and files of their own.
#include <unroll/ops/loss.hpp>

#include <unroll/ops/class_targets.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

// Broadcasting (B, 1) against (B,) would compare everything with everything, in silence.
void check_same(const char* op, const Variable& x, const Variable& y) {
  if (x.shape() != y.shape())
    fail(op, "shapes differ: ", x.shape(), " and ", y.shape(),
         "; expected equal ones, reshape one.");
}

}  // namespace

// -w_y log p_y as a row of p times coefficients, which are 0 for ignored rows.
Variable nll_loss(const Variable& log_probabilities, const Variable& targets,
                  const NllOptions& options) {
  Op op("nll_loss", log_probabilities, targets);
  ClassTargets classes("nll_loss", op[0].shape(), op[1], options.ignore_index, options.weights);
  Array at(op[1].shape(), int64), factor(op[1].shape(), float64), ignored(op[1].shape(), int64);
  for (Size r = 0; r < classes.count(); ++r) {
    Size y = classes[r];
    bool counts = y != ClassTargets::kIgnored;
    at.mutable_data<Size>()[r] = counts ? y : 0;
    factor.mutable_data<double>()[r] = counts ? -classes.weight(y) : 0;
    ignored.mutable_data<Size>()[r] = !counts;
  }
  Variable p = squeeze(gather(op.input(0), -1, expand(at, -1)), -1);
  Variable losses = masked_fill(p, ignored, 0) * factor.to(op.type());
  if (options.reduction != Reduction::mean) return reduced(losses, options.reduction);
  return sum(losses) / classes.total();
}

Variable mean_squared_error(const Variable& x, const Variable& y, const LossOptions& options) {
  check_same("mean_squared_error", x, y);
  return reduced(square(x - y), options.reduction);
}

Variable mean_absolute_error(const Variable& x, const Variable& y, const LossOptions& options) {
  check_same("mean_absolute_error", x, y);
  return reduced(abs(x - y), options.reduction);
}

Variable huber_loss(const Variable& x, const Variable& y, const HuberOptions& options) {
  check_same("huber_loss", x, y);
  double delta = options.delta;
  if (!(delta > 0)) fail("huber_loss", "delta is ", delta, "; expected a positive number.");
  Variable d = x - y, a = abs(d);
  return reduced(where(a < delta, 0.5 * square(d), delta * (a - 0.5 * delta)), options.reduction);
}

Variable smooth_l1_loss(const Variable& x, const Variable& y, const SmoothL1Options& options) {
  check_same("smooth_l1_loss", x, y);
  double beta = options.beta;
  if (!(beta >= 0)) fail("smooth_l1_loss", "beta is ", beta, "; expected 0 or a positive number.");
  Variable d = x - y, a = abs(d);
  if (beta == 0) return reduced(a, options.reduction);
  return reduced(where(a < beta, square(d) * (0.5 / beta), a - 0.5 * beta), options.reduction);
}

// -log sigmoid(x) = softplus(-x): both terms are positive, so that nothing cancels.
Variable binary_cross_entropy_with_logits(const Variable& x, const Variable& y,
                                          const BinaryCrossEntropyOptions& options) {
  check_same("binary_cross_entropy_with_logits", x, y);
  Variable positive = y * softplus(-x);
  if (!options.pos_weight.empty()) positive = positive * options.pos_weight.value().to(x.type());
  Variable losses = positive + (1 - y) * softplus(x);
  if (!options.weight.empty()) losses = losses * options.weight.value().to(x.type());
  if (losses.shape() != x.shape())
    fail("binary_cross_entropy_with_logits", "logits are ", x.shape(), ", weights broadcast to ",
         losses.shape(), "; expected weights that broadcast to ", x.shape(), ".");
  return reduced(losses, options.reduction);
}

Variable kl_divergence(const Variable& log_input, const Variable& target,
                       const KlDivergenceOptions& options) {
  check_same("kl_divergence", log_input, target);
  Variable losses;
  if (options.log_target) {
    losses = exp(target) * (target - log_input);
  } else {
    Variable none = equals(target, 0);  // t log t is 0 there, and the logarithm stays out of sight
    losses = target * (log(masked_fill(target, none, 1)) - log_input);
    losses = masked_fill(losses, none, 0);
  }
  if (!options.batch_mean || options.reduction != Reduction::mean)
    return reduced(losses, options.reduction);
  if (log_input.rank() == 0)
    fail("kl_divergence", "a scalar () has no batch; expected (B, ...), or batch_mean = false.");
  return sum(losses) / static_cast<double>(log_input.size(0));
}

}  // namespace unroll
