// The loop over time in parts that the backward pass computes again: what a part is given, and how
// parts are cut into parts. Which lengths are best is recompute_schedule.cpp's arithmetic.
#include <algorithm>

#include <unroll/autograd/node.hpp>
#include <unroll/autograd/recomputed.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/recompute_schedule.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll::detail {

namespace {

/// The values of the state, and those of the kept states behind them.
std::vector<Variable*> all_values_of(Steps& steps) {
  std::vector<Variable*> list = steps.present(), kept;
  steps.kept_values(kept);
  std::erase_if(kept, [](const Variable* v) { return v->empty(); });
  list.insert(list.end(), kept.begin(), kept.end());
  return list;
}

Variables copies(const std::vector<Variable*>& values) {
  Variables list;
  for (const Variable* v : values) list.push_back(*v);
  return list;
}

/// What parts that run later need: they may outlive the call of over_time.
struct Plan : Shared {
  RunOptions options;
  bool keeps_states;
  RecomputeSchedule schedule;

  Plan(const RunOptions& o, bool keeps, RecomputeSchedule s)
      : options(o), keeps_states(keeps), schedule(s) {}
};

void go(const Ref<Plan>& plan, Steps& steps, Size from, Size end, Size states);

/// Runs a part so that of it only its beginning and its results stay on the tape.
void go_again_later(const Ref<Plan>& plan, Steps& steps, Size from, Size end, Size states) {
  auto [first, last] = plan->options.times(from, end);
  std::vector<Variable*> now = steps.present();
  const std::size_t n = now.size();
  const std::vector<bool> carried = steps.unchanged();
  Variables inputs = copies(now);
  for (const Variable& xs : steps.rows.slices(first, last)) inputs.push_back(xs);

  struct Result : Shared {
    bool wanted = true;
    Ref<Steps> steps;
    std::vector<bool> carried;
  };
  Ref<Result> result(new Result);
  Ref<Steps> start = steps.fork();
  auto part = [=, first = first, last = last](const Variables& in) {
    Scope scope(plan->options.label);
    if (!start->stands())
      fail(plan->options.label, "has been destroyed or moved, but its steps are computed again by ",
           "the backward pass; let it live until then.");
    Ref<Steps> run = start->fork();
    std::vector<Variable*> state = run->present();
    for (std::size_t k = 0; k < n; ++k) *state[k] = in[k];
    run->start_from(carried);
    auto slices = in.begin() + static_cast<std::ptrdiff_t>(n);
    run->rows = start->rows.part(Variables(std::vector<Variable>(slices, in.end())), first);
    if (plan->keeps_states) run->keep_from(first, last - first);
    go(plan, *run, from, end, states);
    if (result->wanted) {
      result->steps = run;
      result->carried = run->unchanged();
    }
    return copies(all_values_of(*run));
  };
  const Variables values = recomputed(part, inputs);
  std::size_t k = 0;
  for (Variable* v : all_values_of(*result->steps)) *v = values[k++];
  steps.join(*result->steps);
  steps.start_from(result->carried);  // what the part only carried has another name after it
  result->wanted = false;
  result->steps = nullptr;
}

/// Steps number from..end - 1, beside the first of which that many states may be kept.
void go(const Ref<Plan>& plan, Steps& steps, Size from, Size end, Size states) {
  const Size unit = plan->schedule.unit, n = (end - from + unit - 1) / unit;
  const std::vector<Size> parts =
      recording_tape() ? parts_of(n, states) : std::vector<Size>(static_cast<std::size_t>(n), 1);
  for (Size part : parts) {
    Size to = std::min(end, from + part * unit);
    if (to < end && recording_tape()) {
      go_again_later(plan, steps, from, to, states);
    } else {
      auto [first, last] = plan->options.times(from, to);
      steps.rows.load(first, last);
      run_plainly(steps, plan->options, from, to);
    }
    from = to;
    --states;
  }
}

RecomputeSchedule schedule_of(const Steps& steps, const RunOptions& options, bool keeps_states) {
  const Recomputation& r = options.recomputation;
  if (r.every > 0) return {r.every, (options.steps + r.every - 1) / r.every};
  if (!recording_tape()) return {256, 0};  // rows a few at a time, nothing to compute again
  return schedule_within(options.label, options.steps, memory_of(steps, options, keeps_states),
                         static_cast<double>(r.budget));
}

}  // namespace

void run_recomputed(Steps& steps, const RunOptions& options) {
  const Recomputation& r = options.recomputation;
  if (r.budget < 0 || r.every < 0 || (r.budget > 0 && r.every > 0))
    fail(options.label, "memory_budget is ", r.budget, ", recompute_every ", r.every,
         "; expected one of them, above 0.");
  if (options.truncation.runs_again(options.steps))
    fail(options.label,
         "truncation has k2 > k1, which runs steps again that recomputation does not ",
         "keep; expected k2 = k1 with memory_budget or recompute_every.");
  if (options.steps == 0) return;
  const bool keeps_states = steps.keeps_states();
  RecomputeSchedule schedule = schedule_of(steps, options, keeps_states);
  go(Ref<Plan>(new Plan(options, keeps_states, schedule)), steps, 0, options.steps,
     schedule.states);
}

}  // namespace unroll::detail
