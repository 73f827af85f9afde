// What steps of a cell take, forward and backward, in bytes: some of them are run to see. What is
// made of these figures is recompute_schedule.cpp's business.
#include <algorithm>
#include <deque>
#include <set>

#include <unroll/autograd/node.hpp>
#include <unroll/autograd/substitution.hpp>
#include <unroll/layers/layer_outputs.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/recompute_schedule.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/weight_gradient.hpp>

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
  double kept = 0;     ///< of those that the tape keeps, without what products make of weights
  double peak = 0;     ///< of values and gradients, in the backward pass
  double left = 0;     ///< when that is over and its gradients are gone
  double weights = 0;  ///< of the Parameters used, and of values of other tapes
  double state = 0;    ///< of the values of a state
  double tape = 0;     ///< of the tape itself, which makes room for many nodes at a time
  double recorded = 0, values = 0;  ///< numbers: of values recorded, of values of a state
};

/// Bytes of what nodes keep of results, each once.
double kept_by_nodes(const TapeImpl& tape) {
  std::set<const Buffer*> seen;
  double bytes = 0;
  auto add = [&](const Variable& v) {
    const Buffer* b = v.empty() ? nullptr : v.value().buffer().get();
    if (b && seen.insert(b).second) bytes += static_cast<double>(b->bytes);
  };
  for (int k = 0; k < tape.nodes.size(); ++k) {
    const Node& node = tape.nodes[k];
    for (int i = 0; i < node.n_inputs; ++i)
      if (const int slot = node.inputs[i].slot; slot >= 0 && tape.slots[slot].node >= 0)
        add(node.inputs[i].value);
    for (int i = 0; node.keeps_results && i < node.n_results; ++i) add(node.results()[i]);
  }
  return bytes;
}

/// While it lives, what another tape has recorded is an input of this one: masked weights, or a
/// memory that a cell reads, whose gradients take memory as those of Parameters do.
class OthersAsInputs final : Reading {
 public:
  explicit OthersAsInputs(Tape& tape) : tape_(tape) {}
  std::deque<Variable> inputs;  // find() gives out where they are

 private:
  const Variable* find(const Variable& x) override {
    const Variable& value = read_outside(x);
    if (value.empty() || !is_float(value.type())) return &value;
    const std::uint64_t serial = value.record()->tape;
    if (serial == 0 || serial == tape_.impl().serial || Tape::current() != &tape_) return &value;
    for (std::size_t k = 0; k < others_.size(); ++k)
      if (others_[k].record() == value.record()) return &inputs[k];
    const PlainReading as_it_is;
    others_.push_back(value);
    inputs.push_back(tape_.watch(detach(value)));
    return &inputs.back();
  }

  Tape& tape_;
  Variables others_;
};

/// Steps on a tape of their own, from the state where they are.
class Trial {
 public:
  Trial(const Steps& steps, const RunOptions& options, Size first, Size n)
      : steps_(steps.fork()), options_(options), first_(first), end_(first + n) {
    if (Generator* g = Tape::generator()) generator_.set_state(g->state());
    const std::pair<Size, Size> times = options.times(first_, end_);
    sequences_ = no_grad([&] { return steps.rows.slices(times.first, times.second); });
    rows_ = &steps.rows;
  }

  /// With a gradient that comes from all values of the state, or only the first one.
  Measured run(bool from_all) {
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
    m.kept = kept_by_nodes(impl);
    m.tape = static_cast<double>(impl.bytes_of_nodes());
    m.recorded = static_cast<double>(impl.slots.size());
    for (const Variable* v : steps_->present()) ++m.values, m.state += bytes_of(*v);
    for (const TapeLeaf& leaf : impl.leaves)
      if (leaf.variable.is_parameter()) {
        inputs_.push_back(leaf.variable);
        m.weights += bytes_of(leaf.variable);
      }
    for (const Variable& v : others_) {
      inputs_.push_back(v);
      m.weights += bytes_of(v);
    }
    const Variables outputs = outputs_of(impl.serial, from_all);
    steps_ = nullptr;  // its rows are gone when a part's backward pass begins
    backward(outputs);
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
    OthersAsInputs others(tape);
    run_plainly(*steps_, options_, first_, end_);
    others_ = std::move(others.inputs);
  }
  Variables outputs_of(std::uint64_t serial, bool all) const {
    Variables outputs;
    for (const Variable* v : steps_->present()) {
      // A value of an outer tape that a step hands on is none of this one's.
      if (!is_float(v->type()) || v->record()->tape != serial) continue;
      if (all || outputs.empty()) outputs.push_back(*v);
    }
    return outputs;
  }
  void backward(const Variables& outputs) const {
    Variables all_ones;
    for (const Variable& v : outputs) all_ones.push_back(ones(v.shape(), v.type()));
    if (!outputs.empty()) grad(outputs, inputs_, {.grad_outputs = all_ones});
  }

