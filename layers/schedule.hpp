// Learning rates over time: plain values that turn an epoch (or a step, whatever is counted) into a
// rate, for optimiser.set_learning_rate(schedule(epoch)). They do not know any optimiser.
//
// Epochs count from 0; `base` is the rate before any change. Members stand in alphabetical order.
#pragma once

#include <vector>

#include <unroll/layers/named_arrays.hpp>

namespace unroll {

/// base factor^floor(epoch / every)
struct StepSchedule {
  double base = 1e-3;
  Size every = 10;
  double factor = 0.1;
  double operator()(Size epoch) const;
};

/// base factor^(how many milestones are <= epoch)
struct MultistepSchedule {
  double base = 1e-3;
  double factor = 0.1;
  std::vector<Size> milestones = {};
  double operator()(Size epoch) const;
};

/// base factor^epoch
struct ExponentialSchedule {
  double base = 1e-3;
  double factor = 0.9;
  double operator()(Size epoch) const;
};

/// minimum + (base - minimum) (1 + cos(pi epoch / epochs)) / 2: reaches the minimum at `epochs`,
/// and after that rises again in the same way, as PyTorch's does.
struct CosineSchedule {
  double base = 1e-3;
  Size epochs = 10;
  double minimum = 0;
  double operator()(Size epoch) const;
};

/// base (start + (end - start) min(epoch, epochs) / epochs); start and end are factors.
struct LinearSchedule {
  double base = 1e-3;
  double end = 1;
  Size epochs = 5;
  double start = 1. / 3;
  double operator()(Size epoch) const;
};

/// Cosine with warm restarts (Loshchilov, Hutter 2017): falls to `minimum` along a cosine over
/// `epochs` epochs and starts anew at base; each fall is `growth` times as long as the one before.
struct CosineRestartsSchedule {
  double base = 1e-3;
  Size epochs = 10;
  Size growth = 1;
  double minimum = 0;
  double operator()(Size epoch) const;
};

/// base min(1, (epoch + 1) / warmup)
struct WarmupSchedule {
  double base = 1e-3;
  Size warmup = 1000;
  double operator()(Size epoch) const;
};

/// base min((epoch + 1) / warmup, sqrt(warmup / (epoch + 1))) (Vaswani et al. 2017)
struct InverseSqrtSchedule {
  double base = 1e-3;
  Size warmup = 1000;
  double operator()(Size epoch) const;
};

struct PlateauOptions {
  bool absolute = false;  ///< threshold is a difference, not a fraction of the best
  Size cooldown = 0;      ///< epochs after a reduction in which bad ones are not counted
  double factor = 0.1;
  bool maximise = false;    ///< a higher metric is better
  double minimum = 0;       ///< the rate does not fall below
  Size patience = 10;       ///< bad epochs that are tolerated
  double threshold = 1e-4;  ///< how much better than the best an epoch must be to count as good
};

/// Multiplies the rate by `factor` when a metric has stopped improving: when more than `patience`
/// epochs in a row were not better than the best by the threshold. A change of at most 1e-8 is not
/// made. NaN is a bad epoch.
class PlateauSchedule {
 public:
  explicit PlateauSchedule(double base, const PlateauOptions& options = {});

  /// The rate in force.
  double rate() const { return rate_; }
  /// Takes the metric of the epoch that has just ended and returns the rate for the next one.
  double update(double metric);

  /// What update() remembers, for a checkpoint: "bad", "best", "cooldown", "rate".
  NamedArrays state() const;
  /// Throws Error unless it is what state() returned.
  void set_state(const NamedArrays& state);

 private:
  bool is_better(double metric) const;

  PlateauOptions options_;
  double rate_, best_;
  Size bad_ = 0, cooldown_ = 0;
};

}  // namespace unroll
