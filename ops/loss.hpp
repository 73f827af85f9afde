// Losses: functions of predictions and targets that end in one number, or one per element.
// Sequence models over label paths (CRF) and metrics without gradient are not here.
#pragma once

#include <vector>

#include <unroll/autograd/variable.hpp>

namespace unroll {

// Losses of padded batches (T, B, ...) take `lengths`, the real steps of each sequence, or a `mask`
// of the first axes, (T, B) or more, with 1 (anything but 0) where an element is real. The rest
// counts neither in the loss nor in the mean and may hold anything, NaN too; its gradient is 0, and
// so is its loss with Reduction::none. The mean over no element at all is NaN (with gradient 0).

/// What becomes of the losses of the elements: their mean, their sum, or each by itself.
enum class Reduction { mean, sum, none };

struct CrossEntropyOptions {
  /// Targets of this value do not count, neither in the loss nor in the mean.
  Size ignore_index = -100;
  /// s: the target class gets 1 - s, and s is spread evenly over all classes.
  double label_smoothing = 0;
  /// How many steps of each sequence are real; empty: all.
  std::vector<Size> lengths = {};
  /// Which elements are real, instead of lengths.
  Variable mask = {};
  Reduction reduction = Reduction::mean;
  /// (V): a weight per class, a constant; a mean divides by the sum of the weights of its targets.
  Variable weights = {};
};

/// -log softmax(logits)[target]: logits (..., V), targets int64 (...) in [0, V). With smoothing
/// s: (1-s) w_y (-log p_y) + s/V sum_c w_c (-log p_c). Floating targets (..., V) are probabilities:
/// -sum_c w_c target_c log p_c, the mean over the rows. Result () or (...). Throws Error for a
/// target outside [0, V), saying where.
Variable cross_entropy(const Variable& logits, const Variable& targets,
                       const CrossEntropyOptions& options = {});

struct NllOptions {
  Size ignore_index = -100;
  std::vector<Size> lengths = {};
  Variable mask = {};
  Reduction reduction = Reduction::mean;
  Variable weights = {};
};

/// -w_y log_probabilities[y]: log_probabilities (..., V), targets y int64 (...); options as for
/// cross_entropy.
Variable nll_loss(const Variable& log_probabilities, const Variable& targets,
                  const NllOptions& options = {});

struct LossOptions {
  std::vector<Size> lengths = {};
  Variable mask = {};
  Reduction reduction = Reduction::mean;
};

/// (x - y)^2, both of one shape.
Variable mean_squared_error(const Variable& x, const Variable& y, const LossOptions& options = {});

/// |x - y|, both of one shape; the gradient is 0 where they are equal.
Variable mean_absolute_error(const Variable& x, const Variable& y, const LossOptions& options = {});

struct HuberOptions {
  double delta = 1;
  std::vector<Size> lengths = {};
  Variable mask = {};
  Reduction reduction = Reduction::mean;
};

/// d^2 / 2 where |d| = |x - y| < delta, delta (|d| - delta / 2) elsewhere; delta > 0.
Variable huber_loss(const Variable& x, const Variable& y, const HuberOptions& options = {});

struct SmoothL1Options {
  double beta = 1;
  std::vector<Size> lengths = {};
  Variable mask = {};
  Reduction reduction = Reduction::mean;
};

/// huber_loss of delta = beta divided by beta; |x - y| for beta = 0.
Variable smooth_l1_loss(const Variable& x, const Variable& y, const SmoothL1Options& options = {});

struct BinaryCrossEntropyOptions {
  std::vector<Size> lengths = {};
  Variable mask = {};
  /// Factor of the positive term, broadcast to x; a constant.
  Variable pos_weight = {};
  Reduction reduction = Reduction::mean;
  /// Factor of the whole, broadcast to x; a constant.
  Variable weight = {};
};

/// -[pos_weight y log sigmoid(x) + (1 - y) log(1 - sigmoid(x))] weight, y in [0, 1] of x's shape;
/// does not overflow. A mean divides by the number of elements.
Variable binary_cross_entropy_with_logits(const Variable& x, const Variable& y,
                                          const BinaryCrossEntropyOptions& options = {});

struct KlDivergenceOptions {
  /// A mean divides by the size of the first axis, not by the number of elements.
  bool batch_mean = false;
  std::vector<Size> lengths = {};
  /// The target holds log-probabilities.
  bool log_target = false;
  Variable mask = {};
  Reduction reduction = Reduction::mean;
};

/// target (log target - log_input), both of one shape; 0 where the target is 0.
Variable kl_divergence(const Variable& log_input, const Variable& target,
                       const KlDivergenceOptions& options = {});

struct CtcOptions {
  /// The class that stands for no label.
  Size blank = 0;
  Reduction reduction = Reduction::mean;
  /// Sequences whose labels do not fit into their frames count 0, without gradient. Otherwise their
  /// loss is +inf and their gradient NaN.
  bool zero_infinity = false;
};

/// Connectionist temporal classification (Graves et al. 2006): -log of the summed probability of
/// all paths of input_lengths[b] frames that read as sequence b's labels when repeats are merged
/// and blanks dropped. log_probabilities (T, B, C) as log_softmax makes them, targets int64: one
/// after the other (sum of target_lengths) or padded (B, S). The mean divides each loss by
/// max(target length, 1) first. Throws Error for lengths or labels that do not fit.
Variable ctc_loss(const Variable& log_probabilities, const Variable& targets,
                  const std::vector<Size>& input_lengths, const std::vector<Size>& target_lengths,
                  const CtcOptions& options = {});

}  // namespace unroll
