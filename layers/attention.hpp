// Attention over the states of an encoder, for decoders of any kind: additive and scaled dot
// product. The products themselves, with weights as arguments, are ops/nn.hpp's.
#pragma once

#include <unroll/layers/module.hpp>
#include <unroll/ops/nn.hpp>

namespace unroll {

/// The states of an encoder, ready to be asked at every step: a field of a decoder's State, to be
/// given as its initial value. What does not depend on the question is computed once.
struct AttentionMemory {
  Variable keys;    ///< (B, S, A): what questions are compared with
  Variable mask;    ///< int64 (B, S): 1 where the source is real
  Variable values;  ///< (B, S, memory): what is returned
};

struct RememberOptions {
  /// How many steps of each source are real; empty: all.
  std::vector<Size> lengths = {};
  /// (S, B), 1 (anything but 0) where a step is real, instead of lengths.
  Variable mask = {};
};

/// Bahdanau et al. 2015: e_j = va . tanh(Wq query + Wk memory_j + b), weights = softmax(e), output
/// = sum_j weights_j memory_j.
///
///     AttentionMemory memory = attention.remember(over_time(encoder, xs).outputs());
///     Variable context = attention(s.h, memory).output;
struct AdditiveAttention : Module {
  /// Sizes of the last axes of queries and memory, and of what is compared.
  AdditiveAttention(Size query, Size memory, Size size)
      : query(query), memory(memory), size(size) {}

  Size query, memory, size;
  Parameter Wq = parameter("Wq", {size, query}), Wk = parameter("Wk", {size, memory}),
            b = parameter("b", {size}, init::zeros), va = parameter("va", {size});

  /// The states of a source, (S, B, memory), where padding may hold anything.
  AttentionMemory remember(const Variable& states, const RememberOptions& options = {}) const;
  /// query (B, query), or (T, B, query) for all steps at once: output (..., B, memory) and weights
  /// (..., B, S), 0 where the source is padded. A source without a real step gives zeros.
  Attended operator()(const Variable& query, const AttentionMemory& memory) const;
};

/// Scaled dot product (Vaswani et al. 2017): e_j = (Wq query) . (Wk memory_j) / sqrt(size), and
/// weights and output as above.
struct DotAttention : Module {
  DotAttention(Size query, Size memory, Size size) : query(query), memory(memory), size(size) {}

  Size query, memory, size;
  Parameter Wq = parameter("Wq", {size, query}), Wk = parameter("Wk", {size, memory});

  /// As AdditiveAttention's.
  AttentionMemory remember(const Variable& states, const RememberOptions& options = {}) const;
  Attended operator()(const Variable& query, const AttentionMemory& memory) const;
};

}  // namespace unroll
