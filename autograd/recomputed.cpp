// The op that calls a function again in its backward pass. How it finds what that function uses is
// in recomputed_reads.hpp.
#include <unroll/autograd/recomputed.hpp>

#include <algorithm>

#include <unroll/autograd/denormals.hpp>
#include <unroll/autograd/node.hpp>
#include <unroll/autograd/op.hpp>
#include <unroll/autograd/recomputed_reads.hpp>

namespace unroll {

namespace {

using detail::Noting;
using detail::place_of;
using detail::Replay;
using detail::Use;

using Body = Function<Variables(const Variables&)>;

constinit thread_local int computing_again = 0;

/// The same value, recorded once more: its gradient is that of the uses after it.
Variable recorded_again(const Variable& x) {
  Op op("again", x);
  return op.record(
      x.value(), [](Backward& b) { b.give(0, b.dy()); }, Keep::nothing);
}

/// What f is called with: a Parameter, which it reads as it reads others, or one of the inputs.
struct Given {
  Variable parameter;
  std::size_t place;
};

struct Recomputation {
  Body f;
  std::vector<Given> own;           ///< an input perhaps twice
  std::vector<Use> uses;            ///< the first inputs: f's own, then what else it used
  std::vector<std::size_t> made;    ///< the results of f that are the op's: the others are inputs
  bool random;
  Generator::State drawn;

  /// What to differentiate: results of which a gradient arrived, and inputs that want one; and then
  /// results that do, on which others may depend.
  struct Again {
    Variables outputs, dys, targets;
    std::vector<int> places;   ///< of the first targets among the inputs
    std::vector<int> results;  ///< that the other targets are
  };

  void operator()(Backward& b) const {
    check_constants(b);
    if (b.create_graph()) {
      const Again a = call(b, Tape::current()->impl(), recorded_again);
      if (a.outputs.empty()) return;
      const GradOptions options{.create_graph = true, .grad_outputs = a.dys};
      std::vector<Variable> gradients = grad(a.outputs, a.targets, options);
      for (std::size_t k = 0; k < a.results.size(); ++k)
        b.set_dy(a.results[k], std::move(gradients[a.places.size() + k]));
      for (std::size_t k = 0; k < a.places.size(); ++k)
        b.give(a.places[k], std::move(gradients[k]));
      return;
    }
    // What waits to be added up takes memory that the values of this part are to have.
    for (int place = 0; place < b.inputs(); ++place)
      if (b.wants(place)) b.complete(place);
    Tape tape;
    const Again a = call(b, tape.impl(), [&](const Variable& x) { return tape.watch(x); });
    sweep(b, tape.impl(), a);
  }

  /// Reading what has no gradient shows whether it is as it was.
  void check_constants(Backward& b) const {
    for (int place = static_cast<int>(uses.size()); place < b.inputs(); ++place) b.x(place);
  }

  /// Gradients go straight to where those of the inputs are summed: parts of a long sequence then
  /// take no memory for theirs.
  static void sweep(Backward& b, TapeImpl& tape, const Again& a) {
    detail::Pause pause;
    std::vector<int> slots;
    for (const Variable& x : a.targets) slots.push_back(x.record()->slot);
    if (slots.empty()) return;
    Sweep sweep(tape, false, false, 0, tape.slots.size() - 1, slots);
    const std::vector<bool> in_place = sums_of_their_own(b, a);
    for (std::size_t k = 0; k < in_place.size(); ++k)
      if (in_place[k]) sweep.add_into(slots[k], b.target(a.places[k]).array);
    for (std::size_t k = 0; k < a.outputs.size(); ++k)
      sweep.seed(a.outputs[k].record()->slot, a.dys[k]);
    sweep.run();
    for (std::size_t k = 0; k < slots.size(); ++k) {
      Variable g = sweep.finish(slots[k]);
      if (g.empty()) continue;
      if (k >= in_place.size()) b.set_dy(a.results[k - in_place.size()], std::move(g));
      else if (!in_place[k]) b.give(a.places[k], std::move(g));
    }
  }

  /// Which targets have a sum to add to in memory that no other one has a part of. While somebody
  /// holds that memory, target() would make a copy of it for the next. Where there is none yet there
  /// is to be none if nothing arrives.
  static std::vector<bool> sums_of_their_own(Backward& b, const Again& a) {
    std::vector<const Buffer*> seen;
    std::vector<bool> own;
    for (int place : a.places) {
      if (!b.has_sum(place)) {
        own.push_back(false);
        continue;
      }
      Backward::Target t = b.target(place);
      if (!t.accumulate) t.array.fill(0);
      const Buffer* memory = t.array.buffer().get();
      bool first = std::find(seen.begin(), seen.end(), memory) == seen.end();
      own.push_back(first && t.array.is_contiguous());
      seen.push_back(memory);
    }
    return own;
  }

