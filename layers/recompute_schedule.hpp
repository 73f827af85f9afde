// Which states of a sequence are kept and which are computed again by the backward pass, so that
// it fits into a given memory at the least cost: arithmetic, and in recompute_memory.cpp the
// figures for it. recomputed_loop.cpp carries it out. Internal.
#pragma once

#include <limits>
#include <vector>

#include <unroll/autograd/shape.hpp>

namespace unroll::detail {

/// A sequence of steps is cut into units. The backward pass records one unit at a time; the states
/// before other units are kept, at most `states` of them at once, or computed again.
struct RecomputeSchedule {
  Size unit = 0;    ///< steps
  Size states = 0;  ///< beside the first one
};

/// What a sequence takes, in bytes.
struct SequenceMemory {
  double fixed = 0;     ///< whatever its length
  double tape = 0;      ///< each of the tapes on which parts are recorded within parts
  double left = 0;      ///< on each of those, of a step that it has been back over
  double last = 0;      ///< the last of them, on which steps are recorded
  double state = 0;     ///< a kept state
  double step = 0;      ///< a recorded step, and its part of the backward pass
  Size least_unit = 1;  ///< fewer steps take as much as that many
  Size waiting = std::numeric_limits<Size>::max();  ///< of more, no more wait for products:
  double further = 0;                               ///< what each of those takes
  struct More {
    Size unit;
    double bytes;
  };
  std::vector<More> more = {};  ///< what units of that many steps or more take beside all that
};

struct Steps;
struct RunOptions;

/// The same of steps, measured: some are run, forward and backward, on tapes of their own.
SequenceMemory memory_of(const Steps& steps, const RunOptions& options, bool keeps_states);

/// How many units are computed once more when n of them are gone through backwards with s kept
/// states: the least possible (Griewank and Walther 2000, "Revolve"). s >= 1 unless n <= 1.
double recomputed_units(Size n, Size s);

/// The lengths of the parts, in units, into which n units are cut by kept states: part i of them is
/// gone through backwards with s - i states for itself, so that recomputed_units(n, s) is reached.
/// The last part is one unit, which is recorded at once.
std::vector<Size> parts_of(Size n, Size s);

/// The least bytes in which that many steps can be gone through.
double least_budget(Size steps, const SequenceMemory& memory);

/// The cheapest schedule for that many steps whose states and recorded unit take at most
/// `budget` bytes; unit = steps if all can be recorded. Throws Error("[label] ...") with the least
/// possible budget if there is none.
RecomputeSchedule schedule_within(const std::string& label, Size steps,
                                  const SequenceMemory& memory, double budget);

}  // namespace unroll::detail
