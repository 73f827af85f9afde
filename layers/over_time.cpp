// Initial states and stacking, for any cell. Inputs are in input_rows.cpp, the loop is in loop.cpp,
// templates over the cell are in steps.hpp.
#include <unroll/layers/over_time.hpp>

#include <algorithm>
#include <mutex>

#include <unroll/autograd/node.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll::detail {

// ---- initial states ----------------------------------------------------------------------------

Array zeros_for(const std::string& label, const Variables& x, Size hidden) {
  if (x.empty() || x[0].rank() == 0)
    fail(label, "one step's input is ", x.empty() ? std::string("nothing") : x[0].shape().text(),
         "; expected the batch as its first axis, (B, ...).");
  return zeros({x[0].size(0), hidden}, x[0].type() == float64 ? float64 : float32);
}

namespace {

/// True for a start without the batch axis, which may be one number along others: of each channel
/// of an image, whatever its size.
bool is_start_of_each(const Shape& given, const Shape& step) {
  bool fits = given.rank() == step.rank();
  for (int k = 0; fits && k < step.rank(); ++k) fits = given[k] == step[k] || given[k] == 1;
  return fits;
}

}  // namespace

Variable start_of(const std::string& label, const Variable& given, const Variable& zero) {
  if (given.empty()) return zero;
  if (zero.empty() || zero.rank() == 0) return given;
  Shape without_batch = zero.shape();
  without_batch.erase(0);
  if (is_start_of_each(given.shape(), without_batch)) return broadcast_to(given, zero.shape());
  // A scalar is no state of a sequence but of all together, such as a running loss.
  if (given.rank() > 0 && given.size(0) != zero.size(0))
    fail(label, "a value of the initial state is ", given.shape(), ", the input has a batch of ",
         zero.size(0), "; expected ", zero.shape(), ", or ", without_batch,
         " for the same start everywhere.");
  return given;
}

Variables starts_of(const std::string& label, const Variables& given, const Variable& zero) {
  const Size batch = zero.size(0), hidden = zero.size(1);
  bool all_without_batch = true;
  for (const Variable& v : given) all_without_batch &= !v.empty() && v.rank() == 1;
  Variables starts;
  for (const Variable& v : given) {
    const bool numbers = !v.empty() && v.rank() == 1 && v.size(0) == batch;
    if (numbers && batch > 1 && batch == hidden && !all_without_batch && !v.is_parameter())
      fail(label, "a value of the initial state is ", v.shape(), ", and both the batch and hidden ",
           "are ", batch, ": of each sequence, or the same for all? Give the cell ",
           "`State zero_state(const Variable& x) const`, which says it.");
    starts.push_back(numbers && batch != hidden ? v : start_of(label, v, zero));
  }
  return starts;
}

void fail_list(const std::string& label, std::size_t given, std::size_t zero) {
  fail(label, "a list in the initial state has ", given, " values; expected ", zero,
       " as in zero_state, or none.");
}

void fail_empty_list(const std::string& label) {
  fail(label, "a list in its State has no start; pass it as .initial, or give the cell ",
       "`State zero_state(const Variable& x) const`, which may leave it empty.");
}

void check_start(const std::string& label, const Variables& values, const Variables& x) {
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (values[k].empty())
      fail(label, "value ", k, " of its State has no start; pass it as .initial, or give the cell ",
           "`State zero_state(const Variable& x) const`.");
    if (!x.empty() && x[0].rank() > 0 && values[k].rank() > 0 && values[k].size(0) != x[0].size(0))
      fail(label, "value ", k, " of the initial state is ", values[k].shape(),
           ", the input has a batch of ", x[0].size(0), "; expected the same first axis.");
  }
}

// ---- what is asked of the states ---------------------------------------------------------------

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
