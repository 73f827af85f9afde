// ctc_loss: the forward-backward algorithm in log space, in float64 throughout. Its gradient for
// higher orders is in ctc_composed.cpp.
#include <unroll/ops/ctc.hpp>

#include <algorithm>
#include <cmath>

#include <unroll/ops/class_targets.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/row_kernels.hpp>

namespace unroll {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();  // log 0

double log_add(double a, double b) {
  double most = std::max(a, b);
  if (most == kNever) return kNever;
  return most + std::log1p(std::exp(std::min(a, b) - most));
}

void check_lengths(const char* what, const std::vector<Size>& lengths, Size batch, Size most) {
  if (static_cast<Size>(lengths.size()) != batch)
    fail("ctc_loss", lengths.size(), " ", what, ", but a batch of ", batch, "; expected one each.");
  for (std::size_t b = 0; b < lengths.size(); ++b)
    if (lengths[b] < 0 || lengths[b] > most)
      fail("ctc_loss", what, "[", b, "] is ", lengths[b], "; expected a number in [0, ", most,
           "].");
}

}  // namespace

CtcPaths::CtcPaths(const Shape& shape, const Array& targets, const std::vector<Size>& inputs,
                   const std::vector<Size>& lengths, const CtcOptions& options)
    : frames(shape[0]), batch(shape[1]), classes(shape[2]), blank(options.blank), states(1),
      input_lengths(inputs), target_lengths(lengths), zero_infinity(options.zero_infinity) {
  if (blank < 0 || blank >= classes)
    fail("ctc_loss", "blank is ", blank, "; expected a class in [0, ", classes, ").");
  bool padded = targets.rank() == 2;
  if (targets.type() != int64 || (targets.rank() != 1 && (!padded || targets.size(0) != batch)))
    fail("ctc_loss", "targets are ", targets.type(), " ", targets.shape(),
         "; expected int64 labels one after the other, or (", batch, ", S).");
  check_lengths("input_lengths", input_lengths, batch, frames);
  check_lengths("target_lengths", target_lengths, batch, padded ? targets.size(1) : targets.size());
  Size sum = 0;
  for (Size n : target_lengths) sum += n, states = std::max(states, 2 * n + 1);
  if (!padded && sum != targets.size())
    fail("ctc_loss", "target_lengths sum to ", sum, ", but there are ", targets.size(), " labels.");

  labels = zeros({batch, states}, int64);
  labels.fill(static_cast<double>(blank));
  Array rows = targets.contiguous();
  const Size* next = rows.data<Size>();
  Size* to = labels.mutable_data<Size>();
  for (Size b = 0; b < batch; ++b) {
    if (padded) next = rows.data<Size>() + b * targets.size(1);
    for (Size k = 0; k < target(b); ++k, ++next) {
      if (*next < 0 || *next >= classes || *next == blank)
        fail("ctc_loss", "label ", *next, " (number ", k, " of sequence ", b, ") is not in [0, ",
             classes, ") or is the blank ", blank, ".");
      to[b * states + 2 * k + 1] = *next;
    }
  }
}

namespace {

/// One call, and its gradient function.
struct Ctc {
  CtcPaths paths;

  /// alpha[t][s]: log probability of the frames 0..t, of paths that are in state s at t.
  template <class T>
  void forward(const T* x, Size b, std::vector<double>& alpha) const {
    Size n = paths.count(b), step = paths.batch * paths.classes;
    alpha.assign(static_cast<std::size_t>(paths.length(b) * n), kNever);
    double* now = alpha.data();
    for (Size t = 0; t < paths.length(b); ++t, now += n) {
      const T* frame = x + t * step + b * paths.classes;
      const double* before = t > 0 ? now - n : nullptr;
      for (Size s = 0; s < n; ++s) {
        double from = before ? before[s] : s < 2 ? 0 : kNever;
        if (before && s > 0) from = log_add(from, before[s - 1]);
        if (before && paths.skips(b, s)) from = log_add(from, before[s - 2]);
        now[s] = from + static_cast<double>(frame[paths.label(b, s)]);
      }
    }
  }

