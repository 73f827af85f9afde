// Binomial checkpointing: the arithmetic of Griewank and Walther (2000), in units of several steps.
#include <unroll/layers/recompute_schedule.hpp>

#include <algorithm>
#include <cmath>

namespace unroll::detail {

namespace {

// Binomial coefficient (s + r over s): how many units s states allow when none is computed more
// than r times again. As a double: the largest do not fit into an integer, and are only compared;
// what is far above every number of units is as good as any.
double reach(Size s, Size r) {
  if (s < 0 || r < 0) return 0;
  double product = 1;
  for (Size k = 1; k <= std::min(s, r) && product < 1e18; ++k)
    product = product * static_cast<double>(std::max(s, r) + k) / static_cast<double>(k);
  return std::round(product);
}

/// How often the unit that is worst off is computed again.
Size repetitions(Size n, Size s) {
  Size r = 0;
  while (reach(s, r) < static_cast<double>(n)) ++r;
  return r;
}

/// With how many states none of n units is computed more than r times again.
Size states_for(Size n, Size r) {
  Size low = 0, high = n - 1;
  while (low < high) {
    const Size s = (low + high) / 2;
    if (reach(s, r) < static_cast<double>(n))
      low = s + 1;
    else
      high = s;
  }
  return low;
}

}  // namespace

double recomputed_units(Size n, Size s) {
  if (n <= 1) return 0;
  Size r = repetitions(n, s);
  return static_cast<double>(r) * static_cast<double>(n) - reach(s + 1, r - 1);
}

std::vector<Size> parts_of(Size n, Size s) {
  std::vector<Size> parts;
  for (; n > 1; --s) {
    Size r = repetitions(n, s);
    double first = std::min(reach(s, r - 1), static_cast<double>(n) - reach(s - 1, r - 1));
    parts.push_back(static_cast<Size>(first));
    n -= parts.back();
  }
  if (n > 0) parts.push_back(n);
  return parts;
}

namespace {

double recorded(const SequenceMemory& memory, Size unit) {
  const Size steps = std::max(unit, memory.least_unit), waiting = std::min(steps, memory.waiting);
  double bytes = memory.last + memory.step * static_cast<double>(waiting) +
                 memory.further * static_cast<double>(steps - waiting);
  for (const SequenceMemory::More& m : memory.more)
    if (unit >= m.unit) bytes += m.bytes;
  return bytes;
}

/// What is computed r times again is recorded r parts deep, beside the tape of all.
double taken_by(const SequenceMemory& memory, Size unit, Size r) {
  return (memory.tape + memory.left * static_cast<double>(unit)) * static_cast<double>(r) +
         recorded(memory, unit);
}

Size next_unit(Size unit) { return std::max(unit + 1, unit + unit / 8); }

}  // namespace

double least_budget(Size steps, const SequenceMemory& memory) {
  double least = recorded(memory, steps);
  for (Size unit = 1; unit <= steps; unit = next_unit(unit)) {
    const Size n = (steps + unit - 1) / unit;
    for (Size r = n > 1 ? 1 : 0;; ++r) {
      const Size needed = states_for(n, r);
      least =
          std::min(least, taken_by(memory, unit, r) + memory.state * static_cast<double>(needed));
      if (needed <= 1) break;
    }
  }
  return memory.fixed + least;
}

RecomputeSchedule schedule_within(const std::string& label, Size steps,
                                  const SequenceMemory& memory, double budget) {
  const double room = budget - memory.fixed;
  if (recorded(memory, steps) <= room) return {steps, 0};
  RecomputeSchedule best;
  double cheapest = 0;
  for (Size unit = 1; unit <= steps; unit = next_unit(unit)) {
    const Size n = (steps + unit - 1) / unit;
    for (Size r = n > 1 ? 1 : 0;; ++r) {
      const Size needed = states_for(n, r);
      const double taken = taken_by(memory, unit, r);
      const double most = std::clamp((room - taken) / memory.state, 0.0, static_cast<double>(n));
      if (const auto s = static_cast<Size>(most); taken <= room && s >= needed) {
        const double cost = recomputed_units(n, s) * static_cast<double>(unit);
        if (best.unit == 0 || cost < cheapest) best = {unit, s}, cheapest = cost;
        break;
      }
      if (needed <= 1) break;
    }
  }
  if (best.unit == 0)
    fail(label, "memory_budget is ", static_cast<Size>(budget), " bytes; expected at least ",
         static_cast<Size>(std::ceil(least_budget(steps, memory))),
         " for its weights' gradients, steps and states.");
  return best;
}

}  // namespace unroll::detail
