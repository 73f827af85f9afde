// Pieces of a training loop: how much of it is done, when to stop, which learning rate now.
// The loop itself stands in each program.
#pragma once

#include <chrono>

#include <unroll/autograd/shape.hpp>

namespace tasks {

using unroll::Size;

/// A training ends after so many epochs or so many minutes, whichever comes first.
class Budget {
 public:
  /// 0 epochs or 0 minutes: no such limit. The clock starts now.
  Budget(Size epochs, double minutes) : epochs_(epochs), minutes_(minutes), start_(Clock::now()) {}

  double seconds() const;
  /// From 0 to 1, after so many epochs (2.5: in the middle of the third).
  double done(double epochs) const;
  double seconds_left(double epochs) const;
  /// Seconds to set aside for what comes after the last step, such as the last validation.
  void reserve(double seconds) { reserved_ = seconds; }

 private:
  using Clock = std::chrono::steady_clock;
  Size epochs_;
  double minutes_, reserved_ = 0;
  Clock::time_point start_;
};

/// A short warm-up, then half a cosine from the full rate down to a fiftieth of it.
double learning_rate(double full, Size step, double done);

/// Remembers the best validation loss and how long ago it was.
class EarlyStopping {
 public:
  explicit EarlyStopping(int patience) : patience_(patience) {}

  /// Takes the next loss; true if it is the best so far. NaN never is.
  bool is_best(double loss);
  /// True once `patience` losses in a row were not the best.
  bool is_over() const { return since_best_ >= patience_; }
  double best() const { return best_; }

 private:
  int patience_, since_best_ = 0;
  double best_ = 1e300;
};

}  // namespace tasks
