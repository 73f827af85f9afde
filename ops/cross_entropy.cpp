// cross_entropy as one node: the probabilities are never stored, the gradient is written straight
// where the logits' gradient is summed. Targets that are probabilities are composed of public ops.
#include <algorithm>

#include <unroll/ops/class_targets.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/row_kernels.hpp>
#include <unroll/ops/softmax.hpp>

namespace unroll {

namespace {

/// One call, without its logits x; it is the gradient function too. The loss of a row of class y is
/// sum_c q_c (log sum exp(x) - x_c), with q_c = (1-s) w_y [c = y] + s/V w_c.
struct CrossEntropy {
  ClassTargets targets;
  double smoothing;      ///< s
  double smoothing_sum;  ///< s/V sum_c w_c
  Reduction reduction;
  double scale;      ///< 1, or for a mean 1 over the sum of the counted weights
  Array log_totals;  ///< log sum exp(x) of each row

  double at_target(Size y) const { return (1 - smoothing) * targets.weight(y); }
  double elsewhere(Size c) const {
    return smoothing / static_cast<double>(targets.classes) * targets.weight(c);
  }
  double total(Size y) const { return at_target(y) + smoothing_sum; }

  template <class T>
  double row_loss(const T* x, Size y, double log_total) const {
    double loss = at_target(y) * (log_total - static_cast<double>(x[y]));
    if (smoothing == 0) return loss;  // a class of probability 0 has an infinite loss
    for (Size c = 0; c < targets.classes; ++c)
      loss += elsewhere(c) * (log_total - static_cast<double>(x[c]));
    return loss;
  }

  // dx_c = factor (p_c sum(q) - q_c)
  template <class T>
  void row_gradient(const T* x, T* dx, Size y, T log_total, double factor, bool accumulate) const {
    Size n = targets.classes;
    auto scaled = static_cast<T>(factor * total(y));
    auto even = targets.weighted ? T(0) : static_cast<T>(factor * elsewhere(0));
    kernel::write_lanes(dx, n, accumulate, [&](Size i, Size m) {
      return scaled * xsimd::exp(kernel::load(x + i, m, T(0)) - log_total) - even;
    });
    dx[y] -= static_cast<T>(factor * at_target(y));
    if (targets.weighted && smoothing > 0)
      for (Size c = 0; c < n; ++c) dx[c] -= static_cast<T>(factor * elsewhere(c));
  }

  void operator()(Backward& b) const {
    b.x(1);  // throws if the class numbers, which are not copied, have changed
    if (b.create_graph()) return composed(b);
    Array x = b.x().value().contiguous(), dy = b.dy().value().contiguous();
    dispatch_float("cross_entropy", x.type(), [&]<class T>() {
      kernel::into_target<T>(b, 0, [&](T* dx, bool accumulate) {
        Size n = targets.classes;
        const T *from = x.data<T>(), *log_total = log_totals.data<T>(), *g = dy.data<T>();
        for (Size r = 0; r < targets.count(); ++r) {
          double factor = static_cast<double>(g[reduction == Reduction::none ? r : 0]) * scale;
          if (Size y = targets[r]; y != ClassTargets::kIgnored)
            row_gradient(from + r * n, dx + r * n, y, log_total[r], factor, accumulate);
          else if (!accumulate)
            std::fill_n(dx + r * n, n, T(0));
        }
      });
    });
  }

  /// x with 0 in ignored rows, which may hold NaN.
  Variable counted(const Variable& x) const {
    Array ignored(targets.index.shape(), int64);
    Size* at = ignored.mutable_data<Size>();
    bool any = false;
    for (Size r = 0; r < targets.count(); ++r)
      any |= (at[r] = targets[r] == ClassTargets::kIgnored) != 0;
    return any ? masked_fill(x, expand(ignored, -1), 0) : x;
  }

