// The gradient of a weight that many steps multiply by, collected over the steps. Internal to
// linear and affine; the gradients of their inputs are theirs.
#pragma once

#include <vector>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/right_side.hpp>

namespace unroll::kernel {

/// So many rows that lie behind each other are summed up by themselves.
constexpr Size kRowsOfStretch = 64;
/// No more than that many wait to be summed up.
constexpr Size kRowsThatWait = 512;

/// dW = sum over steps of dy^T x. Steps of few rows are gathered, since one product over many
/// rows costs far less than many over few, and never makes a temporary dW.
class WeightGradient final : public Deferred {
 public:
  /// A step's x (..., in) and dy (..., out), of as many rows.
  void add(Variable&& x, const Variable& dy);
  void flush(Array& gradient, bool accumulate) override;

  ReusedRightSide right_side;  ///< W, for the gradients of inputs, dy W

 private:
  /// Rows that lie behind each other in the memory of `some`, which is one step of them.
  struct Part {
    Variable some;
    Size offset, rows;
  };

  /// Puts a step behind the last part, or makes it a part: moved, if it may be.
  template <class V>
  void append(std::vector<Part>& parts, V&& step) const;
  bool continues(const Part& part, const Array& step) const;
  void sum_up();  ///< what is left, into sum_
  void multiply(Array& target, bool accumulate);
  Array gather(const std::vector<Part>& parts) const;

  std::vector<Part> x_, dy_;
  Size rows_ = 0, steps_ = 0;
  bool backwards_ = false;  ///< a step's rows come before those of the step added before it
  Array sum_;
};

}  // namespace unroll::kernel
