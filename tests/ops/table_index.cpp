// Rows of the op table for index.hpp.
#include <algorithm>
#include <numeric>

#include <unroll/ops/index.hpp>

#include "op_table.hpp"

namespace {

using namespace op_table;
namespace u = unroll;

Size whole(double x) { return static_cast<Size>(x); }

NumbersList gathered(const NumbersList& x) {  // along axis 1 of (3, 4, 2)
  return build(x[1].shape, [&](const Index& i) { return x[0](i[0], whole(x[1].at(i)), i[2]); });
}

NumbersList scattered(const NumbersList& x) {
  Numbers y = x[0];
  each_index(x[1].shape, [&](const Index& i) {
    y.at({i[0], whole(x[1].at(i)), i[2]}) += x[2].at(i);
  });
  return y;
}

NumbersList rows_of(const NumbersList& x) {  // (V, D) by (B, T)
  return build({x[1].shape[0], x[1].shape[1], x[0].shape[1]},
               [&](const Index& i) { return x[0](whole(x[1](i[0], i[1])), i[2]); });
}

NumbersList columns_of(const NumbersList& x) {  // (3, 4) by (5,) along the last axis
  return build({x[0].shape[0], x[1].shape[0]},
               [&](const Index& i) { return x[0](i[0], whole(x[1](i[1]))); });
}

NumbersList columns_added(const NumbersList& x) {
  Numbers y = x[0];
  each_index(x[2].shape, [&](const Index& i) { y.at({i[0], whole(x[1](i[1]))}) += x[2].at(i); });
  return y;
}

const Rows by_index{
    {.name = "gather",
     .f = [](auto& x) { return gather(x[0], 1, x[1]); },
     .reference = gathered,
     .inputs = {empty_as(real({3, 4, 2}), {3, 4, 2}), index({3, 5, 2}, 4)}},
    {.name = "gather",
     .variant = "smaller index",
     .f = [](auto& x) { return gather(x[0], -2, x[1]); },
     .reference = gathered,
     .inputs = {empty_as(real({3, 4, 2}), {3, 4, 2}), index({2, 3, 1}, 4)}},
    {.name = "scatter_add",
     .f = [](auto& x) { return scatter_add(x[0], 1, x[1], x[2]); },
     .reference = scattered,
     .inputs = {empty_as(real({3, 4, 2}), {3, 4, 2}), index({3, 5, 2}, 4), real({3, 5, 2})}},
    {.name = "index_select",
     .f = [](auto& x) { return index_select(x[0], 0, x[1]); },
     .reference = rows_of,
     .inputs = {empty_as(real({4, 3}), {4, 3}), index({2, 5}, 4)}},
    {.name = "index_select",
     .variant = "last axis",
     .f = [](auto& x) { return index_select(x[0], -1, x[1]); },
     .reference = columns_of,
     .inputs = {empty_as(real({3, 4}), {3, 4}), index({5}, 4)}},
    {.name = "index_add",
     .f = [](auto& x) { return index_add(x[0], 1, x[1], x[2]); },
     .reference = columns_added,
     .inputs = {empty_as(real({3, 4}), {3, 4}), index({5}, 4), empty_as(real({3, 5}), {3, 0})}},
    {.name = "index",
     .f =
         [](auto& x) {
           return u::index(x[0], {x[1], x[2]});
         },
     .reference =
         [](auto& x) {  // (5,) and (3, 1): (3, 5), then the last axis of x
           return build({x[2].shape[0], x[1].shape[0], x[0].shape[2]}, [&](const Index& i) {
             return x[0](whole(x[1](i[1])), whole(x[2](i[0], 0)), i[2]);
           });
         },
     .inputs = {empty_as(real({3, 4, 2}), {3, 4, 2}), index({5}, 3), index({3, 1}, 4)}},
    {.name = "embedding",
     .f = [](auto& x) { return embedding(x[0], x[1]); },
     .reference = rows_of,
     .inputs = {empty_as(real({4, 3}), {4, 3}), index({2, 5}, 4)}},
    {.name = "one_hot",
     .f = [](auto& x) { return one_hot(x[0], 4, u::float64); },
     .reference =
         [](auto& x) {
           return build({x[0].shape[0], x[0].shape[1], 4}, [&](const Index& i) {
             return static_cast<double>(whole(x[0](i[0], i[1])) == i[2]);
           });
         },
     .inputs = {index({3, 5}, 4)},
     .constant = true},
};

/// Elements where the mask, an input of its own, is not 0.
const Rows by_mask{
    {.name = "masked_select",
     .f = [](auto& x) { return masked_select(x[0], x[1]); },
     .reference =
         [](auto& x) {
           Numbers y;
           each_index(x[0].shape, [&](const Index& i) {
             if (broadcast_at(x[1], i) != 0) y.data.push_back(x[0].at(i));
           });
           y.shape = {y.count()};
           return y;
         },
     .inputs = {real({3, 4}), index({3, 4}, 2)}},
    {.name = "masked_select",
     .variant = "mask broadcast",
     .f = [](auto& x) { return masked_select(x[0], x[1]); },
     .reference =
         [](auto& x) {
           Numbers y;
           each_index(x[0].shape, [&](const Index& i) {
             if (broadcast_at(x[1], i) != 0) y.data.push_back(x[0].at(i));
           });
           y.shape = {y.count()};
           return y;
         },
     .inputs = {empty_as(real({3, 4}), {0, 4}), empty_as(index({4}, 2), {4})}},
};

/// The best k (all for k < 0) along axis 1 of (3, 5), and where they were.
NumbersList best(const Numbers& x, Size k, bool greatest_first) {
  const Size n = x.shape[1];
  k = k < 0 ? n : k;
  Numbers values({x.shape[0], k}), places({x.shape[0], k});
  for (Size row = 0; row < x.shape[0]; ++row) {
    Index order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](Size a, Size b) {
      return greatest_first ? x(row, a) > x(row, b) : x(row, a) < x(row, b);
    });
    for (Size j = 0; j < k; ++j) {
      places.at({row, j}) = static_cast<double>(order[static_cast<std::size_t>(j)]);
      values.at({row, j}) = x(row, order[static_cast<std::size_t>(j)]);
    }
  }
  return {values, places};
}

Variables both(const u::Sorted& sorted) { return {sorted.values, sorted.indices}; }

const Rows by_order{
    {.name = "sort",
     .f = [](auto& x) { return both(sort(x[0])); },
     .reference = [](auto& x) { return best(x[0], -1, false); },
     .inputs = {spaced({3, 5})}},
    {.name = "sort",
     .variant = "descending",
     .f = [](auto& x) { return both(sort(x[0], 1, true)); },
     .reference = [](auto& x) { return best(x[0], -1, true); },
     .inputs = {spaced({3, 5})}},
    {.name = "topk",
     .f = [](auto& x) { return both(topk(x[0], 2)); },
     .reference = [](auto& x) { return best(x[0], 2, true); },
     .inputs = {spaced({3, 5})}},
    {.name = "topk",
     .variant = "smallest",
     .f = [](auto& x) { return both(topk(x[0], 3, {.axis = 1, .largest = false})); },
     .reference = [](auto& x) { return best(x[0], 3, false); },
     .inputs = {spaced({3, 5})}},
};

}  // namespace
