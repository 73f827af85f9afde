// Sorting, cutting and filling up; see padded_batches.hpp. Every random choice comes from the
// caller's generator.
#include "common/padded_batches.hpp"

#include <algorithm>
#include <numeric>

#include <unroll/autograd/error.hpp>

namespace tasks {
namespace {

using Rows = std::vector<Size>;

constexpr Size kPool = 50;  // batches

template <class T>
void shuffle(std::vector<T>& items, unroll::Generator& generator) {
  for (std::size_t n = items.size(); n > 1; --n) std::swap(items[n - 1], items[generator.below(n)]);
}

Rows all_rows(const std::vector<Size>& lengths) {
  Rows rows(lengths.size());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// Sorts each run of `pool` rows by length and cuts everything into batches.
std::vector<Rows> cut(Rows rows, const std::vector<Size>& lengths, Size batch, Size pool) {
  const auto n = static_cast<Size>(rows.size());
  std::vector<Rows> batches;
  for (Size first = 0; first < n; first += pool) {
    const Size end = std::min(n, first + pool);
    std::stable_sort(rows.begin() + first, rows.begin() + end,
                     [&](Size a, Size b) { return lengths[a] < lengths[b]; });
    for (Size start = first; start < end; start += batch)
      batches.emplace_back(rows.begin() + start, rows.begin() + std::min(end, start + batch));
  }
  return batches;
}

void require_size(Size batch) {
  if (batch < 1) unroll::fail("batches_by_length", "batches of ", batch, "; expected at least 1.");
}

}  // namespace

std::vector<Rows> batches_by_length(const std::vector<Size>& lengths, Size batch) {
  require_size(batch);
  return cut(all_rows(lengths), lengths, batch, std::max<Size>(1, lengths.size()));
}

std::vector<Rows> batches_by_length(const std::vector<Size>& lengths, Size batch,
                                    unroll::Generator& generator) {
  require_size(batch);
  Rows rows = all_rows(lengths);
  shuffle(rows, generator);
  std::vector<Rows> batches = cut(std::move(rows), lengths, batch, kPool * batch);
  shuffle(batches, generator);
  return batches;
}

Padded pad(const std::vector<std::vector<Size>>& sequences, const Rows& rows,
           const PadOptions& options) {
  if (rows.empty()) unroll::fail("pad", "no sequences; expected at least one.");
  Padded batch;
  for (Size row : rows) batch.lengths.push_back(static_cast<Size>(sequences.at(row).size()));
  const auto width = static_cast<Size>(rows.size());
  const Size steps = std::max<Size>(1, *std::ranges::max_element(batch.lengths));
  batch.mask = unroll::zeros({steps, width});
  batch.tokens = zeros({steps, width}, unroll::int64);
  float* mask = batch.mask.mutable_data<float>();
  Size* tokens = batch.tokens.mutable_data<Size>();
  std::fill_n(tokens, steps * width, options.value);
  for (Size b = 0; b < width; ++b) {
    const Size length = batch.lengths[b], start = options.before ? steps - length : 0;
    for (Size t = 0; t < length; ++t) {
      mask[(start + t) * width + b] = 1;
      tokens[(start + t) * width + b] = sequences[rows[b]][t];
    }
  }
  return batch;
}

}  // namespace tasks
