// Learning rates over time, formulas in schedule.hpp. The cosine forms are closed, so that a run
// that resumes at any epoch gets the rate it would have had.
#include <unroll/layers/schedule.hpp>

#include <algorithm>
#include <cmath>

namespace unroll {

namespace {

constexpr double kPi = 3.14159265358979323846;

void check(const char* schedule, Size epoch) {
  if (epoch < 0) fail(schedule, "epoch is ", epoch, "; epochs count from 0.");
}

void check(const char* schedule, Size epoch, const char* what, Size length) {
  check(schedule, epoch);
  if (length < 1) fail(schedule, what, " is ", length, "; expected at least 1.");
}

double half_cosine(double high, double low, double part) {
  return low + (high - low) * (1 + std::cos(kPi * part)) / 2;
}

}  // namespace

double StepSchedule::operator()(Size epoch) const {
  check("step_schedule", epoch, "every", every);
  return base * std::pow(factor, static_cast<double>(epoch / every));
}

double MultistepSchedule::operator()(Size epoch) const {
  check("multistep_schedule", epoch);
  auto passed = std::count_if(milestones.begin(), milestones.end(),
                              [=](Size milestone) { return milestone <= epoch; });
  return base * std::pow(factor, static_cast<double>(passed));
}

double ExponentialSchedule::operator()(Size epoch) const {
  check("exponential_schedule", epoch);
  return base * std::pow(factor, static_cast<double>(epoch));
}

double CosineSchedule::operator()(Size epoch) const {
  check("cosine_schedule", epoch, "epochs", epochs);
  return half_cosine(base, minimum, static_cast<double>(epoch) / static_cast<double>(epochs));
}

double LinearSchedule::operator()(Size epoch) const {
  check("linear_schedule", epoch, "epochs", epochs);
  double part = static_cast<double>(std::min(epoch, epochs)) / static_cast<double>(epochs);
  return base * (start + (end - start) * part);
}

double CosineRestartsSchedule::operator()(Size epoch) const {
  check("cosine_restarts_schedule", epoch, "epochs", epochs);
  check("cosine_restarts_schedule", epoch, "growth", growth);
  Size length = epochs;
  if (growth == 1) epoch %= length;
  while (epoch >= length) {
    epoch -= length;
    length *= growth;
  }
  return half_cosine(base, minimum, static_cast<double>(epoch) / static_cast<double>(length));
}

double WarmupSchedule::operator()(Size epoch) const {
  check("warmup_schedule", epoch, "warmup", warmup);
  return base * std::min(1., static_cast<double>(epoch + 1) / static_cast<double>(warmup));
}

double InverseSqrtSchedule::operator()(Size epoch) const {
  check("inverse_sqrt_schedule", epoch, "warmup", warmup);
  double part = static_cast<double>(epoch + 1) / static_cast<double>(warmup);
  return base * std::min(part, std::sqrt(1 / part));
}

PlateauSchedule::PlateauSchedule(double base, const PlateauOptions& options)
    : options_(options), rate_(base), best_(options.maximise ? -INFINITY : INFINITY) {
  if (!(options.factor >= 0 && options.factor < 1))
    fail("plateau_schedule", "factor is ", options.factor,
         "; expected at least 0 and less than 1.");
}

bool PlateauSchedule::is_better(double metric) const {
  const double margin = options_.threshold;
  if (options_.absolute)
    return options_.maximise ? metric > best_ + margin : metric < best_ - margin;
  return options_.maximise ? metric > best_ * (1 + margin) : metric < best_ * (1 - margin);
}

double PlateauSchedule::update(double metric) {
  if (is_better(metric)) {
    best_ = metric;
    bad_ = 0;
  } else {
    ++bad_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_ = 0;
  }
  if (bad_ > options_.patience) {
    double reduced = std::max(rate_ * options_.factor, options_.minimum);
    if (rate_ - reduced > 1e-8) rate_ = reduced;
    cooldown_ = options_.cooldown;
    bad_ = 0;
  }
  return rate_;
}

NamedArrays PlateauSchedule::state() const {
  auto number = [](double x, Type type) { return full({}, x, type); };
  return {{"bad", number(static_cast<double>(bad_), int64)},
          {"best", number(best_, float64)},
          {"cooldown", number(static_cast<double>(cooldown_), int64)},
          {"rate", number(rate_, float64)}};
}

void PlateauSchedule::set_state(const NamedArrays& state) {
  for (const char* name : {"bad", "best", "cooldown", "rate"}) {
    auto found = state.find(name);
    if (found == state.end() || found->second.size() != 1)
      fail("plateau_schedule", "the state has no number '", name,
           "'; expected bad, best, cooldown ", "and rate, as state() returns them.");
  }
  bad_ = static_cast<Size>(state.at("bad").item());
  best_ = state.at("best").item();
  cooldown_ = static_cast<Size>(state.at("cooldown").item());
  rate_ = state.at("rate").item();
}

}  // namespace unroll
