// What steps of a cell take, forward and backward, in bytes: some of them are run to see. What is
// made of these figures is recompute_schedule.cpp's business.
#include <algorithm>

#include <unroll/autograd/node.hpp>
#include <unroll/layers/layer_outputs.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/recompute_schedule.hpp>
#include <unroll/ops/elementwise.hpp>

namespace unroll::detail {

namespace {

double bytes_of(const Variable& v) {
  return static_cast<double>(v.size() * unroll::bytes_of(v.type()));
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

/// What some steps take on a tape of their own, in bytes.
struct Measured {
  double forward = 0;  ///< of values, when they have run
  double peak = 0;     ///< of values and gradients, in the backward pass
  double left = 0;     ///< when that is over and its gradients are gone
  double weights = 0;  ///< of the Parameters used
  double state = 0;    ///< of the values of a state
  double tape = 0;     ///< of the tape itself, which makes room for many nodes at a time
  double recorded = 0, values = 0;  ///< numbers: of values recorded, of values of a state
};

/// Steps on a tape of their own, from the state where they are.
class Trial {
 public:
  Trial(const Steps& steps, const RunOptions& options, Size n)
      : steps_(steps.fork()), options_(options), first_(fullest(options, n)), end_(first_ + n) {
    if (Generator* g = Tape::generator()) generator_.set_state(g->state());
    const std::pair<Size, Size> times = options.times(first_, end_);
    sequences_ = no_grad([&] { return steps.rows.slices(times.first, times.second); });
    rows_ = &steps.rows;
  }

  Measured run() {
    const LayerOutputs of_nobody;  // these steps are no part of what the network computes
    Tape tape(generator_);
    const TapeImpl& impl = tape.impl();
    const std::int64_t before = live_memory_of_thread();
    auto of_values = [&](std::int64_t bytes) {
      return static_cast<double>(bytes - before - impl.bytes_of_nodes());
    };
    reset_peak_of_thread();
    forward(tape);
    Measured m;
    m.forward = of_values(live_memory_of_thread());
    m.tape = static_cast<double>(impl.bytes_of_nodes());
    m.recorded = static_cast<double>(impl.slots.size());
    for (const Variable* v : steps_->present()) ++m.values, m.state += bytes_of(*v);
    for (const TapeLeaf& leaf : impl.leaves)
      if (leaf.variable.is_parameter()) {
        inputs_.push_back(leaf.variable);
        m.weights += bytes_of(leaf.variable);
      }
    backward(impl.serial);
    m.peak = of_values(peak_memory_of_thread());
    m.left = of_values(live_memory_of_thread());
    return m;
  }

 private:
  Variable input(Tape& tape, const Variable& x) {
    if (!is_float(x.type())) return detach(x);
    inputs_.push_back(tape.watch(detach(x)));
    return inputs_.back();
  }
  void forward(Tape& tape) {
    const Size begin = options_.times(first_, end_).first;
    for (Variable& xs : sequences_) xs = input(tape, xs);
    steps_->rows = rows_->part(sequences_, begin);
    for (Variable* v : steps_->present()) {
      // Zeros of float32 may start a state of float64: an op widens constants, and nothing else.
      const bool constant = v->type() == float32 && !v->is_recorded() && !v->is_parameter();
      *v = constant ? detach(*v) : input(tape, *v);
    }
    steps_->rows.load(begin, options_.times(first_, end_).second);
    run_plainly(*steps_, options_, first_, end_);
  }
  void backward(std::uint64_t serial) {
    Variables outputs, all_ones;
    for (const Variable* v : steps_->present()) {
      // A value of an outer tape that a step hands on is none of this one's.
      if (!is_float(v->type()) || v->record()->tape != serial) continue;
      outputs.push_back(*v);
      all_ones.push_back(ones(v->shape(), v->type()));
    }
    if (!outputs.empty()) grad(outputs, inputs_, {.grad_outputs = all_ones});
  }

  Ref<Steps> steps_;
  const RunOptions& options_;
  const InputRows* rows_;
  Size first_, end_;
  Generator generator_;
  Variables sequences_, inputs_;
};

}  // namespace

SequenceMemory memory_of(const Steps& steps, const RunOptions& options, bool keeps_states) {
  const Size n = std::min<Size>(options.steps, 12), few = std::min<Size>(n, 4);
  const Measured all = Trial(steps, options, n).run(),
                 some = n > few ? Trial(steps, options, few).run() : Measured();
  const double count = static_cast<double>(n), more = static_cast<double>(n > few ? n - few : n);
  constexpr double kNode = 256 + sizeof(Record), kValue = sizeof(Record) + sizeof(Buffer),
                   kPart = 2048, kMargin = 1.06;  // blocks are larger than what is in them
  // Small products wait in the backward pass to be done together, up to a number of rows: with
  // large batches a few steps have reached that, and what more of them take is a fifth above what
  // they leave on the tape.
  const double growth = std::max(all.peak - some.peak, 1.2 * (all.forward - some.forward)),
               step = (kMargin * growth + kNode * (all.recorded - some.recorded)) / more,
               once =
                   std::max(some.peak - step * static_cast<double>(few), all.peak - step * count),
               left = std::max(0.0, (all.left - some.left) / more),
               tape = std::max(0.0, all.left - left * count) + all.tape;
  const double mask = options.padding.none() ? 0 : static_cast<double>(options.padding.batch() + 2);
  return {.fixed = kMargin * (2 * all.weights  // gradients of a part and of all
                              + 4 * mask * static_cast<double>(options.steps)),
          .tape = kMargin * tape,
          .left = kMargin * left,
          .last = kMargin * std::max(once - all.weights + all.tape, tape),
          .state = kPart + (keeps_states ? 0 : all.state + kValue * all.values),
          .step = kMargin * step,
          .least_unit = few};
}

}  // namespace unroll::detail