  Ref<Steps> steps_;
  const RunOptions& options_;
  const InputRows* rows_;
  Size first_, end_;
  Generator generator_;
  Variables sequences_, inputs_;
  std::deque<Variable> others_;
};

/// What n steps from the first one take. What no gradient goes through stays on the tape, which is
/// most if a loss asks for one value of the state alone.
Measured measure(const Steps& steps, const RunOptions& options, Size first, Size n) {
  Measured m = Trial(steps, options, first, n).run(true);
  if (m.values > 1) m.left = std::max(m.left, Trial(steps, options, first, n).run(false).left);
  return m;
}

/// The same of those that take most; of the first ones if these do not go on from the start.
Measured measure(const Steps& steps, const RunOptions& options, Size n) {
  const Size first = fullest(options, n);
  if (first > 0) {
    try {
      return measure(steps, options, first, n);
    } catch (const Error&) {  // as of an index that follows from the steps before
    }
  }
  return measure(steps, options, 0, n);
}

/// How many steps have that many rows.
Size steps_of(Size rows, const Steps& steps) {
  const Array& x = steps.rows.at(0, -1).value();
  const Size each = x.rank() > 0 && x.size() > 0 ? x.size() / x.shape().back() : 1;
  return (rows + each - 1) / each;
}

/// Bytes of the rows of a step that are copies, as other ones are read where it is padded.
double read_instead(const Steps& steps, const RunOptions& options) {
  double bytes = 0;
  if (options.padding.none()) return bytes;
  for (const Variable& xs : no_grad([&] { return steps.rows.slices(0, 1); })) bytes += bytes_of(xs);
  return bytes;
}

/// What longer units take than those of n steps that were run: their products have more rows. Three
/// copies of a weight in another layout: for the gradients of inputs, and forward those of the unit
/// and of the last one, which stays recorded. And a sum of the weight's gradients beside others.
std::vector<SequenceMemory::More> more_than(Size n, const Steps& steps, double weights) {
  constexpr double kBlock = 1.25;  // of memory, to what is in it
  std::vector<SequenceMemory::More> more;
  for (const auto& [enough, copies] :
       {std::pair{kernel::kRowsForPanels, 3.0}, std::pair{kernel::kRowsOfStretch, 1.0}})
    if (const Size unit = steps_of(enough, steps); unit > n)
      more.push_back({unit, copies * kBlock * weights});
  return more;
}

/// The figures from runs of n steps and of fewer.
SequenceMemory figures(const Steps& steps, const RunOptions& options, bool keeps_states,
                       const Measured& all, Size n, const Measured& some, Size few) {
  const double count = static_cast<double>(n), more = static_cast<double>(n - few);
  constexpr double kNode = 256 + sizeof(Record), kValue = sizeof(Record) + sizeof(Buffer),
                   kPart = 2048, kMargin = 1.06;  // blocks are larger than what is in them
  // Small products wait in the backward pass to be done together, up to a number of rows: with
  // large batches a few steps have reached that, and what more of them take is a fifth above what
  // they leave on the tape. When they all have, it is that alone, and the gradients of the rows that
  // are read where there is padding, and of those in whose place they are.
  const double on_tape = std::max(all.forward - some.forward, all.kept - some.kept), nodes = kNode * (all.recorded - some.recorded),
               step = (kMargin * std::max(all.peak - some.peak, 1.2 * on_tape) + nodes) / more,
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
          .least_unit = std::min<Size>(options.steps, 4),
          .waiting = steps_of(kernel::kRowsThatWait, steps),
          .further = (kMargin * on_tape + nodes) / more + 2 * kMargin * read_instead(steps, options),
          .more = more_than(n, steps, all.weights)};
}

}  // namespace

SequenceMemory memory_of(const Steps& steps, const RunOptions& options, bool keeps_states) {
  const Size few = std::min<Size>(options.steps, 4), fewer = few / 2,
             many = std::min<Size>(options.steps, 12);
  const Measured some = measure(steps, options, few);
  const SequenceMemory rough =
      figures(steps, options, keeps_states, some, few,
              fewer > 0 ? measure(steps, options, fewer) : Measured(), fewer);
  // More steps tell more, but must take no more than what they are to keep within.
  const double expected = some.peak + 3 * some.tape + rough.step * static_cast<double>(many - few);
  if (many == few || 1.15 * expected > least_budget(options.steps, rough)) return rough;
  return figures(steps, options, keeps_states, measure(steps, options, many), many, some, few);
}

}  // namespace unroll::detail