  double log_likelihood(Size b, const std::vector<double>& alpha) const {
    Size n = paths.count(b);
    if (alpha.empty()) return n == 1 ? 0 : kNever;  // no frames read as no labels
    const double* last = alpha.data() + alpha.size() - n;
    return n == 1 ? last[0] : log_add(last[n - 1], last[n - 2]);
  }

  template <class T>
  void evaluate(const T* x, T* loss) const {
    std::vector<double> alpha;
    for (Size b = 0; b < paths.batch; ++b) {
      forward(x, b, alpha);
      double likelihood = log_likelihood(b, alpha);
      loss[b] = likelihood == kNever && paths.zero_infinity ? T(0) : static_cast<T>(-likelihood);
    }
  }

  // beta[s]: log probability of the frames after t, of paths that are in state s at t; the paths
  // through s at t have alpha[t][s] + beta[s]. dx = -dy sum over states of the class.
  template <class T>
  void gradient(const T* x, T dy, T* dx, Size b, std::vector<double>& alpha) const {
    forward(x, b, alpha);
    Size n = paths.count(b), step = paths.batch * paths.classes;
    double likelihood = log_likelihood(b, alpha);
    if (likelihood == kNever && paths.zero_infinity) return;
    std::vector<double> beta(static_cast<std::size_t>(n), kNever), next(beta);
    for (Size s = 0; s < n; ++s)
      if (paths.ends(b, s)) beta[static_cast<std::size_t>(s)] = 0;
    for (Size t = paths.length(b) - 1; t >= 0; --t) {
      const T* frame = x + t * step + b * paths.classes;
      T* to = dx + t * step + b * paths.classes;
      const double* now = alpha.data() + t * n;
      for (Size s = 0; s < n; ++s) {
        auto k = static_cast<std::size_t>(s);
        to[paths.label(b, s)] -= dy * static_cast<T>(std::exp(now[s] + beta[k] - likelihood));
        next[k] = beta[k] + static_cast<double>(frame[paths.label(b, s)]);
      }
      for (Size s = 0; s < n; ++s) {
        auto k = static_cast<std::size_t>(s);
        beta[k] = next[k];
        if (s + 1 < n) beta[k] = log_add(beta[k], next[k + 1]);
        if (s + 2 < n && paths.skips(b, s + 2)) beta[k] = log_add(beta[k], next[k + 2]);
      }
    }
  }

  void operator()(Backward& b) const {
    if (b.create_graph()) return b.give(0, ctc_gradient(paths, b.x(), b.dy()));
    Array x = b.x().value().contiguous(), dy = b.dy().value().contiguous();
    dispatch_float("ctc_loss", x.type(), [&]<class T>() {
      kernel::into_target<T>(b, 0, [&](T* dx, bool accumulate) {
        if (!accumulate) std::fill_n(dx, x.size(), T(0));
        std::vector<double> alpha;
        for (Size k = 0; k < paths.batch; ++k)
          gradient(x.data<T>(), dy.data<T>()[k], dx, k, alpha);
      });
    });
  }
};

}  // namespace

Variable ctc_loss(const Variable& log_probabilities, const Variable& targets,
                  const std::vector<Size>& input_lengths, const std::vector<Size>& target_lengths,
                  const CtcOptions& options) {
  Op op("ctc_loss", log_probabilities, targets);
  op.require(op[0].rank() == 3, "log_probabilities are ", op[0].shape(), "; expected (T, B, C).");
  Ctc call{CtcPaths(op[0].shape(), op[1], input_lengths, target_lengths, options)};
  Array x = op[0].contiguous(), y = Array::uninitialised({call.paths.batch}, op.type());
  dispatch_float("ctc_loss", op[0].type(), [&]<class T>() {
    call.evaluate(x.data<T>(), y.mutable_data<T>());
  });
  Array lengths({call.paths.batch}, op.type());
  for (Size b = 0; b < call.paths.batch; ++b)
    lengths.select(0, b).fill(static_cast<double>(std::max<Size>(1, call.paths.target(b))));
  Variable losses = op.record(std::move(y), std::move(call), Keep::inputs);
  return reduced(options.reduction == Reduction::mean ? losses / lengths : losses,
                 options.reduction);
}

}  // namespace unroll
