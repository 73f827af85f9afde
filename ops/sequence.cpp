// Products that the rows of a sequence share, kept with the sequence; see sequence.hpp.
#include <unroll/ops/sequence.hpp>

#include <algorithm>
#include <mutex>

#include <unroll/autograd/node.hpp>
#include <unroll/autograd/substitution.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

bool is_frozen(const Variable& v) {
  const ParameterData* parameter = v.empty() ? nullptr : v.record()->parameter();
  return parameter && parameter->frozen;
}

/// Numbers that are the same as long as their version is, with a gradient or without.
struct Operand {
  Variable variable;
  std::uint32_t version = 0;
  bool frozen = false;

  explicit Operand(const Variable& v)
      : variable(v), version(v.empty() ? 0 : v.value().version()), frozen(is_frozen(v)) {}
  bool is(const Variable& v) const {
    return variable.record() == v.record() &&
           (v.empty() || (version == v.value().version() && frozen == is_frozen(v)));
  }
};

/// One weight's product with all rows, made part by part: what belongs to a part of a long sequence
/// is freed when the backward pass has gone through it.
struct Product {
  Operand weight, bias;
  std::uint64_t tape;
  Size first;          // where the row lies with which the weight was used first
  bool begun = false;  // not before it is used with another one
  std::vector<Variable> rows = {};  // by step
  std::vector<bool> made = {};      // by part
  Size last = -1;                   // the row given away last
};

/// Steps of one part: so many that their product is as fast as a longer one, and where the weight is
/// small no more, as what lies between the two uses of a part shall fit in a cache. All parts are
/// about as long, so that none is too short for that.
Size steps_in_part(const Array& whole) {
  const Shape& shape = whole.shape();
  const Size enough = std::clamp<Size>(2 * shape.back(), 256, 512);  // rows
  Size rows = 1;  // of one step
  for (int axis = 1; axis + 1 < whole.rank(); ++axis) rows *= shape[axis];
  const Size most = rows > 0 ? (enough + rows - 1) / rows : enough;
  const Size parts = (shape[0] + most - 1) / most;
  return (shape[0] + parts - 1) / parts;
}

struct Sequence : Shared {
  explicit Sequence(const Variable& xs)
      : whole(xs), version(xs.value().version()), steps(xs.shape()[0]),
        part(steps_in_part(xs.value())) {}

  const Variable whole;
  std::uint64_t tape = 0;  // that has recorded the rows, 0 if none has
  int slot = -1;           // of row 0 there
  const std::uint32_t version;  // of its numbers, when it was taken apart
  const std::uint64_t noted = noting();  // what a part that is computed again depends on is noted
  const Size steps, part;       // in all, and in a part of its products
  std::mutex mutex;
  std::vector<Product> products;
};

/// What belongs to all time steps is recorded in none of them.
struct OutsideSteps {
  TapeImpl* tape;
  Size step = tape ? tape->step : -1;
  explicit OutsideSteps(TapeImpl* t) : tape(t) {
    if (tape) tape->step = -1;
  }
  ~OutsideSteps() {
    if (tape) tape->step = step;
  }
};

}  // namespace

std::vector<Variable> rows_of(const Variable& given) {
  const Variable& read = detail::read(given);
  const detail::PlainReading is_read;
  if (read.rank() == 0) fail("rows_of", "a scalar () is no sequence; expected (T, ...).");
  const bool shares = read.rank() > 1 && is_float(read.type()) && read.size(0) > 1;
  // A row is told by where it lies: one that is repeated has to lie there several times.
  const bool repeats = shares && read.size() > 0 && read.value().strides()[0] == 0;
  const Variable xs = repeats ? contiguous(read) : read;
  std::vector<Variable> rows = unstack(xs);
  if (!shares) return rows;
  const Ref<Sequence> sequence(new Sequence(xs));
  if (const Record& row = *rows[0].record(); recording_tape()) {
    sequence->tape = row.tape;
    sequence->slot = row.slot;
  }
  const Ref<Shared> shared(sequence.get());
  Copies<Shared> copies(shared, rows.size());
  for (const Variable& row : rows) row.record()->sequence = copies.next();
  return rows;
}

