// Starts of single values, and the sentences that refuse those that do not fit. How they are put
// into a State is in starts.hpp.
#include <unroll/layers/starts.hpp>

#include <unroll/autograd/op.hpp>

namespace unroll::detail {

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

}  // namespace unroll::detail
