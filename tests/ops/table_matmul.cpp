// Rows of the op table for matmul.hpp and linear.hpp.
#include <unroll/ops/linear.hpp>
#include <unroll/ops/matmul.hpp>

#include "op_table.hpp"

namespace {

using namespace op_table;
namespace u = unroll;

/// NumPy's matmul by four loops.
Numbers product(Numbers a, Numbers b) {
  const bool row = a.shape.size() == 1, column = b.shape.size() == 1;
  if (row) a.shape.insert(a.shape.begin(), 1);
  if (column) b.shape.push_back(1);
  const Index batch =
      broadcast({a.shape.begin(), a.shape.end() - 2}, {b.shape.begin(), b.shape.end() - 2});
  Index shape = batch;
  shape.insert(shape.end(), {a.size(-2), b.size(-1)});
  Numbers y = build(shape, [&](const Index& i) {
    double s = 0;
    for (Size k = 0; k < a.size(-1); ++k) {
      Index left = i, right = i;
      left.back() = k;
      right[right.size() - 2] = k;
      s += broadcast_at(a, left) * broadcast_at(b, right);
    }
    return s;
  });
  if (row) y.shape.erase(y.shape.end() - 2);
  if (column) y.shape.pop_back();
  return y;
}

Row matmul_row(std::string variant, Index a, Index b, Index empty_a, Index empty_b,
               std::vector<std::vector<Index>> also_empty = {}) {
  return {.name = "matmul",
          .variant = std::move(variant),
          .f = [](auto& x) { return matmul(x[0], x[1]); },
          .reference = [](auto& x) { return product(x[0], x[1]); },
          .inputs = {empty_as(real(std::move(a)), std::move(empty_a)),
                     empty_as(real(std::move(b)), std::move(empty_b))},
          .also_empty = std::move(also_empty)};
}

const Rows products{
    matmul_row("matrices", {3, 4}, {4, 5}, {3, 0}, {0, 5},
               {{{3, 4}, {4, 0}}, {{0, 4}, {4, 5}}, {{0, 0}, {0, 0}}, {{1, 0}, {0, 1}}}),
    matmul_row("matrix and vector", {3, 4}, {4}, {0, 4}, {4}),
    matmul_row("vector and matrix", {4}, {4, 5}, {0}, {0, 5}),
    matmul_row("vectors", {4}, {4}, {0}, {0}),
    matmul_row("one row", {1, 4}, {4, 5}, {1, 4}, {4, 0}),
    matmul_row("batches", {2, 3, 4}, {2, 4, 5}, {0, 3, 4}, {0, 4, 5},
               {{{2, 3, 0}, {2, 0, 5}}, {{2, 3, 4}, {2, 4, 0}}, {{0, 3, 4}, {1, 4, 5}}}),
    matmul_row("batches broadcast", {2, 1, 3, 4}, {3, 4, 2}, {2, 1, 3, 0}, {3, 0, 2},
               {{{2, 1, 3, 4}, {0, 4, 2}}, {{0, 1, 3, 4}, {3, 4, 2}}}),
    matmul_row("batch and matrix", {2, 3, 4}, {4, 5}, {2, 0, 4}, {4, 5}),
    matmul_row("matrix and batch", {3, 4}, {2, 4, 5}, {3, 4}, {0, 4, 5}),
    matmul_row("batch and vector", {2, 3, 4}, {4}, {0, 3, 4}, {4},
               {{{2, 3, 0}, {0}}, {{2, 0, 4}, {4}}}),
    matmul_row("vector and batch", {4}, {2, 4, 5}, {4}, {2, 4, 0}),
    {.name = "dot",
     .f = [](auto& x) { return dot(x[0], x[1]); },
     .reference = [](auto& x) { return product(x[0], x[1]); },
     .inputs = {real({5}), real({5})}},
    {.name = "outer",
     .f = [](auto& x) { return outer(x[0], x[1]); },
     .reference =
         [](auto& x) {
           return build({x[0].shape[0], x[1].shape[0]},
                        [&](const Index& i) { return x[0](i[0]) * x[1](i[1]); });
         },
     .inputs = {real({3}), real({5})}},
    {.name = "einsum",
     .variant = "bik,bjk->bij",
     .f =
         [](auto& x) {
           return u::einsum("bik,bjk->bij", {x[0], x[1]});
         },
     .reference =
         [](auto& x) {
           return build({x[0].shape[0], x[0].shape[1], x[1].shape[1]}, [&](const Index& i) {
             double s = 0;
             for (Size k = 0; k < x[0].shape[2]; ++k)
               s += x[0](i[0], i[1], k) * x[1](i[0], i[2], k);
             return s;
           });
         },
     .inputs = {real({2, 3, 5}), real({2, 4, 5})},
     .also_empty = {{{2, 3, 0}, {2, 4, 0}}, {{2, 0, 5}, {2, 4, 5}}, {{2, 3, 5}, {2, 0, 5}}}},
    {.name = "einsum",
     .variant = "ij,jk,ki->",
     .f =
         [](auto& x) {
           return u::einsum("ij,jk,ki->", {x[0], x[1], x[2]});
         },
     .reference =
         [](auto& x) {
           const Numbers all = product(product(x[0], x[1]), x[2]);
           double s = 0;
           for (Size k = 0; k < all.shape[0]; ++k) s += all(k, k);
           return build({}, [&](const Index&) { return s; });
         },
     .inputs = {real({2, 3}), empty_as(real({3, 4}), {3, 4}), empty_as(real({4, 2}), {4, 0})},
     .also_empty = {{{2, 0}, {0, 4}, {4, 2}}, {{2, 3}, {3, 0}, {0, 2}}}},
    {.name = "einsum",
     .variant = "ji",
     .f = [](auto& x) { return u::einsum("ji", {x[0]}); },
     .reference =
         [](auto& x) {
           return build({x[0].shape[1], x[0].shape[0]},
                        [&](const Index& i) { return x[0](i[1], i[0]); });
         },
     .inputs = {real({3, 4})}},
};

/// x W^T + h U^T + ... + b, b last if the count is odd; x (..., D).
Numbers affine_of(const NumbersList& x) {
  Index shape = x[0].shape;
  shape.back() = x[1].shape[0];
  return build(shape, [&](const Index& i) {
    double y = x.size() % 2 ? broadcast_at(x.back(), i) : 0;
    for (std::size_t term = 0; term + 1 < x.size(); term += 2) {
      Index at = i;
      for (Size k = 0; k < x[term + 1].shape[1]; ++k) {
        at.back() = k;
        y += x[term].at(at) * x[term + 1](i.back(), k);
      }
    }
    return y;
  });
}

Input weight(Index shape) { return empty_as(real(shape), shape); }

const Rows weights{
    {.name = "linear",
     .f = [](auto& x) { return linear(x[0], x[1]); },
     .reference = affine_of,
     .inputs = {real({3, 4}), weight({5, 4})},
     .also_empty = {{{3, 0}, {5, 0}}, {{3, 4}, {0, 4}}, {{0, 0}, {0, 0}}, {{0}, {5, 0}},
                    {{2, 3, 4}, {0, 4}}, {{2, 3, 0}, {5, 0}}, {{2, 0, 4}, {5, 4}}}},
    {.name = "linear",
     .variant = "bias",
     .f = [](auto& x) { return linear(x[0], x[1], x[2]); },
     .reference = affine_of,
     .inputs = {real({3, 4}), weight({5, 4}), weight({5})},
     .also_empty = {{{3, 4}, {0, 4}, {0}}, {{0}, {5, 0}, {5}}, {{2, 3, 0}, {5, 0}, {}}}},
    {.name = "linear",
     .variant = "of a sequence",
     .f = [](auto& x) { return linear(x[0], x[1], x[2]); },
     .reference = affine_of,
     .inputs = {real({2, 3, 4}), weight({5, 4}), weight({5})}},
    {.name = "linear",
     .variant = "of one vector",
     .f = [](auto& x) { return linear(x[0], x[1], x[2]); },
     .reference = affine_of,
     .inputs = {weight({4}), weight({5, 4}), weight({5})}},
    {.name = "affine",
     .f = [](auto& x) { return u::affine(x[0], x[1], x[2], x[3], x[4]); },
     .reference = affine_of,
     .inputs = {real({3, 4}), weight({5, 4}), real({3, 2}), weight({5, 2}), weight({5})}},
    {.name = "affine",
     .variant = "without bias",
     .f = [](auto& x) { return u::affine(x[0], x[1], x[2], x[3]); },
     .reference = affine_of,
     .inputs = {real({1, 4}), weight({5, 4}), real({1, 2}), weight({5, 2})},
     .also_empty = {{{3, 4}, {5, 4}, {3, 0}, {5, 0}}, {{3, 0}, {5, 0}, {3, 2}, {5, 2}},
                    {{3, 0}, {5, 0}, {3, 0}, {5, 0}}, {{3, 4}, {0, 4}, {3, 2}, {0, 2}}}},
    {.name = "affine",
     .variant = "three products",
     .f = [](auto& x) { return u::affine(x[0], x[1], x[2], x[3], x[4], x[5], x[6]); },
     .reference = affine_of,
     .inputs = {real({3, 4}), weight({5, 4}), real({3, 2}), weight({5, 2}), real({3, 3}),
                weight({5, 3}), real({3, 5})}},
};

}  // namespace
