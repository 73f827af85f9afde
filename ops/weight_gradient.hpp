// The gradient of a weight that many steps multiply by, collected over the steps. Internal to linear
// and affine; the gradients of their inputs are theirs.
#pragma once

#include <vector>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/right_side.hpp>

namespace unroll::kernel {

/// dW = sum over steps of dy^T x. Steps of few rows are gathered, since one product over many
/// rows costs far less than many over few, and never makes a temporary dW.
class WeightGradient final : public Deferred {
 public:
  /// A step's x (..., in) and dy (..., out), of as many rows.
  void add(const Array& x, const Array& dy);
  void flush(Array& gradient, bool accumulate) override;

  ReusedRightSide right_side;  ///< W, for the gradients of inputs, dy W

 private:
  void multiply(Array& target, bool accumulate);
  Array gather(const std::vector<Array>& parts) const;

  std::vector<Array> x_, dy_;
  Size rows_ = 0;
  Array sum_;
};

}  // namespace unroll::kernel
