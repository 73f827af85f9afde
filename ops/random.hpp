// Random arrays, sampling from logits, and dropout. All randomness comes from a Generator that the
// caller passes, or that the tape was given; initialisers of weights are in layers/init.hpp.
#pragma once

#include <unroll/autograd/generator.hpp>
#include <unroll/autograd/variable.hpp>

namespace unroll {

struct UniformOptions {
  double high = 1;
  double low = 0;
  Type type = float32;
};

/// Independent numbers, uniform in [low, high).
Array uniform(const Shape& shape, Generator& generator, const UniformOptions& options = {});

struct NormalOptions {
  double mean = 0;
  double stddev = 1;
  Type type = float32;
};

/// Independent normal numbers.
Array normal(const Shape& shape, Generator& generator, const NormalOptions& options = {});

/// Independent ones with probability p, else zeros.
Array bernoulli(const Shape& shape, double p, Generator& generator, Type type = float32);

struct CategoricalOptions {
  /// Only the likeliest classes whose probabilities sum up to this much; 1: all.
  double nucleus = 1;
  /// Logits are divided by it; 0 picks the largest without drawing a number.
  double temperature = 1;
  /// Only that many likeliest classes; 0: all.
  Size top_k = 0;
};

/// A class number for each row of logits (..., V): int64 (...), drawn from softmax(logits /
/// temperature) after top_k and nucleus have cut it, in this order. Among equal logits the first
/// come first. -inf is never drawn; a row without a finite logit, or with NaN or +inf, is an Error.
Variable categorical(const Variable& logits, Generator& generator,
                     const CategoricalOptions& options = {});

namespace detail {
/// What an op says that draws from the recording tape's generator, where that has none.
inline constexpr const char* kNoGenerator =
    "the tape has no generator; make it with Tape tape(generator), or give parallel_backward "
    "{.generator = &generator}.";
}  // namespace detail

/// x m / (1 - p), where m is 0 with probability p, else 1: draws from the recording tape's
/// generator, and is x itself when nothing records. Throws if the recording tape has no generator.
Variable dropout(const Variable& x, double p);
/// The same whether a tape records or not.
Variable dropout(const Variable& x, double p, Generator& generator);

}  // namespace unroll
