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
  /// The times of steps number from..end - 1.
  std::pair<Size, Size> times(Size from, Size end) const {
    Size a = options.time(from), b = options.time(end - 1);
    return {std::min(a, b), std::max(a, b) + 1};
  }
};

void go(const Ref<Plan>& plan, Steps& steps, Size from, Size end, Size states);

/// Runs a part so that of it only its beginning and its results stay on the tape.
void go_again_later(const Ref<Plan>& plan, Steps& steps, Size from, Size end, Size states) {
  auto [first, last] = plan->times(from, end);
  std::vector<Variable*> now = steps.present();
  const std::size_t n = now.size();
  const std::vector<bool> carried = steps.unchanged();
  Variables inputs = copies(now);
  for (const Variable& xs : steps.rows.slices(first, last)) inputs.push_back(xs);

  struct Result : Shared {
    bool wanted = true;
    Ref<Steps> steps;
  };
  Ref<Result> result(new Result);
  Ref<Steps> start = steps.fork();
  auto part = [=, first = first, last = last](const Variables& in) {
    Scope scope(plan->options.label);
    Ref<Steps> run = start->fork();
    std::vector<Variable*> state = run->present();
    for (std::size_t k = 0; k < n; ++k) {
      *state[k] = in[k];
      run->start.push_back(carried[k] ? in[k] : Variable());
    }
    auto slices = in.begin() + static_cast<std::ptrdiff_t>(n);
    run->rows = start->rows.part(Variables(std::vector<Variable>(slices, in.end())), first);
    if (plan->keeps_states) run->keep_from(first, last - first);
    go(plan, *run, from, end, states);
    if (result->wanted) result->steps = run;
    return copies(all_values_of(*run));
  };
  const Variables values = recomputed(part, inputs);
  const std::vector<bool> still = result->steps->unchanged();
  std::size_t k = 0;
  for (Variable* v : all_values_of(*result->steps)) *v = values[k++];
  steps.join(*result->steps);
  // What the part only carried has another name after it.
  steps.start.clear();
  for (k = 0; k < still.size(); ++k) steps.start.push_back(still[k] ? values[k] : Variable());
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
      auto [first, last] = plan->times(from, to);
      steps.rows.load(first, last);
      run_plainly(steps, plan->options, from, to);
    }
    from = to;
    --states;
  }
}

double bytes_of(const std::vector<Variable*>& values) {
  double bytes = 0;
  for (const Variable* v : values)
    bytes += static_cast<double>(v->size() * unroll::bytes_of(v->type()));
  return bytes;
}

double bytes_of_weights(const Tape& tape) {
  Size bytes = 0;
  for (const TapeLeaf& leaf : tape.impl().leaves)
    if (leaf.variable.is_parameter())
      bytes += leaf.variable.size() * unroll::bytes_of(leaf.variable.type());
  return static_cast<double>(bytes);
}

/// The first of those `n` steps in a row that leave most on a tape: one that only some sequences
/// take keeps the state before it too, one that none takes nothing.
Size fullest(const RunOptions& options, Size n) {
  const Padding& padding = options.padding;
  if (padding.none()) return 0;
  auto weight = [&](Size k) {
    const Size active = padding.active(options.time(k));
    return active == 0 ? 0 : active == padding.batch() ? 2 : 3;
  };
  Size sum = 0, most = 0, first = 0;
  for (Size k = 0; k < options.steps; ++k) {
    sum += weight(k) - (k >= n ? weight(k - n) : 0);
    if (sum <= most || k + 1 < n) continue;
    most = sum;
    first = k + 1 - n;
  }
  return first;
}

/// What some steps leave on a tape, and what the backward pass makes of that.
SequenceMemory memory_of(const Steps& steps, const RunOptions& options, bool keeps_states) {
  const Size n = std::min<Size>(options.steps, 8), from = fullest(options, n);
  const auto times = Plan(options, false, {}).times(from, from + n);
  Generator generator;
  if (Generator* g = Tape::generator()) generator.set_state(g->state());
  Tape tape(generator);
  auto input = [&](const Variable& x) {
    return is_float(x.type()) ? tape.watch(detach(x)) : detach(x);
  };
  auto run = [&](Steps& some) {
    const std::int64_t before = live_memory_of_thread();
    Variables slices;
    for (const Variable& xs : no_grad([&] { return steps.rows.slices(times.first, times.second); }))
      slices.push_back(input(xs));
    some.rows = steps.rows.part(slices, times.first);
    for (Variable* v : some.present()) {
      // Zeros of float32 may start a state of float64: an op widens constants, and nothing else.
      const bool constant = v->type() == float32 && !v->is_recorded() && !v->is_parameter();
      *v = constant ? detach(*v) : input(*v);
    }
    some.rows.load(times.first, times.second);
    run_plainly(some, options, from, from + n);
    return static_cast<double>(live_memory_of_thread() - before);
  };
  // What a tape makes once, copies of weights, is there when steps run again, and room for nodes,
  // which it makes 64 KiB at a time, in one of two runs.
  Ref<Steps> some[] = {steps.fork(), steps.fork(), steps.fork()};
  const double bytes_of_state = bytes_of(some[0]->present()),
               values = static_cast<double>(some[0]->present().size());
  const double first = run(*some[0]), second = run(*some[1]),
               live = std::min(second, run(*some[2]));

  constexpr double kNode = 256, kRecord = sizeof(Record), kValue = kRecord + sizeof(Buffer),
                   kPart = 2048;
  const double weights = bytes_of_weights(tape);
  // Of each weight there are gradients of a part and of all, and on each tape a copy for products
  // going back, and one going forward, which may take more steps to be worth it; there, gradients of
  // up to 0.7 of a step's values wait to be used.
  const double mask = options.padding.none() ? 0 : static_cast<double>(options.padding.batch() + 2);
  return {.fixed = 2 * weights + 4 * mask * static_cast<double>(options.steps),
          .tape = std::max(first - live, weights) + weights,
          .state = kPart + (keeps_states ? 0 : bytes_of_state + kValue * values),
          .step = 1.7 * (live + (kNode + kRecord) * tape.impl().slots.size() / 3) /
                  static_cast<double>(n)};
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
  if (options.steps_back() > 0)
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
