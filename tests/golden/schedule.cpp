// Golden group `schedule`: the learning rate in force at each epoch.
#include "run.hpp"

#include <unroll/autograd/function.hpp>
#include <unroll/layers/schedule.hpp>

namespace golden {
namespace {

using namespace unroll;

using Schedule = Function<double(Size)>;

/// One of torch's schedulers, by its class name and arguments.
Schedule named_schedule(const std::string& kind, double base, const Json& h) {
  if (kind == "StepLR")
    return StepSchedule{.base = base, .every = h.at("step_size"), .factor = h.value("gamma", 0.1)};
  if (kind == "MultiStepLR")
    return MultistepSchedule{
        .base = base, .factor = h.value("gamma", 0.1), .milestones = h.at("milestones")};
  if (kind == "ExponentialLR") return ExponentialSchedule{.base = base, .factor = h.at("gamma")};
  if (kind == "CosineAnnealingLR")
    return CosineSchedule{
        .base = base, .epochs = h.at("T_max"), .minimum = h.value("eta_min", 0.0)};
  if (kind == "LinearLR")
    return LinearSchedule{.base = base,
                          .end = h.value("end_factor", 1.0),
                          .epochs = h.value("total_iters", Size{5}),
                          .start = h.value("start_factor", 1. / 3)};
  if (kind == "CosineAnnealingWarmRestarts")
    return CosineRestartsSchedule{.base = base,
                                  .epochs = h.at("T_0"),
                                  .growth = h.value("T_mult", Size{1}),
                                  .minimum = h.value("eta_min", 0.0)};
  throw Unknown("scheduler " + kind);
}

/// The two that torch has no class for.
Schedule warmup_schedule(const Run& run, double base) {
  const Size warmup = run.c.says("warmup");
  if (run.c.name.starts_with("linear_warmup"))
    return WarmupSchedule{.base = base, .warmup = warmup};
  if (run.c.name.starts_with("warmup_inverse_sqrt"))
    return InverseSqrtSchedule{.base = base, .warmup = warmup};
  throw Unknown("a warm-up of another name");
}

std::vector<double> plateau_rates(const Run& run, double base, const Json& h) {
  PlateauSchedule schedule(base, {.absolute = h.value("threshold_mode", "rel") == "abs",
                                  .cooldown = h.value("cooldown", Size{0}),
                                  .factor = h.value("factor", 0.1),
                                  .maximise = h.value("mode", "min") == "max",
                                  .minimum = h.value("min_lr", 0.0),
                                  .patience = h.value("patience", Size{10}),
                                  .threshold = h.value("threshold", 1e-4)});
  std::vector<double> rates;
  for (double metric : run.c.at("in.metric").to_vector<double>()) {
    rates.push_back(schedule.rate());
    schedule.update(metric);
  }
  return rates;
}

void run_schedule(Run& run) {
  const double base = run.c.says("base_lr");
  const std::string kind = run.c.says("scheduler", "");
  const Json h = run.c.says("hyperparameters", Json::object());
  std::vector<double> rates;
  if (kind == "ReduceLROnPlateau") {
    rates = plateau_rates(run, base, h);
  } else {
    const Schedule schedule =
        kind.empty() ? warmup_schedule(run, base) : named_schedule(kind, base, h);
    for (Size epoch = 0; epoch < run.c.at("out.lr").size(); ++epoch)
      rates.push_back(schedule(epoch));
  }
  const Array lr = values(std::span<const double>(rates), {static_cast<Size>(rates.size())});
  run.out("lr", lr.to(run.type));
}

const Handler handler{"schedule", run_schedule};

}  // namespace
}  // namespace golden
