// Pieces of the training loop: how much of it is done, and which learning rate is due.
// The loop itself is in fit.cpp.
#pragma once

#include <chrono>
#include <string>

#include <unroll/autograd/shape.hpp>

namespace tasks {

using unroll::Size;

/// A training ends after so many epochs or so many minutes, whichever comes first.
class Budget {
 public:
  /// 0 epochs or 0 minutes: no such limit. The clock starts now, or so many seconds ago.
  Budget(Size epochs, double minutes, double seconds_before = 0)
      : epochs_(epochs), minutes_(minutes), before_(seconds_before), start_(Clock::now()) {}

  double seconds() const;
  /// From 0 to 1, after so many epochs (2.5: in the middle of the third).
  double done(double epochs) const;
  double seconds_left(double epochs) const;
  /// Seconds to set aside for what comes after the last step, such as the last validation.
  void reserve(double seconds) { reserved_ = seconds; }

 private:
  using Clock = std::chrono::steady_clock;
  Size epochs_;
  double minutes_, before_, reserved_ = 0;
  Clock::time_point start_;
};

/// Rises from next to nothing to 1 over the first 50 steps.
double warm_up(Size step);

/// Half a cosine from the full rate, when nothing is done, down to a fiftieth of it.
double cosine_rate(double full, double done);

}  // namespace tasks
