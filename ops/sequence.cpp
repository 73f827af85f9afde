// Products that the rows of a sequence share, kept with the sequence; see sequence.hpp.
#include <unroll/ops/sequence.hpp>

#include <mutex>

#include <unroll/autograd/node.hpp>
#include <unroll/autograd/substitution.hpp>
#include <unroll/ops/linear.hpp>

namespace unroll {

namespace {

struct Product {
  Variable weight;
  std::uint32_t version;
  std::uint64_t tape;
  std::vector<Variable> rows;  // empty until the weight is used a second time
};

struct Sequence : Shared {
  Variable whole;
  std::uint32_t version;  // of its numbers, when it was taken apart
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

std::vector<Variable> rows_without_mark(const Variable& xs) {
  return views("unstack", xs, [](const Array& a) {
    std::vector<Array> rows;
    for (Size t = 0; t < a.size(0); ++t) rows.push_back(a[t]);
    return rows;
  });
}

}  // namespace

std::vector<Variable> rows_of(const Variable& xs) {
  if (xs.rank() == 0) fail("rows_of", "a scalar () is no sequence; expected (T, ...).");
  std::vector<Variable> rows = rows_without_mark(xs);
  if (xs.rank() < 2 || !is_float(xs.type()) || rows.size() < 2) return rows;
  Ref<Sequence> sequence(new Sequence);
  sequence->whole = xs;
  sequence->version = xs.value().version();
  for (const Variable& row : rows) row.record()->sequence = Ref<Shared>(sequence.get());
  return rows;
}

Variable detail::product_of_row(const Variable& x, const Variable& weight) {
  const Variable& W = read(weight);
  if (x.empty() || !x.record()->sequence || W.rank() != 2) return {};
  auto& sequence = static_cast<Sequence&>(*x.record()->sequence);
  if (sequence.whole.size(-1) != W.size(1) || sequence.whole.type() != W.type()) return {};
  // Steps may be written while others are read, by a network that is fed what it said.
  if (sequence.whole.value().version() != sequence.version) return {};
  TapeImpl* tape = recording_tape();
  if (tape && tape->options.anomaly) return {};  // which is to say in which step it happened
  std::lock_guard lock(sequence.mutex);
  std::uint64_t serial = tape ? tape->serial : 0;
  const Array& whole = sequence.whole.value();
  Size stride = whole.strides()[0];  // 0: rows are alike
  auto row = static_cast<std::size_t>(
      stride == 0 ? 0 : (x.value().offset() - whole.offset()) / stride);
  for (Product& p : sequence.products) {
    if (!(p.weight.record() == W.record()) || p.version != W.value().version() || p.tape != serial)
      continue;
    OutsideSteps outside(tape);
    if (p.rows.empty()) p.rows = rows_without_mark(linear(sequence.whole, W));
    return p.rows[row];
  }
  // A weight that is made in each step would fill the list: the oldest goes.
  constexpr std::size_t kMost = 8;
  if (sequence.products.size() == kMost) sequence.products.erase(sequence.products.begin());
  sequence.products.push_back({W, W.value().version(), serial, {}});
  return {};
}

}  // namespace unroll
