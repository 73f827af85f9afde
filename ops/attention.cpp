// Attention, composed of public ops: scores, a softmax over the visible keys, a weighted sum.
// Decoders that use it are in layers.
#include <cmath>
#include <limits>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

namespace unroll {

namespace {

Variable masked(const char* op, const Variable& scores, const Variable& mask) {
  if (mask.empty()) return softmax(scores);
  Shape shape = broadcast_shapes(op, scores.shape(), mask.shape());
  if (shape != scores.shape())
    fail(op, "mask is ", mask.shape(), ", the scores are ", scores.shape(),
         "; expected a mask that broadcasts to the scores.");
  if (scores.size() == 0) return softmax(scores);  // a row without keys has no minimum
  Variable hidden = equals(mask.value().to(scores.type()), 0);
  Variable blind = min(hidden, {.axes = {-1}, .keepdims = true});  // rows that see nothing
  Variable weights = softmax(
      masked_fill(scores, hidden - blind, -std::numeric_limits<double>::infinity()));
  return masked_fill(weights, blind, 0);
}

Variable causal_mask(Size queries, Size keys) { return tril(ones({queries, keys})); }

}  // namespace

Variable masked_softmax(const Variable& x, const Variable& mask) {
  return masked("masked_softmax", x, mask);
}

Attended attention(const Variable& q, const Variable& k, const Variable& v,
                   const AttentionOptions& options) {
  if (q.rank() < 2 || k.rank() < 2 || v.rank() < 2 || q.size(-1) != k.size(-1) ||
      k.size(-2) != v.size(-2))
    fail("attention", "q is ", q.shape(), ", k ", k.shape(), ", v ", v.shape(),
         "; expected q (..., Q, D), k (..., K, D), v (..., K, V).");
  double scale = 1 / std::sqrt(static_cast<double>(q.size(-1)));
  Variable scores = matmul(q * scale, transpose(k)), mask = options.mask;
  if (options.causal) {
    Variable seen = causal_mask(q.size(-2), k.size(-2));
    mask = mask.empty() ? seen : seen && not_equals(mask, 0);
  }
  Variable weights = masked("attention", scores, mask);
  return {matmul(weights, v), weights};
}

Attended additive_attention(const Variable& query, const Variable& keys, const Variable& Wq,
                            const Variable& Wk, const Variable& b, const Variable& va,
                            const AdditiveAttentionOptions& options) {
  if (keys.rank() < 2 || va.rank() != 1)
    fail("additive_attention", "keys are ", keys.shape(), ", va ", va.shape(),
         "; expected keys (..., K, V) and va (A).");
  Variable asked = expand(linear(query, Wq), -2);
  Variable offered = linear(keys, Wk, b);
  Variable scores = matmul(tanh(asked + offered), va);
  Variable weights = masked("additive_attention", scores, options.mask);
  return {squeeze(matmul(expand(weights, -2), keys), -2), weights};
}

}  // namespace unroll