namespace {

/// Steps first..end, as rows where the product's tape has recorded those.
Variable steps_between(const Product& p, const Sequence& s, Size first, Size end) {
  if (p.tape != 0 && p.tape == s.tape)
    return rows_together(s.whole, first, end, s.slot + static_cast<int>(first));
  return s.part < s.steps ? sliced(s.whole, 0, first, end) : s.whole;
}

void make_part(Product& p, const Sequence& s, Size part) {
  const Size first = part * s.part, end = std::min(first + s.part, s.steps);
  const detail::PlainReading is_read;
  Variables terms{steps_between(p, s, first, end), p.weight.variable};
  if (!p.bias.variable.empty()) terms.push_back(p.bias.variable);
  std::vector<Variable> rows = unstack(affine_of(terms));
  std::move(rows.begin(), rows.end(), p.rows.begin() + first);
  p.made[static_cast<std::size_t>(part)] = true;
}

/// The step whose row lies `distance` elements behind the first one. Most are asked for in order,
/// and a division takes as long as twenty other instructions.
Size step_at(Size distance, Size stride, Size last, Size steps) {
  if (stride == 0) return (last + 1) % steps;  // they have no numbers
  if (distance == (last + 1) * stride) return last + 1;
  if (distance == (last - 1) * stride) return last - 1;
  return distance / stride;
}

/// The row at x, taken out of those that are left; empty if it has been given away.
Variable take_row(Product& p, const Array& x, const Sequence& s) {
  const Array& whole = s.whole.value();
  const Size t = p.last = step_at(x.offset() - whole.offset(), whole.strides()[0], p.last, s.steps);
  Variable& row = p.rows[static_cast<std::size_t>(t)];
  if (row.empty()) {
    const Size part = t / s.part;
    if (!p.made[static_cast<std::size_t>(part)]) make_part(p, s, part);
  }
  return std::move(row);
}

bool gets_gradients(const Record& x, std::uint64_t tape) {
  const ParameterData* parameter = x.parameter();
  return parameter ? !parameter->frozen : x.tape == tape;
}

/// Weights that are made in each step would fill the list: what other tapes have made goes first, then
/// what was used with one row only.
void make_room(std::vector<Product>& products, std::uint64_t tape) {
  constexpr std::size_t kMost = 8;
  if (products.size() < kMost) return;
  auto goes = std::find_if(products.begin(), products.end(),
                           [&](const Product& p) { return p.tape != tape; });
  if (goes == products.end())
    goes = std::find_if(products.begin(), products.end(), [](const Product& p) { return !p.begun; });
  products.erase(goes == products.end() ? products.begin() : goes);
}

/// True if x W^T + b may be made of all rows at once.
bool is_bias_of_rows(const Variable& b, const Variable& W) {
  return !b.empty() && b.rank() == 1 && b.shape()[0] == W.shape()[0] && b.type() == W.type();
}

}  // namespace

detail::RowProduct detail::product_of_row(const Variable& x, const Variable& weight,
                                          const Variable& bias) {
  const Variable& W = read(weight);
  if (x.empty() || !x.record()->sequence || W.rank() != 2) return {};
  auto& sequence = static_cast<Sequence&>(*x.record()->sequence);
  // To a part that is computed again, rows that are not its own are inputs one by one.
  if (sequence.noted != noting() || read(x).record() != x.record()) return {};
  if (sequence.whole.shape().back() != W.shape()[1] || sequence.whole.type() != W.type()) return {};
  // Steps may be written while others are read, by a network that is fed what it said.
  if (sequence.whole.value().version() != sequence.version) return {};
  TapeImpl* tape = recording_tape();
  // Which are to say in which step something happened, or what each value was.
  if (tape && (tape->options.anomaly || tape->options.keep_values)) return {};
  std::uint64_t serial = tape ? tape->serial : 0;
  // Rows are what their sequence was when they were taken: constants if that was before the tape,
  // within no_grad or while it was frozen.
  if (tape && gets_gradients(*sequence.whole.record(), serial) != (serial == sequence.tape)) return {};
  static const Variable none;
  const Variable& b = is_bias_of_rows(bias, W) ? read(bias) : none;
  // The sequence would hold its own rows for ever, or another that holds its rows.
  if (W.record()->sequence || (!b.empty() && b.record()->sequence)) return {};
  std::lock_guard lock(sequence.mutex);
  for (Product& p : sequence.products) {
    if (!p.weight.is(W) || p.tape != serial) continue;
    if (!p.begun && !p.bias.is(b)) p.bias = Operand({});  // one that changes from step to step
    if (!p.begun) {
      if (x.value().offset() == p.first) return {};
      p.begun = true;
      p.rows.resize(static_cast<std::size_t>(sequence.steps));
      p.made.resize(static_cast<std::size_t>((sequence.steps + sequence.part - 1) / sequence.part));
    }
    const bool has_bias = !p.bias.variable.empty();
    if (has_bias && !p.bias.is(b)) return {};
    OutsideSteps outside(tape);
    Variable row = take_row(p, x.value(), sequence);
    const bool with_bias = has_bias && !row.empty();
    return {std::move(row), with_bias};
  }
  make_room(sequence.products, serial);
  sequence.products.push_back({Operand(W), Operand(b), serial, x.value().offset()});
  return {};
}

}  // namespace unroll
