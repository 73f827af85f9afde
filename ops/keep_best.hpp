// The few best of many, for searches that keep a bounded list. Internal.
#pragma once

#include <limits>
#include <vector>

#include <unroll/autograd/shape.hpp>

namespace unroll {

/// Puts `one`, which has a `double score`, among the n best, best first; of equal ones the first
/// stays ahead. A score of -inf or NaN is refused.
template <class T>
void keep_best(std::vector<T>& best, Size n, const T& one) {
  if (!(one.score > -std::numeric_limits<double>::infinity())) return;
  if (static_cast<Size>(best.size()) == n) {
    if (!(one.score > best.back().score)) return;
    best.pop_back();
  }
  auto place = best.end();
  while (place != best.begin() && one.score > (place - 1)->score) --place;
  best.insert(place, one);
}

}  // namespace unroll
