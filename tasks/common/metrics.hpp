// Scores of classes, numbers and likelihoods, equal to scikit-learn's where it has them; 0 / 0
// counts as 0 unless said otherwise. Scores of whole sequences are in sequence_metrics.hpp.
#pragma once

#include <vector>

#include <unroll/autograd/shape.hpp>

namespace tasks {

using unroll::Size;

/// precision = tp / (tp + fp), recall = tp / (tp + fn), f1 = 2 precision recall / (precision +
/// recall), with true positives, false positives and false negatives of a class.
struct ClassScores {
  double f1 = 0, precision = 0, recall = 0;
};

/// Counts of true against predicted classes 0 ... C - 1, and the scores that follow from them.
class Confusion {
 public:
  /// Throws Error unless there is a class.
  explicit Confusion(Size classes);

  /// Counts one sample. Throws Error unless both are classes.
  void add(Size truth, Size predicted);

  Size classes() const { return classes_; }
  Size samples() const { return samples_; }
  /// Samples of class `truth` that were taken for `predicted`.
  Size count(Size truth, Size predicted) const { return counts_[truth * classes_ + predicted]; }
  /// Samples of that class.
  Size support(Size truth) const;
  /// The part of the samples that was predicted right.
  double accuracy() const;
  /// The scores of one class against all others.
  ClassScores of(Size k) const;
  /// The plain mean over all C classes, those without a sample included.
  ClassScores macro() const;
  /// The mean over classes weighted by their support.
  ClassScores weighted() const;
  /// From the sums of tp, fp and fn over the classes: each of the three is then the accuracy, as a
  /// sample has exactly one class.
  ClassScores micro() const;

 private:
  template <class Weight>
  ClassScores mean(Weight weight) const;

  Size classes_, samples_ = 0;
  std::vector<Size> counts_;
};

/// r2 = 1 - sum (y - p)^2 / sum (y - mean y)^2: 0 for the mean of the targets, 1 for all right,
/// negative for worse than the mean.
struct RegressionScores {
  double mean_absolute_error = 0, mean_squared_error = 0, r2 = 0;
};

/// Of predictions p for targets y. Targets that are all equal have r2 1 if every prediction is
/// right and 0 otherwise; fewer than two have none (NaN). Throws Error unless there are as many
/// predictions as targets, at least one.
RegressionScores regression_scores(const std::vector<double>& targets,
                                   const std::vector<double>& predictions);

/// Negative log-likelihood of tokens, added up batch by batch; only those that count are added.
struct Likelihood {
  double nats = 0;  // -sum ln p
  Size tokens = 0;

  void add(double more_nats, Size more_tokens) { nats += more_nats, tokens += more_tokens; }
  /// Cross-entropy in nats a token; NaN without tokens.
  double mean() const;
  double bits() const;
  /// exp(mean()).
  double perplexity() const;
};

}  // namespace tasks
