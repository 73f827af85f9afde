// Embedding: a vector for each of a number of words. One-hot vectors are ops/index.hpp's.
#pragma once

#include <unroll/layers/layer_outputs.hpp>
#include <unroll/ops/index.hpp>

namespace unroll {

/// Rows of W (words, size), standard normal at first: int64 x (...) gives (..., size). With
/// {.padding = k} row k is zero and stays so.
struct Embedding : Module {
  Embedding(Size words, Size size, const EmbeddingOptions& options = {})
      : words(words), size(size), options(options) {}

  Size words, size;
  EmbeddingOptions options;
  Parameter W = parameter("W", {words, size}, [padding = options.padding](Array& a, Generator& g) {
    init::normal(1)(a, g);
    if (padding >= 0) a[padding].fill(0);
  });

  Variable operator()(const Variable& x) const {
    return layer_output(*this, embedding(W, x, options));
  }
};

}  // namespace unroll
