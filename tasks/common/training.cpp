// The clock and the learning rate of a training. What is trained is not known here.
#include "common/training.hpp"

#include <algorithm>

#include <unroll/layers/schedule.hpp>

namespace tasks {

double Budget::seconds() const {
  return before_ + std::chrono::duration<double>(Clock::now() - start_).count();
}

double Budget::done(double epochs) const {
  double done = 0;
  if (epochs_ > 0) done = epochs / static_cast<double>(epochs_);
  if (minutes_ > 0) done = std::max(done, seconds() / std::max(60 * minutes_ - reserved_, 1e-3));
  return std::min(done, 1.0);
}

double Budget::seconds_left(double epochs) const {
  const double part = done(epochs);
  return part > 0 ? seconds() * (1 - part) / part : 0;
}

double warm_up(Size step) {
  constexpr Size kSteps = 50;
  return unroll::WarmupSchedule{.base = 1, .warmup = kSteps}(step);
}

double cosine_rate(double full, double done) {
  constexpr Size kUnits = 10000;
  const unroll::CosineSchedule fall{.base = full, .epochs = kUnits, .minimum = full / 50};
  return fall(static_cast<Size>(done * kUnits));
}

}  // namespace tasks
