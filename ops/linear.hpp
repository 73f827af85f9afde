// Products with weights: linear and affine, the heart of every recurrent cell. Weights are (out, in)
// as in PyTorch; general matrix products are in matmul.hpp.
#pragma once

#include <span>

#include <unroll/autograd/variable.hpp>

namespace unroll {

namespace detail {
/// affine_of without handles of its own to the terms, which live until it returns.
Variable affine_of(std::span<const Variable* const> terms);
inline Variable affine_of(std::initializer_list<const Variable*> terms) {
  return affine_of(std::span<const Variable* const>(terms.begin(), terms.size()));
}
}  // namespace detail

/// y = x W^T (+ b). x (..., D), W (H, D), b broadcasting to (..., H), or empty for none; y (..., H).
/// Throws Error if the inner sizes differ.
Variable linear(const Variable& x, const Variable& W);
Variable linear(const Variable& x, const Variable& W, const Variable& b);

/// affine() of a list {x, W, h, U, ..., b}, b only if the count is odd.
Variable affine_of(const Variables& terms);

/// y = x W^T + h U^T + ... (+ b): one node for all gates of a cell. x (..., D), W (H, D), h (..., E),
/// U (H, E), b broadcasting to (..., H), or empty for none. Where x is a row of a sequence (see
/// sequence.hpp), the products of all rows are made at once.
template <class... Terms>
Variable affine(const Variable& x, const Variable& W, const Terms&... terms) {
  // In one expression: terms that are Arrays or numbers become Variables that end with it.
  return detail::affine_of({&x, &W, &static_cast<const Variable&>(terms)...});
}

}  // namespace unroll
