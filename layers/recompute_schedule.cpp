// Binomial checkpointing: the arithmetic of Griewank and Walther (2000), in units of several steps.
#include <unroll/layers/recompute_schedule.hpp>

#include <algorithm>
#include <cmath>

namespace unroll::detail {

namespace {

// Binomial coefficient (s + r over s): how many units s states allow when none is computed more
// than r times again. As a double: the largest do not fit into an integer, and are only compared.
double reach(Size s, Size r) {
  if (s < 0 || r < 0) return 0;
  double product = 1;
  for (Size k = 1; k <= std::min(s, r); ++k)
    product = product * static_cast<double>(std::max(s, r) + k) / static_cast<double>(k);
  return std::round(product);
}

/// How often the unit that is worst off is computed again.
Size repetitions(Size n, Size s) {
  Size r = 0;
  while (reach(s, r) < static_cast<double>(n)) ++r;
  return r;
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

RecomputeSchedule schedule_within(const std::string& label, Size steps,
                                  const SequenceMemory& memory, double budget) {
  const double room = budget - memory.fixed;
  if (memory.step * static_cast<double>(steps) <= room) return {steps, 0};
  RecomputeSchedule best;
  double least = 0;
  for (Size unit = 1; unit <= steps; unit = std::max(unit + 1, unit + unit / 8)) {
    double left = room - memory.step * static_cast<double>(unit);
    const Size n = (steps + unit - 1) / unit;
    auto s = static_cast<Size>(std::clamp(left / memory.state, 0.0, static_cast<double>(n)));
    if (left < 0 || (n > 1 && s == 0)) break;
    double cost = recomputed_units(n, s) * static_cast<double>(unit);
    if (best.unit > 0 && cost >= least) continue;
    best = {unit, s};
    least = cost;
  }
  if (best.unit == 0)
    fail(label, "memory_budget is ", budget, " bytes; expected at least ",
         std::ceil(memory.fixed + memory.step + memory.state),
         " for its weights' gradients, one step and one state.");
  return best;
}

}  // namespace unroll::detail