  // The same in public ops: dy scale (softmax(x) sum(q) - q).
  void composed(Backward& b) const {
    Array q(b.x_shape(), b.x_type()), sums(targets.index.shape(), b.x_type());
    dispatch_float("cross_entropy", q.type(), [&]<class T>() {
      T *to = q.mutable_data<T>(), *sum = sums.mutable_data<T>();
      for (Size r = 0; r < targets.count(); ++r, to += targets.classes) {
        Size y = targets[r];
        if (y == ClassTargets::kIgnored) continue;
        for (Size c = 0; c < targets.classes; ++c) to[c] = static_cast<T>(elsewhere(c));
        to[y] += static_cast<T>(at_target(y));
        sum[r] = static_cast<T>(total(y));
      }
    });
    Variable dy = b.dy() * scale;
    if (reduction == Reduction::none) dy = expand(dy, -1);
    b.give(0, dy * (softmax(counted(b.x())) * expand(sums, -1) - q));
  }

  /// The loss, one number or one a row; keeps what the gradient needs.
  template <class T>
  void evaluate(const T* x, T* loss) {
    double sum = 0;
    T* log_total = log_totals.mutable_data<T>();
    for (Size r = 0; r < targets.count(); ++r, x += targets.classes) {
      double one = 0;
      if (Size y = targets[r]; y != ClassTargets::kIgnored) {
        log_total[r] = kernel::log_sum_exp(x, targets.classes);
        one = row_loss(x, y, static_cast<double>(log_total[r]));
      }
      sum += one;
      if (reduction == Reduction::none) loss[r] = static_cast<T>(one);
    }
    if (reduction == Reduction::none) return;
    if (reduction == Reduction::mean) sum /= targets.total();
    *loss = static_cast<T>(sum);
  }
};

Variable of_probabilities(const Variable& logits, const Variable& targets,
                          const CrossEntropyOptions& options) {
  const Shape& shape = logits.shape();
  if (targets.shape() != shape)
    fail("cross_entropy", "logits are ", shape, ", targets ", targets.type(), " ", targets.shape(),
         "; expected probabilities ", shape, ", or int64 class numbers without the last axis.");
  Shape rows = shape;
  rows.erase(rows.rank() - 1);
  RealElements real("cross_entropy", rows, options.lengths, options.mask);
  Variable q = real.cleared(targets);
  double s = options.label_smoothing;
  if (s > 0) q = q * (1 - s) + s / static_cast<double>(shape.back());
  if (!options.weights.empty())
    q = q * checked_class_weights("cross_entropy", options.weights, shape.back()).to(q.type());
  Variable p = log_softmax(real.cleared(logits));
  p = masked_fill(p, equals(q, 0) && equals(p, -kernel::kInfinity<double>), 0);  // 0 log 0 = 0
  return reduced(-sum(q * p, {.axes = {-1}}), options.reduction, real);
}

}  // namespace

Variable cross_entropy(const Variable& logits, const Variable& targets,
                       const CrossEntropyOptions& options) {
  Op op("cross_entropy", logits, targets);
  double s = options.label_smoothing;
  op.require(s >= 0 && s <= 1, "label_smoothing is ", s, "; expected a number in [0, 1].");
  op.require(op[0].rank() > 0, "logits are a scalar (); expected (..., V).");
  if (is_float(op[1].type())) return of_probabilities(op.input(0), op.input(1), options);

  CrossEntropy call{ClassTargets("cross_entropy", op[0].shape(), op[1], options), s, 0,
                    options.reduction, 1, Array::uninitialised(op[1].shape(), op.type())};
  for (Size c = 0; s > 0 && c < call.targets.classes; ++c) call.smoothing_sum += call.elsewhere(c);
  if (options.reduction == Reduction::mean)
    if (double total = call.targets.total(); total != 0) call.scale = 1 / total;
  Shape shape = options.reduction == Reduction::none ? op[1].shape() : Shape();
  Array x = op[0].contiguous(), y = Array::uninitialised(shape, op.type());
  dispatch_float("cross_entropy", op[0].type(), [&]<class T>() {
    call.evaluate(x.data<T>(), y.mutable_data<T>());
  });
  return op.record(std::move(y), std::move(call), Keep::inputs);
}

}  // namespace unroll
