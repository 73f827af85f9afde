// What a tape holds and what it cost: nodes, bytes and time by op and by time step. Pictures of a
// tape are in graph.hpp.
#pragma once

#include <unroll/autograd/tape.hpp>

namespace unroll {

/// The nodes of one op, or of one time step.
struct TapeRow {
  std::string name;     ///< the op, "t=3", or "no step"
  Size step = -1;
  Size nodes = 0;
  Size bytes = 0;       ///< of the results; views have none of their own
  Size kept = 0;        ///< of the values that the tape holds for the gradients now
  double forward = 0;   ///< seconds, of a tape with {.profile = true}
  double backward = 0;
};

struct TapeReport {
  std::vector<TapeRow> ops;    ///< most time first, without times most bytes first
  std::vector<TapeRow> steps;  ///< in order of time
  TapeRow total;
  bool timed = false;

  /// Two tables.
  std::string text() const;
};

/// What the tape has recorded so far. Backward times add up over the sweeps made.
TapeReport report(const Tape& tape);

}  // namespace unroll
