// How memories are made and asked; see attention.hpp.
#include <unroll/layers/attention.hpp>

#include <cmath>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/real_elements.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

namespace unroll {

namespace {

/// The memory but for its keys.
AttentionMemory remembered(const char* name, const Variable& states, Size size,
                           const RememberOptions& options) {
  if (states.rank() != 3 || states.size(2) != size)
    fail(name, "the states are ", states.shape(), "; expected (S, B, ", size, "), time first.");
  const Shape steps{states.size(0), states.size(1)};
  if (!options.mask.empty() && options.mask.shape() != steps)
    fail(name, "mask is ", options.mask.shape(), "; expected ", steps, ", (S, B).");
  RealElements real(name, steps, options.lengths, options.mask);
  Array mask({steps[1], steps[0]}, int64);
  for (Size b = 0; b < steps[1]; ++b)
    for (Size s = 0; s < steps[0]; ++s)
      mask.mutable_data<Size>()[b * steps[0] + s] = real[s * steps[1] + b];
  return {{}, mask, contiguous(permute(real.cleared(states), {1, 0, 2}))};
}

/// Throws unless the memory is one that remember() has made for such queries.
void check(const char* name, const Variable& query, Size query_size, Size size, Size memory_size,
           const AttentionMemory& memory) {
  const Variable &keys = memory.keys, &values = memory.values, &mask = memory.mask;
  if (keys.rank() != 3 || keys.size(2) != size || values.rank() != 3 ||
      values.size(2) != memory_size || mask.shape() != Shape{keys.size(0), keys.size(1)})
    fail(name, "the memory's keys are ", keys.shape(), ", its values ", values.shape(),
         "; expected (B, S, ", size, ") and (B, S, ", memory_size, "), as remember() gives them: ",
         "pass it as .initial of the decoder's State.");
  const Size batch = keys.size(0);  // of one source, which many may ask, or of one for each query
  const bool fits = query.rank() >= 2 &&
                    (batch == 1 || query.size(-2) == 1 || query.size(-2) == batch);
  if (!fits || query.size(-1) != query_size)
    fail(name, "the query is ", query.shape(), "; expected (..., ", batch, ", ", query_size,
         "), with the batch of the memory.");
}

Attended weighted(const Variable& scores, const AttentionMemory& memory) {
  Variable weights = masked_softmax(scores, memory.mask);
  return {squeeze(matmul(expand(weights, -2), memory.values), -2), weights};
}

}  // namespace

AttentionMemory AdditiveAttention::remember(const Variable& states,
                                            const RememberOptions& options) const {
  AttentionMemory m = remembered("additive_attention", states, memory, options);
  m.keys = linear(m.values, Wk, b);
  return m;
}

Attended AdditiveAttention::operator()(const Variable& query, const AttentionMemory& memory) const {
  check("additive_attention", query, this->query, size, this->memory, memory);
  Variable asked = expand(linear(query, Wq), -2);
  return weighted(matmul(tanh(asked + memory.keys), va), memory);
}

AttentionMemory DotAttention::remember(const Variable& states,
                                       const RememberOptions& options) const {
  AttentionMemory m = remembered("dot_attention", states, memory, options);
  m.keys = linear(m.values, Wk);
  return m;
}

Attended DotAttention::operator()(const Variable& query, const AttentionMemory& memory) const {
  check("dot_attention", query, this->query, size, this->memory, memory);
  Variable asked = linear(query, Wq) * (1 / std::sqrt(static_cast<double>(size)));
  return weighted(squeeze(matmul(memory.keys, expand(asked, -1)), -1), memory);
}

}  // namespace unroll
