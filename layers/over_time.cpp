// Initial states, inputs, padding and stacking, for any cell. The loop itself is in loop.cpp,
// templates over the cell are in steps.hpp.
#include <unroll/layers/over_time.hpp>

#include <algorithm>

#include <unroll/autograd/node.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/sequence.hpp>

namespace unroll::detail {

namespace {

// (B) or (T, B) with axes of size 1 behind, to broadcast along values of that rank.
Variable with_rank(const Array& mask, int rank) {
  Shape shape = mask.shape();
  while (shape.rank() < rank) shape.push_back(1);
  return mask.reshaped(shape);
}

Shape with_axis(Size first, const Shape& shape) {
  Shape result{first};
  for (Size s : shape) result.push_back(s);
  return result;
}

void clear_rows(const Array& mask, Array rows) {
  for (Size b = 0; b < mask.size(); ++b)
    if (mask.at({b}) == 0) rows[b].fill(0);
}

}  // namespace

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

void fail_list(const std::string& label, std::size_t given, std::size_t zero) {
  fail(label, "a list in the initial state has ", given, " values; expected ", zero,
       " as in zero_state, or none.");
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

// ---- inputs ------------------------------------------------------------------------------------

namespace {

// 0 * NaN is NaN in the backward pass of a product, so selecting among its results is not enough.
// `xs` begins at step `first`; what is float reads as `instead` where it is padded.
Variable without_padding(const Padding& padding, const Variable& xs, Size first,
                         const Array& instead) {
  if (padding.none()) return xs;
  if (is_float(xs.type())) {
    const Array mask = padding.all(xs.rank()).value().sliced(0, first, first + xs.size(0));
    return where(mask, xs, instead);
  }
  Array cleared = xs.value().copy();
  for (Size t = 0; t < cleared.size(0); ++t)
    clear_rows(padding.at(first + t, 1).value(), cleared[t]);
  return cleared;
}

}  // namespace

InputRows::InputRows(const std::string& label, const Variables& sequences,
                     const std::vector<Size>& lengths, const Variable& mask, bool all)
    : sequences_(sequences) {
  if (sequences.empty()) fail(label, "its Input has no values; expected a sequence (T, B, ...).");
  for (std::size_t k = 0; k < sequences.size(); ++k) {
    const Variable& xs = sequences[k];
    if (xs.empty()) fail(label, "input ", k, " is empty; expected a sequence (T, B, ...).");
    if (xs.rank() < 2)
      fail(label, "the input is ", xs.shape(), "; expected a sequence (T, B, ...), time first.");
    if (k == 0) {
      steps_ = xs.size(0);
      padding_ = Padding(label, lengths, mask, steps_, xs.size(1));
    } else if (xs.size(0) != steps_ || xs.size(1) != sequences[0].size(1)) {
      fail(label, "input ", k, " is ", xs.shape(), ", the first one ", sequences[0].shape(),
           "; expected the same T and B.");
    }
    const bool reads_others = !padding_.none() && is_float(xs.type());
    instead_.push_back(reads_others ? padding_.in_its_place(xs.value()) : Array());
  }
  load(0, all ? steps_ : std::min<Size>(steps_, 1));
  for (std::size_t k = 0; k < sequences.size(); ++k) {
    Shape one = sequences[k].shape();
    one.erase(0);
    some_.push_back(steps_ > 0 ? rows_[k][0] : Variable(zeros(one, sequences[k].type())));
  }
}

void InputRows::load(Size first, Size end) {
  rows_.clear();
  first_ = first;
  std::size_t k = 0;
  for (const Variable& xs : slices(first, end))
    rows_.push_back(rows_of(without_padding(padding_, xs, first, instead_[k++])));
}

Variables InputRows::slices(Size first, Size end) const {
  Variables parts;
  for (const Variable& xs : sequences_)
    parts.push_back(end - first == xs.size(0) ? xs : sliced(xs, 0, first - start_, end - start_));
  return parts;
}

InputRows InputRows::part(const Variables& slices, Size first) const {
  InputRows part;
  part.steps_ = steps_;
  part.padding_ = padding_;
  part.sequences_ = slices;
  part.start_ = first;
  part.instead_ = instead_;
  part.some_ = some_;
  return part;
}

Padding::Padding(const std::string& label, const std::vector<Size>& lengths, const Variable& mask,
                 Size steps, Size batch) {
  if (lengths.empty() && mask.empty()) return;
  if (!lengths.empty() && !mask.empty())
    fail(label, "lengths and mask are both given; expected one of them.");
  mask_ = zeros({steps, batch});
  if (mask.empty())
    read(label, lengths);
  else
    read(label, mask);
  const float* real = mask_.data<float>();
  if (std::all_of(real, real + steps * batch, [](float m) { return m == 1; })) return;
  active_ = zeros({steps}, int64);
  Size* active = active_.mutable_data<Size>();
  first_.assign(static_cast<std::size_t>(batch), steps);
  last_.assign(static_cast<std::size_t>(batch), -1);
  for (Size t = 0; t < steps; ++t, real += batch) {
    active[t] = std::count(real, real + batch, 1.f);
    for (std::size_t b = 0; b < first_.size(); ++b)
      if (real[b] == 1) first_[b] = std::min(first_[b], t), last_[b] = t;
  }
}

bool Padding::has_begun(std::size_t b, Size k, bool reverse) const {
  return reverse ? last_[b] >= mask_.size(0) - k : first_[b] < k;
}

bool Padding::begun(Size k, bool reverse) const {
  bool all = true;
  for (std::size_t b = 0; b < first_.size(); ++b) all &= has_begun(b, k, reverse);
  return all;
}

Variable Padding::begun(Size k, bool reverse, int rank) const {
  Array begun({batch()}, float32);
  for (std::size_t b = 0; b < first_.size(); ++b)
    begun.mutable_data<float>()[b] = has_begun(b, k, reverse);
  return with_rank(begun, rank);
}

void Padding::read(const std::string& label, const std::vector<Size>& lengths) {
  Size steps = mask_.size(0), batch = mask_.size(1);
  if (static_cast<Size>(lengths.size()) != batch)
    fail(label, lengths.size(), " lengths for a batch of ", batch, "; expected one a sequence.");
  for (Size b = 0; b < batch; ++b) {
    Size length = lengths[static_cast<std::size_t>(b)];
    if (length < 0 || length > steps)
      fail(label, "a length is ", length, ", the input has ", steps, " steps; expected 0 to ",
           steps, ".");
    mask_.sliced(0, 0, length).sliced(1, b, b + 1).fill(1);
  }
}

void Padding::read(const std::string& label, const Variable& mask) {
  if (mask.shape() != mask_.shape())
    fail(label, "the mask is ", mask.shape(), "; expected one number for each step and sequence, ",
         mask_.shape(), ".");
  const std::vector<double> numbers = mask.value().to_vector<double>();
  float* real = mask_.mutable_data<float>();
  for (std::size_t k = 0; k < numbers.size(); ++k) real[k] = numbers[k] != 0 ? 1 : 0;
}

Array Padding::in_its_place(const Array& xs) const {
  Shape shape = xs.shape();
  shape[0] = 1;
  Array row(shape, xs.type());
  std::vector<Size> without;
  Array any;
  for (Size b = 0; b < batch(); ++b) {
    const Size t = first_[static_cast<std::size_t>(b)];
    if (t == xs.size(0)) {
      without.push_back(b);
      continue;
    }
    any = xs[t][b];
    row[0][b].assign(any);
  }
  for (Size b : without)
    if (any.buffer()) row[0][b].assign(any);
  return row;
}

Variable Padding::at(Size t, int rank) const { return with_rank(mask_[t], rank); }
Variable Padding::all(int rank) const { return with_rank(mask_, rank); }

// ---- what is asked of the states ---------------------------------------------------------------

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
