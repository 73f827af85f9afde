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

/// Predictions and targets of one shape, 0 where padded.
struct Compared {
  RealElements real;
  Variable x, y;

  template <class Options>
  Compared(const char* op, const Variable& x, const Variable& y, const Options& options)
      : real(op, checked_shape(op, x, y), options.lengths, options.mask),
        x(real.cleared(x)), y(real.cleared(y)) {}

  // Broadcasting (B, 1) against (B,) would compare everything with everything, in silence.
  static const Shape& checked_shape(const char* op, const Variable& x, const Variable& y) {
    if (x.shape() != y.shape())
      fail(op, "shapes differ: ", x.shape(), " and ", y.shape(),
           "; expected equal ones, reshape one.");
    return x.shape();
  }
};

}  // namespace

// -w_y log p_y as a row of p times coefficients, which are 0 for ignored rows.
Variable nll_loss(const Variable& log_probabilities, const Variable& targets,
                  const NllOptions& options) {
  Op op("nll_loss", log_probabilities, targets);
  ClassTargets classes("nll_loss", op[0].shape(), op[1], options);
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
  if (options.reduction == Reduction::none) return losses;
  return options.reduction == Reduction::sum ? sum(losses) : sum(losses) / classes.total();
}

Variable mean_squared_error(const Variable& x, const Variable& y, const LossOptions& options) {
  Compared p("mean_squared_error", x, y, options);
  return reduced(square(p.x - p.y), options.reduction, p.real);
}

Variable mean_absolute_error(const Variable& x, const Variable& y, const LossOptions& options) {
  Compared p("mean_absolute_error", x, y, options);
  return reduced(abs(p.x - p.y), options.reduction, p.real);
}

Variable huber_loss(const Variable& x, const Variable& y, const HuberOptions& options) {
  Compared p("huber_loss", x, y, options);
  double delta = options.delta;
  if (!(delta > 0)) fail("huber_loss", "delta is ", delta, "; expected a positive number.");
  Variable d = p.x - p.y, a = abs(d);
  Variable losses = where(a < delta, 0.5 * square(d), delta * (a - 0.5 * delta));
  return reduced(losses, options.reduction, p.real);
}

Variable smooth_l1_loss(const Variable& x, const Variable& y, const SmoothL1Options& options) {
  Compared p("smooth_l1_loss", x, y, options);
  double beta = options.beta;
  if (!(beta >= 0)) fail("smooth_l1_loss", "beta is ", beta, "; expected 0 or a positive number.");
  Variable d = p.x - p.y, a = abs(d);
  if (beta == 0) return reduced(a, options.reduction, p.real);
  Variable losses = where(a < beta, square(d) * (0.5 / beta), a - 0.5 * beta);
  return reduced(losses, options.reduction, p.real);
}

// -log sigmoid(x) = softplus(-x): both terms are positive, so that nothing cancels.
Variable binary_cross_entropy_with_logits(const Variable& x, const Variable& y,
                                          const BinaryCrossEntropyOptions& options) {
  Compared p("binary_cross_entropy_with_logits", x, y, options);
  Variable positive = p.y * softplus(-p.x);
  if (!options.pos_weight.empty()) positive = positive * options.pos_weight.value().to(x.type());
  Variable losses = positive + (1 - p.y) * softplus(p.x);
  if (!options.weight.empty()) losses = losses * options.weight.value().to(x.type());
  if (losses.shape() != x.shape())
    fail("binary_cross_entropy_with_logits", "logits are ", x.shape(), ", weights broadcast to ",
         losses.shape(), "; expected weights that broadcast to ", x.shape(), ".");
  return reduced(losses, options.reduction, p.real);
}

Variable kl_divergence(const Variable& log_input, const Variable& target,
                       const KlDivergenceOptions& options) {
  Compared p("kl_divergence", log_input, target, options);
  Variable losses;
  if (options.log_target) {
    losses = exp(p.y) * (p.y - p.x);
  } else {
    Variable none = equals(p.y, 0);  // t log t is 0 there, and the logarithm stays out of sight
    losses = p.y * (log(masked_fill(p.y, none, 1)) - p.x);
    losses = masked_fill(losses, none, 0);
  }
  if (!options.batch_mean || options.reduction != Reduction::mean)
    return reduced(losses, options.reduction, p.real);
  if (log_input.rank() == 0)
    fail("kl_divergence", "a scalar () has no batch; expected (B, ...), or batch_mean = false.");
  return reduced(losses, Reduction::sum, p.real) / static_cast<double>(log_input.size(0));
}

}  // namespace unroll
