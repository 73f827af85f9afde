// Likelihoods of linear-chain CRFs: forward-backward in public ops, so that gradients of any order
// are there. The log partition is one node all the same: its gradient is the marginals. Best paths
// are in crf_viterbi.cpp.
#include <unroll/ops/crf.hpp>

#include <limits>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/crf_chain.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

namespace unroll {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();  // log 0

/// The recursions over (B, K). alpha[t]: all paths up to and with step t, by their last label;
/// beta[t]: what may follow step t. At skipped steps both stay as they were.
struct Recursion {
  const CrfSteps& steps;
  Variable emissions, transitions, start, end;

  Recursion(const CrfSteps& steps, const LinearChain& chain)
      : steps(steps), emissions(steps.real.cleared(chain.emissions)),
        transitions(chain.transitions), start(row(chain.start)), end(row(chain.end)) {}

  Type type() const { return emissions.type(); }
  /// (K) for every sequence: (B, K), zeros if there is none.
  Variable row(const Variable& scores) const {
    if (scores.empty()) return zeros({steps.batch, steps.labels}, type());
    return broadcast_to(scores, {steps.batch, steps.labels});
  }

  Variables alphas() const {
    Variables alpha;
    Variable last = start;
    for (Size t = 0; t < steps.count; ++t) {
      Variable entering = steps.entering(
          t, start, [&] { return logsumexp(expand(last, -1) + transitions, {.axes = {1}}); });
      last = steps.where_real(t, entering + emissions[t], last);
      alpha.push_back(last);
    }
    return alpha;
  }

  Variables betas() const {
    std::vector<Variable> beta(static_cast<std::size_t>(steps.count));
    Variable next = end;
    for (Size t = steps.count - 1; t >= 0; --t) {
      beta[static_cast<std::size_t>(t)] = next;
      if (t == 0) break;
      Variable before = logsumexp(expand(emissions[t] + next, 1) + transitions, {.axes = {-1}});
      next = steps.where_real(t, before, next);
    }
    return beta;
  }

  /// (B), 0 for sequences without a step.
  Variable log_partition(const Variables& alpha) const {
    Variable last = alpha.empty() ? start : alpha.back();
    return masked_fill(logsumexp(last + end, {.axes = {-1}}), steps.without, 0);
  }
};

CrfMarginals marginals(const CrfSteps& steps, const LinearChain& chain) {
  Size T = steps.count;
  Recursion r(steps, chain);
  if (T == 0)
    return {zeros(chain.emissions.shape(), r.type()),
            zeros({0, steps.batch, steps.labels, steps.labels}, r.type())};
  Variables alphas = r.alphas();
  Variable alpha = stack_along(alphas), beta = stack_along(r.betas());
  Variable log_partition = expand(r.log_partition(alphas), -1);
  Variable before = expand(sliced(alpha, 0, 0, T - 1), -1);
  Variable after = expand(sliced(beta + r.emissions, 0, 1, T), -2);
  Variable pairs = before + chain.transitions + after - expand(log_partition, -1);
  Array later = steps.later.sliced(0, 1, T).expanded(-1);
  return {exp(steps.real.cleared(alpha + beta - log_partition, kNever)),
          exp(where(later, pairs, kNever))};
}

/// The weighted marginals of a chain: gradients of sum(dy log_partition).
void partition_gradient(Backward& b, const CrfSteps& steps, bool start, bool end) {
  LinearChain chain{b.x(0), b.x(1), start ? b.x(2) : Variable(), end ? b.x(2 + start) : Variable()};
  CrfMarginals p = marginals(steps, chain);
  Variable dy = expand(b.dy(), -1), labels = p.labels * dy;
  b.give(0, labels);
  if (b.wants(1)) b.give(1, sum(p.pairs * expand(dy, -1), {.axes = {0, 1}}));
  if (start) b.give(2, sum(where(steps.first, labels, 0.0), {.axes = {0, 1}}));
  if (end) b.give(2 + start, sum(where(steps.last, labels, 0.0), {.axes = {0, 1}}));
}

/// Numbers of labels at real steps, 0 where padded.
Array checked_labels(const CrfSteps& steps, const Variable& labels) {
  Shape shape{steps.count, steps.batch};
  if (labels.type() != int64 || labels.shape() != shape)
    fail("crf_score", "labels are ", labels.type(), " ", labels.shape(), "; expected int64 ", shape,
         ", (T, B).");
  Array result = labels.value().copy();
  Size* y = result.mutable_data<Size>();
  for (Size i = 0; i < result.size(); ++i) {
    if (!steps.real[i]) y[i] = 0;
    if (y[i] < 0 || y[i] >= steps.labels)
      fail("crf_score", "label ", y[i], " at step ", i / steps.batch, " of sequence ",
           i % steps.batch, " is not in [0, ", steps.labels, ").");
  }
  return result;
}

/// Labels at the real steps before each step but the first; 0 where there is none.
Array labels_before(const CrfSteps& steps, const Array& labels) {
  Array result({steps.count, steps.batch}, int64);
  for (Size b = 0; b < steps.batch; ++b) {
    Size last = 0;
    for (Size t = 0; t < steps.count; ++t) {
      Size i = t * steps.batch + b;
      result.mutable_data<Size>()[i] = last;
      if (steps.real[i]) last = labels.data<Size>()[i];
    }
  }
  return result;
}

}  // namespace

Variable crf_score(const LinearChain& chain, const Variable& labels, const CrfOptions& options) {
  CrfSteps steps("crf_score", chain, options);
  Array y = checked_labels(steps, labels), before = labels_before(steps, y);
  Variable emissions = steps.real.cleared(chain.emissions);
  Variable scores = squeeze(gather(emissions, -1, Variable(y.expanded(-1))), -1);
  Variable moves = index(chain.transitions, {before, y});
  scores = scores + where(steps.later.squeezed(-1), moves, 0.0);
  if (!chain.start.empty())
    scores = scores + where(steps.first.squeezed(-1), index_select(chain.start, 0, y), 0.0);
  if (!chain.end.empty())
    scores = scores + where(steps.last.squeezed(-1), index_select(chain.end, 0, y), 0.0);
  return sum(steps.real.cleared(scores), {.axes = {0}});
}

Variable crf_log_partition(const LinearChain& chain, const CrfOptions& options) {
  CrfSteps steps("crf_log_partition", chain, options);
  bool start = !chain.start.empty(), end = !chain.end.empty();
  Variables inputs{chain.emissions, chain.transitions};
  if (start) inputs.push_back(chain.start);
  if (end) inputs.push_back(chain.end);
  Op op("crf_log_partition", std::span<const Variable>(inputs));
  auto value = [&] {
    Recursion r(steps, chain);
    return r.log_partition(r.alphas()).value().to(op.type());
  };
  return op.record(
      no_grad(value),
      [steps, start, end](Backward& b) { partition_gradient(b, steps, start, end); }, Keep::inputs);
}

Variable crf_log_likelihood(const LinearChain& chain, const Variable& labels,
                            const CrfOptions& options) {
  return crf_score(chain, labels, options) - crf_log_partition(chain, options);
}

CrfMarginals crf_marginals(const LinearChain& chain, const CrfOptions& options) {
  return marginals(CrfSteps("crf_marginals", chain, options), chain);
}

}  // namespace unroll