  template <class MakeInput>
  Again call(Backward& b, TapeImpl& tape, const MakeInput& make_input) const {
    Variables inputs, given;
    Again again;
    Replay replay(tape, random ? &drawn : nullptr);
    // To see how results lead to each other, they must depend on something.
    bool all = false;
    for (int k = 0; k < b.results(); ++k) all |= b.wants_dy(k);
    for (std::size_t k = 0; k < uses.size(); ++k) {
      int place = static_cast<int>(k);
      const detail::PlainReading of_the_input;  // an input may stand for others itself
      const bool wants = b.wants(place) && is_float(b.x(place).type()),
                 recorded = all && b.is_recorded(place) && is_float(b.x(place).type());
      // With create_graph also what no gradient is asked of now may be asked of later.
      Variable x = wants || recorded ? make_input(b.x(place))
                   : b.create_graph() ? b.x(place)
                                      : detach(b.x(place));
      if (wants) {
        again.targets.push_back(x);
        again.places.push_back(place);
      }
      replay.put(uses[k], x);
      inputs.push_back(std::move(x));
    }
    for (const Given& g : own)
      given.push_back(g.parameter.empty() ? inputs[g.place] : g.parameter);
    const Variables ys = [&] {
      const FlushDenormals as_before(false);  // the sweep around this flushes them
      const struct Counted {
        Counted() { ++computing_again; }
        ~Counted() { --computing_again; }
      } counted;
      return f(given);
    }();
    for (int k = 0; k < b.results(); ++k) {
      const Variable& y = detail::read(ys[made[static_cast<std::size_t>(k)]]);
      if (y.record()->tape != tape.serial) continue;
      if (b.wants_dy(k)) {
        again.targets.push_back(y);
        again.results.push_back(k);
      }
      if (!b.has_dy(k)) continue;
      again.outputs.push_back(y);
      again.dys.push_back(b.dy(k));
    }
    return again;
  }
};

/// True if a tape that records, or notes, gives gradients to x.
bool depends_on(const TapeImpl& tape, const Variable& x) {
  const ParameterData* parameter = x.record()->parameter();
  return parameter ? !parameter->frozen : x.record()->tape == tape.serial;
}

}  // namespace

bool detail::is_computing_again() { return computing_again > 0; }

Variables recomputed(Function<Variables(const Variables&)> f, const Variables& inputs) {
  TapeImpl* tape = recording_tape();
  if (!tape || tape->options.anomaly || tape->options.keep_values) return f(inputs);
  // A value that is given twice is one, within f too; and so is one that comes out twice.
  Recomputation again{f, {}, {}, {}, tape->generator != nullptr, {}};
  Variables all, stand_ins, given, results, unrecorded;
  std::vector<bool> depends;  // of stand_ins, whether the tape gives them gradients
  for (const Variable& x : inputs) {
    if (x.empty()) fail("recomputed", "input ", given.size(), " is empty; give it a value first.");
    if (x.is_parameter()) {
      again.own.push_back({x, 0});
      given.push_back(x);
      continue;
    }
    const std::size_t place = place_of(x, all);
    if (place == all.size()) {
      all.push_back(x);
      stand_ins.push_back(detach(x));
      depends.push_back(depends_on(*tape, detail::read(x)));
    }
    again.own.push_back({{}, place});
    given.push_back(stand_ins[place]);
  }
  if (again.random) again.drawn = tape->generator->state();
  for (const Variable& x : all) again.uses.push_back({x, detail::read(x)});
  Variables ys;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // of results, and what of ys they are
  {
    const Variables own = all;
    Noting noting(*tape->self, own, stand_ins);
    for (std::size_t k = 0; k < own.size(); ++k)
      if (depends[k]) note_value(*stand_ins[k].record());
    for (const Variable& y : f(given)) {
      if (y.empty() || y.is_parameter()) {  // a Parameter is read by whoever uses it
        results.push_back(y);
        continue;
      }
      const Variable& value = detail::read(y);
      if (std::size_t k = place_of(value, stand_ins); k < stand_ins.size()) {
        results.push_back(own[k]);
      } else if (depends_on(*tape, value)) {
        const std::size_t made = place_of(value, ys);
        if (made == ys.size()) again.made.push_back(results.size()), ys.push_back(value);
        places.push_back({results.size(), made});
        results.emplace_back();
      } else {  // a constant stays one, whatever its type
        results.push_back(value);
      }
    }
    again.uses.insert(again.uses.end(), noting.uses.begin(), noting.uses.end());
    unrecorded = std::move(noting.unrecorded);
  }
  Variables used;
  for (const Use& u : again.uses) used.push_back(u.value);
  // They must not change either, but for those that f has made for itself.
  for (const Variable& x : unrecorded)
    if (!x.record().unique()) used.push_back(detach(x));
  if (ys.empty()) return results;
  std::vector<Array> values;
  for (const Variable& y : ys) values.push_back(y.value());
  ys.clear();
  const detail::PlainReading as_they_were_read;
  Op op("recomputed", std::span<const Variable>(used));
  const std::vector<Variable> recorded =
      op.record(std::move(values), std::move(again), Keep::inputs);
  tape->nodes[tape->nodes.size() - 1].joint = recorded.size() > 1;
  for (auto [result, y] : places) results[result] = recorded[y];
  return results;
}

}  // namespace unroll
