// Ops that make one number out of many along axes, and running sums and products. Softmax and
// logsumexp are in softmax.hpp, losses in loss.hpp.
#pragma once

#include <vector>

#include <unroll/autograd/variable.hpp>

namespace unroll {

/// Which axes disappear (none named: all of them), or become 1 with keepdims. Axes may be negative.
struct Reduce {
  std::vector<Size> axes = {};
  bool keepdims = false;
};

/// Sum; 0 over nothing. Also of int64, exactly.
Variable sum(const Variable& x, const Reduce& options = {});
/// sum / n. Throws over nothing.
Variable mean(const Variable& x, const Reduce& options = {});
/// Product; 1 over nothing. Gradients are exact at zeros too.
Variable prod(const Variable& x, const Reduce& options = {});

/// Largest element, NaN if there is one. Along one named axis the first of several equal elements
/// gets the gradient, over more they share it evenly. Throws over nothing.
Variable max(const Variable& x, const Reduce& options = {});
/// Smallest element; as max.
Variable min(const Variable& x, const Reduce& options = {});
/// Of an Array: {.axes = ...} would else also fit the max and min of two (fuse.hpp).
inline Variable max(const Array& x, const Reduce& options = {}) { return max(Variable(x), options); }
inline Variable min(const Array& x, const Reduce& options = {}) { return min(Variable(x), options); }
/// As max, but equal elements always share the gradient evenly.
Variable amax(const Variable& x, const Reduce& options = {});
/// As min, but equal elements always share the gradient evenly.
Variable amin(const Variable& x, const Reduce& options = {});
/// int64 position of the first largest element along an axis, or of the first NaN; a constant.
Variable argmax(const Variable& x, Size axis = -1);
/// int64 position of the first smallest element along an axis, or of the first NaN; a constant.
Variable argmin(const Variable& x, Size axis = -1);

struct VarianceOptions {
  std::vector<Size> axes = {};
  /// 0: the biased variance, 1: the unbiased one.
  double correction = 0;
  bool keepdims = false;
};
/// sum (x - mean)^2 / (n - correction). Throws if n <= correction.
Variable variance(const Variable& x, const VarianceOptions& options = {});
/// Root of the variance; where that is 0 the gradient is 0.
Variable standard_deviation(const Variable& x, const VarianceOptions& options = {});

struct NormOptions {
  std::vector<Size> axes = {};
  bool keepdims = false;
  /// > 0; infinity for the largest absolute value.
  double p = 2;
};
/// (sum |x|^p)^(1/p); at the zero vector the gradient is 0.
Variable norm(const Variable& x, const NormOptions& options = {});

/// y_i = x_0 + ... + x_i along an axis, summed in float64.
Variable cumsum(const Variable& x, Size axis);
/// y_i = x_0 x_1 ... x_i along an axis. Gradients are exact at zeros too.
Variable cumprod(const Variable& x, Size axis);

}  // namespace unroll
