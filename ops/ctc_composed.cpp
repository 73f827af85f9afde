// The gradient of ctc_loss in public ops, batch by batch and frame by frame: slow, and itself
// differentiable. The kernel that it must equal is in ctc.cpp.
#include <unroll/ops/ctc.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

namespace unroll {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();  // log 0

/// log a + b + c, element by element.
Variable log_sum(const Variable& a, const Variable& b, const Variable& c) {
  return logsumexp(stack_along({a, b, c}), {.axes = {0}});
}

/// The recursions of forward-backward over (B, states), with constants that add log 0 to whatever
/// is not allowed, so that no branch is needed.
struct Recursion {
  const CtcPaths& paths;
  Type type;
  Array skip, start, end;  // (B, states): 0 where a path may skip to, start, end
  Array never;             // (B, 2)

  Recursion(const CtcPaths& paths, Type type)
      : paths(paths), type(type),
        skip(allowed([&](Size b, Size s) { return paths.skips(b, s); })),
        start(allowed([&](Size b, Size s) { return s < 2 && s < paths.count(b); })),
        end(allowed([&](Size b, Size s) { return paths.ends(b, s); })),
        never(full({paths.batch, 2}, kNever, type)) {}

  template <class F>
  Array allowed(F&& f) const {
    Array mask({paths.batch, paths.states}, float64);
    for (Size b = 0; b < paths.batch; ++b)
      for (Size s = 0; s < paths.states; ++s)
        mask.mutable_data<double>()[b * paths.states + s] = f(b, s) ? 0 : kNever;
    return mask.to(type);
  }

  /// x with the states moved up by k, log 0 entering at the bottom.
  Variable up(const Variable& x, Size k) const {
    return sliced(concat({never, x}), 1, 2 - k, 2 - k + paths.states);
  }
  Variable down(const Variable& x, Size k) const {
    return sliced(concat({x, never}), 1, k, k + paths.states);
  }
  /// 1 in the rows of sequences that have a frame t.
  Array has_frame(Size t) const {
    Array rows({paths.batch, 1}, int64);
    for (Size b = 0; b < paths.batch; ++b) rows.mutable_data<Size>()[b] = t < paths.length(b);
    return rows;
  }
};

}  // namespace

Variable ctc_gradient(const CtcPaths& paths, const Variable& log_probabilities,
                      const Variable& dy) {
  Recursion r(paths, log_probabilities.type());
  Shape shape{paths.frames, paths.batch, paths.states};
  Variable index = Array(paths.labels.broadcast_to(shape).contiguous());
  std::vector<Variable> emission = unstack(gather(log_probabilities, -1, index));

  std::vector<Variable> alpha;  // alpha[t]: paths up to and with frame t; after the end, as it was
  for (Size t = 0; t < paths.frames; ++t) {
    if (t == 0) {
      alpha.push_back(emission[0] + r.start);
      continue;
    }
    const Variable& a = alpha.back();
    Variable before = log_sum(a, r.up(a, 1), r.up(a, 2) + r.skip);
    Variable next = before + emission[static_cast<std::size_t>(t)];
    alpha.push_back(where(r.has_frame(t), next, a));
  }
  if (alpha.empty()) return zeros(log_probabilities.shape(), log_probabilities.type());

  // What does not fit has likelihood log 0: 0 instead makes its gradient 0, log 0 makes it NaN.
  Variable likelihood = logsumexp(alpha.back() + r.end, {.axes = {1}, .keepdims = true});
  if (paths.zero_infinity) likelihood = masked_fill(likelihood, equals(likelihood, kNever), 0);

  Variables at_state;  // probability of being there in frame t, last frame first
  Variable beta = r.end;
  for (Size t = paths.frames - 1; t >= 0; --t) {
    auto k = static_cast<std::size_t>(t);
    at_state.push_back(exp(where(r.has_frame(t), alpha[k] + beta - likelihood, kNever)));
    Variable e = emission[k] + beta;
    Variable before = log_sum(e, r.down(e, 1), r.down(e + r.skip, 2));
    beta = where(r.has_frame(t), before, beta);
  }
  Variable at_class = scatter_add(zeros(log_probabilities.shape(), log_probabilities.type()), -1,
                                  index, flip(stack_along(at_state), {0}));
  return -(expand(dy, -1) * at_class);
}

}  // namespace unroll
