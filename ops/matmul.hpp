// Products of Variables: NumPy's matmul, dot, outer and einsum. Weights in (out, in) order, as in
// x W^T + b, are in linear.hpp, raw pointers in gemm.hpp.
#pragma once

#include <string_view>

#include <unroll/autograd/variable.hpp>

namespace unroll {

/// a b as NumPy's matmul: (..., m, k) x (..., k, n) -> (..., m, n) with leading axes broadcast; a
/// one-dimensional a is a row, b a column, and that axis disappears. Throws if inner sizes differ.
Variable matmul(const Variable& a, const Variable& b);
/// sum_i a_i b_i of two (n,): a scalar.
Variable dot(const Variable& a, const Variable& b);
/// a_i b_j of (m,) and (n,): (m, n).
Variable outer(const Variable& a, const Variable& b);

/// Einstein's sum: einsum("bik,bjk->bij", {a, b}) is y_bij = sum_k a_bik b_bjk. One letter an axis;
/// letters missing after "->" are summed over. Without "->" the result has the letters that occur
/// once, in alphabetical order. Several factors are multiplied from left to right.
Variable einsum(std::string_view equation, const Variables& factors);

}  // namespace unroll
