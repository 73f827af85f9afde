// Larger pieces of networks without state: layer normalisation, convolution, pooling, attention.
// Modules that hold their weights are in layers.
#pragma once

#include <unroll/autograd/variable.hpp>

namespace unroll {

struct LayerNormOptions {
  /// How many trailing axes are normalised together.
  int axes = 1;
  double epsilon = 1e-5;
};

/// (x - mean) / sqrt(variance + epsilon) gain + bias, with mean and (biased) variance over the last
/// axes; gain and bias have the shape of these axes, and may be left out.
Variable layer_norm(const Variable& x, const Variable& gain = {}, const Variable& bias = {},
                    const LayerNormOptions& options = {});

/// Height and width; one number stands for both.
struct Pair {
  Size h, w;
  Pair(Size both) : h(both), w(both) {}
  Pair(Size h, Size w) : h(h), w(w) {}
};

struct Conv1dOptions {
  Size dilation = 1;
  Size groups = 1;
  /// Zeros before and after.
  Size padding = 0;
  Size stride = 1;
};

/// Cross-correlation: x (N, C, L), W (O, C / groups, K) give (N, O, L'), with
/// y[n, o, l] = sum_{c, k} W[o, c, k] x[n, c, l stride + k dilation - padding] and
/// L' = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1.
Variable conv1d(const Variable& x, const Variable& W, const Conv1dOptions& options = {});

struct Conv2dOptions {
  Pair dilation = 1;
  Size groups = 1;
  Pair padding = 0;
  Pair stride = 1;
};

/// The same over two axes: x (N, C, H, W), weight (O, C / groups, KH, KW) give (N, O, H', W').
Variable conv2d(const Variable& x, const Variable& W, const Conv2dOptions& options = {});

/// The windows of x (N, C, H, W) as columns: (N, C, KH * KW, H' * W'); `groups` plays no part.
Variable unfold2d(const Variable& x, Pair kernel, const Conv2dOptions& options = {});
/// The adjoint of unfold2d: sums columns (N, C, KH * KW, H' * W') into an image (N, C, H, W).
Variable fold2d(const Variable& columns, Pair image, Pair kernel,
                const Conv2dOptions& options = {});

struct PoolOptions {
  Pair size = 2;
  /// 0: the window's size.
  Pair stride = 0;
};

/// Maximum of each window of x (N, C, H, W), no padding, windows that stick out dropped. The
/// gradient goes to the first maximum of a window.
Variable max_pool2d(const Variable& x, const PoolOptions& options = {});
/// Mean of each window.
Variable avg_pool2d(const Variable& x, const PoolOptions& options = {});

/// What attention returns: the weighted sum of values, and the weights, which sum to 1.
struct Attended {
  Variable output, weights;
};

struct AttentionOptions {
  /// Query i sees keys 0..i only.
  bool causal = false;
  /// 1 (anything but 0) = visible; broadcasts to the weights.
  Variable mask = {};
};

/// softmax(q k^T / sqrt(D)) v: q (..., Q, D), k (..., K, D), v (..., K, V) give output (..., Q, V)
/// and weights (..., Q, K). A query that sees no key at all gets weights and output 0.
Attended attention(const Variable& q, const Variable& k, const Variable& v,
                   const AttentionOptions& options = {});

struct AdditiveAttentionOptions {
  /// 1 (anything but 0) = visible; broadcasts to the weights.
  Variable mask = {};
};

/// Bahdanau et al. 2015: e_j = va . tanh(Wq query + Wk keys_j + b), weights = softmax(e), output =
/// sum_j weights_j keys_j. query (..., D), keys (..., K, V), Wq (A, D), Wk (A, V), b and va (A)
/// give output (..., V), weights (..., K). b may be empty. No visible key: as for attention.
Attended additive_attention(const Variable& query, const Variable& keys, const Variable& Wq,
                            const Variable& Wk, const Variable& b, const Variable& va,
                            const AdditiveAttentionOptions& options = {});

}  // namespace unroll
