// Padding, by lengths or a mask, and the rows of sequences, in parts where the loop asks for parts.
// Products of rows that are made for all steps at once are in ops/sequence.cpp.
#include <unroll/layers/input_rows.hpp>

#include <algorithm>

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

}  // namespace

// ---- padding -----------------------------------------------------------------------------------

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

bool Padding::is(Which which, std::size_t b, Size k, bool reverse) const {
  const Size steps = mask_.size(0);
  const bool begun = reverse ? last_[b] >= steps - k : first_[b] < k,
             ended = reverse ? first_[b] >= steps - k : last_[b] < k;
  return which == Which::ended ? ended : begun && !ended;
}

Size Padding::count(Which which, Size k, bool reverse) const {
  Size n = 0;
  for (std::size_t b = 0; b < first_.size(); ++b) n += is(which, b, k, reverse);
  return n;
}

Variable Padding::those(Which which, Size k, bool reverse, int rank) const {
  Array chosen({batch()}, float32);
  for (std::size_t b = 0; b < first_.size(); ++b)
    chosen.mutable_data<float>()[b] = is(which, b, k, reverse);
  return with_rank(chosen, rank);
}

void Padding::read(const std::string& label, const std::vector<Size>& lengths) {
  Size steps = mask_.size(0), batch = mask_.size(1);
  if (static_cast<Size>(lengths.size()) != batch)
    fail(label, lengths.size(), " lengths for a batch of ", batch,
         "; expected one a sequence, of an input (T, B, ...).");
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

// ---- rows --------------------------------------------------------------------------------------

namespace {

void clear_rows(const Array& mask, Array rows) {
  for (Size b = 0; b < mask.size(); ++b)
    if (mask.at({b}) == 0) rows[b].fill(0);
}

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

}  // namespace unroll::detail
