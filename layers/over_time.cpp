// What is asked of the states that a run has kept, for any cell: stacking. Starts are in starts.cpp,
// inputs in input_rows.cpp, the loop in loop.cpp, templates over the cell in steps.hpp.
#include <unroll/layers/over_time.hpp>

#include <algorithm>
#include <mutex>

#include <unroll/autograd/node.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll::detail {

namespace {
std::mutex caches;
}

CacheLock::CacheLock() { caches.lock(); }
CacheLock::~CacheLock() { caches.unlock(); }

std::uint64_t recording_serial() {
  const TapeImpl* tape = recording_tape();
  return tape ? tape->serial : 0;
}

void check_kept(const std::string& label, std::size_t kept, Size steps, Size t) {
  if (static_cast<Size>(kept) != steps)
    fail(label,
         "its states were not kept (keep_states = false): only last() is there; a loss over ",
         "all steps belongs into the State.");
  if (steps > 0 && (t < 0 || t >= steps))
    fail(label, "has no state ", t, "; expected 0 to ", steps - 1, ".");
}

namespace {

Shape with_axis(Size first, const Shape& shape) {
  Shape result{first};
  for (Size s : shape) result.push_back(s);
  return result;
}

/// What is to be stacked has another shape at step t than at the first one.
[[noreturn]] void fail_changed(const std::string& label, const std::string& what, Size t,
                               const Variable& first, const Variable& now) {
  fail(label, what, " is ", first.shape(), " at step 0 and ", now.shape(), " at step ", t,
       ", which cannot be stacked; ask for the steps one by one, states[t].");
}

}  // namespace

Variable stack_outputs(const std::string& label, Size steps, const Padding& padding,
                       Function<const Variable&(Size, Variable&)> output) {
  Scope scope(label);
  Variables made(static_cast<std::size_t>(std::max<Size>(steps, 1)));
  if (steps == 0) {
    const Variable& y = output(-1, made[0]);
    return zeros(with_axis(0, y.shape()), y.type());
  }
  std::vector<const Variable*> ys;
  ys.reserve(made.size());
  for (Size t = 0; t < steps; ++t) {
    scope.step(t);
    ys.push_back(&output(t, made[static_cast<std::size_t>(t)]));
    if (ys.back()->shape() != ys[0]->shape())
      fail_changed(label, "its output", t, *ys[0], *ys.back());
  }
  scope.step(-1);
  Variable stacked = detail::stack_along(ys, 0);
  if (padding.none()) return stacked;
  if (stacked.rank() < 2 || stacked.size(1) != padding.batch())
    fail(label, "its output is ", ys[0]->shape(),
         "; with padding its first axis must be the batch (", padding.batch(), ").");
  return where(padding.all(stacked.rank()), stacked, 0.0);
}

Variables stack_values(const std::string& label, const Variables& last, Size steps,
                       Function<Variables(Size)> values) {
  Scope scope(label);
  std::vector<Variables> columns(last.size());
  for (Size t = 0; t < steps; ++t) {
    Variables row = values(t);
    if (row.size() != last.size())
      fail(label, "its State holds ", row.size(), " values at step ", t, " and ", last.size(),
           " at the end; all() needs the same number.");
    for (std::size_t k = 0; k < row.size(); ++k) {
      if (row[k].empty())
        fail(label, "value ", k, " of its State is empty after step ", t,
             "; all() needs every field that step() returns.");
      columns[k].push_back(std::move(row[k]));
      const Variable &first = columns[k][0], &now = columns[k].back();
      if (now.shape() != first.shape())
        fail_changed(label, join("value ", k, " of its State"), t, first, now);
    }
  }
  Variables stacked;
  for (std::size_t k = 0; k < last.size(); ++k)
    stacked.push_back(steps > 0 ? stack_along(columns[k])
                                : Variable(zeros(with_axis(0, last[k].shape()), last[k].type())));
  return stacked;
}

}  // namespace unroll::detail
