// Rows of the op table for reshape.hpp, and for the shape ops of autograd/op.hpp.
#include <algorithm>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/reshape.hpp>

#include "op_table.hpp"

namespace {

using namespace op_table;
namespace u = unroll;

/// A row of one input whose result is y[i] = x[source(i, x's shape)], in a shape made from x's.
struct Moved {
  std::string name, variant;
  std::function<Variables(const Variables&)> f;
  Input input;
  std::function<Index(const Index&)> shape;
  std::function<Index(Index, const Index&)> source;
};

Row moved(Moved m) {
  Row row;
  row.name = m.name;
  row.variant = m.variant;
  row.f = m.f;
  row.reference = [m](auto& x) {
    const Index& from = x[0].shape;
    return build(m.shape(from), [&](const Index& i) { return x[0].at(m.source(i, from)); });
  };
  row.inputs = {m.input};
  return row;
}

Index same(const Index& shape) { return shape; }

/// The row-major number of an index, and back.
Size flat_of(const Index& i, const Index& shape) {
  Size n = 0;
  for (std::size_t k = 0; k < shape.size(); ++k) n = n * shape[k] + i[k];
  return n;
}
Index unflat(Size n, const Index& shape) {
  Index i(shape.size());
  for (std::size_t k = shape.size(); k-- > 0; n /= shape[k]) i[k] = n % shape[k];
  return i;
}

const Rows views{
    moved({"reshape", "", [](auto& x) { return reshape(x[0], {4, -1}); },
           empty_as(real({2, 3, 4}), {2, 0, 4}),
           [](auto& s) { return Index{4, s[0] * s[1] * s[2] / 4}; },
           [](Index i, auto& s) { return unflat(flat_of(i, {4, s[0] * s[1] * s[2] / 4}), s); }}),
    moved({"transpose", "", [](auto& x) { return transpose(x[0]); }, real({2, 3, 4}),
           [](auto& s) { return Index{s[0], s[2], s[1]}; },
           [](Index i, auto&) { return Index{i[0], i[2], i[1]}; }}),
    moved({"permute", "", [](auto& x) { return permute(x[0], {2, 0, -2}); }, real({2, 3, 4}),
           [](auto& s) { return Index{s[2], s[0], s[1]}; },
           [](Index i, auto&) { return Index{i[1], i[2], i[0]}; }}),
    moved({"expand", "", [](auto& x) { return expand(x[0], 1); }, real({3, 4}),
           [](auto& s) { return Index{s[0], 1, s[1]}; },
           [](Index i, auto&) { return Index{i[0], i[2]}; }}),
    moved({"expand", "at the end", [](auto& x) { return expand(x[0], -1); }, real({3, 4}),
           [](auto& s) { return Index{s[0], s[1], 1}; },
           [](Index i, auto&) { return Index{i[0], i[1]}; }}),
    moved({"squeeze", "", [](auto& x) { return squeeze(x[0], -2); }, real({3, 1, 4}),
           [](auto& s) { return Index{s[0], s[2]}; },
           [](Index i, auto&) { return Index{i[0], 0, i[1]}; }}),
    moved({"sliced", "", [](auto& x) { return sliced(x[0], 1, 1, -1); }, real({3, 5}),
           [](auto& s) { return Index{s[0], 3}; },
           [](Index i, auto&) { return Index{i[0], i[1] + 1}; }}),
    moved({"sliced", "backwards by two",
           [](auto& x) { return sliced(x[0], -1, 4, -100, -2); }, real({3, 5}),
           [](auto& s) { return Index{s[0], 3}; },
           [](Index i, auto&) { return Index{i[0], 4 - 2 * i[1]}; }}),
    moved({"sliced", "to nothing", [](auto& x) { return sliced(x[0], 1, 2, 2); }, real({3, 5}),
           [](auto& s) { return Index{s[0], 0}; }, [](Index i, auto&) { return i; }}),
    moved({"select", "", [](auto& x) { return select(x[0], 1, -1); }, real({3, 5}),
           [](auto& s) { return Index{s[0]}; },
           [](Index i, auto& s) { return Index{i[0], s[1] - 1}; }}),
    moved({"flip", "", [](auto& x) { return flip(x[0], {0, -1}); }, real({2, 3, 4}), same,
           [](Index i, auto& s) { return Index{s[0] - 1 - i[0], i[1], s[2] - 1 - i[2]}; }}),
    moved({"roll", "", [](auto& x) { return roll(x[0], 2, 1); }, real({3, 5}), same,
           [](Index i, auto& s) { return Index{i[0], (i[1] - 2 + s[1]) % s[1]}; }}),
    moved({"roll", "back", [](auto& x) { return roll(x[0], -7, -2); }, real({3, 5}), same,
           [](Index i, auto& s) { return Index{(i[0] + 7) % s[0], i[1]}; }}),
    moved({"tile", "", [](auto& x) { return tile(x[0], {2, 3}); }, real({3, 4}),
           [](auto& s) { return Index{2 * s[0], 3 * s[1]}; },
           [](Index i, auto& s) { return Index{i[0] % s[0], i[1] % s[1]}; }}),
    moved({"repeat", "", [](auto& x) { return repeat(x[0], 3, -1); }, real({3, 4}),
           [](auto& s) { return Index{s[0], 3 * s[1]}; },
           [](Index i, auto&) { return Index{i[0], i[1] / 3}; }}),
    moved({"diagonal", "", [](auto& x) { return diagonal(x[0]); }, real({2, 3, 4}),
           [](auto& s) { return Index{s[0], std::min(s[1], s[2])}; },
           [](Index i, auto&) { return Index{i[0], i[1], i[1]}; }}),
    moved({"contiguous", "", [](auto& x) { return u::contiguous(x[0]); }, real({3, 4}), same,
           [](Index i, auto&) { return i; }}),
    moved({"broadcast_to", "", [](auto& x) { return u::broadcast_to(x[0], {2, 3, x[0].size(1)}); },
           empty_as(real({3, 4}), {3, 0}), [](auto& s) { return Index{2, 3, s[1]}; },
           [](Index i, auto&) { return Index{i[1], i[2]}; }}),
};

/// x where keep(i, j) of the last two axes, else 0.
Row triangle(const char* name, const char* variant, std::function<Variables(const Variables&)> f,
             bool (*keep)(Size i, Size j)) {
  return {.name = name,
          .variant = variant,
          .f = std::move(f),
          .reference = [keep](auto& x) {
            return build(x[0].shape, [&](const Index& i) {
              return keep(i[i.size() - 2], i.back()) ? x[0].at(i) : 0;
            });
          },
          .inputs = {real({2, 3, 4})}};
}

const Rows triangles{
    triangle("tril", "", [](auto& x) { return tril(x[0]); }, [](Size i, Size j) { return j <= i; }),
    triangle("tril", "above", [](auto& x) { return tril(x[0], 1); },
             [](Size i, Size j) { return j - i <= 1; }),
    triangle("triu", "", [](auto& x) { return triu(x[0]); }, [](Size i, Size j) { return j >= i; }),
    triangle("triu", "below", [](auto& x) { return triu(x[0], -1); },
             [](Size i, Size j) { return j - i >= -1; }),
};

/// Parts of these sizes along axis 1.
NumbersList parts_of(const Numbers& x, const Index& sizes) {
  NumbersList y;
  Size start = 0;
  for (Size size : sizes) {
    y.push_back(build({x.shape[0], size}, [&](const Index& i) { return x(i[0], i[1] + start); }));
    start += size;
  }
  return y;
}

/// All of them next to each other along axis 1.
NumbersList joined(const NumbersList& x) {
  Size total = 0;
  for (const Numbers& one : x) total += one.shape[1];
  Numbers y({x[0].shape[0], total});
  Size start = 0;
  for (const Numbers& one : x) {
    each_index(one.shape, [&](const Index& i) { y.at({i[0], i[1] + start}) = one.at(i); });
    start += one.shape[1];
  }
  return y;
}

NumbersList stacked_at_1(const NumbersList& x) {
  return build({x[0].shape[0], 2, x[0].shape[1]},
               [&](const Index& i) { return x[static_cast<std::size_t>(i[1])](i[0], i[2]); });
}

const Rows parts{
    {.name = "concat",
     .f = [](auto& x) { return u::concat({x[0], x[1], x[2]}, 1); },
     .reference = joined,
     .inputs = {real({3, 4}), real({3, 1}), empty_as(real({3, 2}), {0, 2})}},
    {.name = "concat",
     .variant = "one part empty",
     .f = [](auto& x) { return u::concat({x[0], x[1]}); },
     .reference = joined,
     .inputs = {real({3, 0}), real({3, 2})}},
    {.name = "stack_along",
     .f = [](auto& x) { return u::stack_along({x[0], x[1]}, 1); },
     .reference = stacked_at_1,
     .inputs = {real({3, 4}), real({3, 4})}},
    {.name = "unstack",
     .f = [](auto& x) { return unstack(x[0], -1); },
     .reference = [](auto& x) {
       NumbersList y;
       for (Size j = 0; j < x[0].shape[1]; ++j)
         y.push_back(build({x[0].shape[0]}, [&](const Index& i) { return x[0](i[0], j); }));
       return y;
     },
     .inputs = {real({3, 4})}},
    {.name = "split",
     .f = [](auto& x) { return split(x[0], {1, 0, 3}, 1); },
     .reference = [](auto& x) { return parts_of(x[0], {1, 0, 3}); },
     .inputs = {real({3, 4})}},
    {.name = "chunk",
     .f = [](auto& x) { return chunk(x[0], 3); },
     .reference = [](auto& x) { return parts_of(x[0], {2, 2, 2}); },
     .inputs = {real({3, 6})}},
    {.name = "chunk",
     .variant = "of fixed count",
     .f = [](auto& x) {
       auto [a, b] = u::chunk<2>(x[0], 1);
       return Variables{a, b};
     },
     .reference = [](auto& x) { return parts_of(x[0], {3, 3}); },
     .inputs = {real({3, 6})}},
};

const Rows sums_and_borders{
    {.name = "trace",
     .f = [](auto& x) { return trace(x[0]); },
     .reference = [](auto& x) {
       return build({x[0].shape[0]}, [&](const Index& i) {
         double s = 0;
         for (Size k = 0; k < std::min(x[0].shape[1], x[0].shape[2]); ++k) s += x[0](i[0], k, k);
         return s;
       });
     },
     .inputs = {real({2, 3, 4})}},
    {.name = "pad",
     .f = [](auto& x) { return pad(x[0], {{0, 1}, {1, 2}}, 0.5); },
     .reference = [](auto& x) {
       const Size m = x[0].shape[0], n = x[0].shape[1];
       return build({m + 1, n + 3}, [&](const Index& i) {
         const Size j = i[1] - 1;
         return i[0] < m && j >= 0 && j < n ? x[0](i[0], j) : 0.5;
       });
     },
     .inputs = {real({3, 4})}},
    {.name = "sum_to",
     .f = [](auto& x) { return u::sum_to(x[0], {3, 1}); },
     .reference = [](auto& x) {
       Numbers y({3, 1});
       each_index(x[0].shape, [&](const Index& i) { y.at({i[1], 0}) += x[0].at(i); });
       return y;
     },
     .inputs = {empty_as(real({2, 3, 4}), {0, 3, 4})}},
};

}  // namespace
