// What a page about a training of language_modeling shows. The page is common/report.hpp's.
#pragma once

#include "common/report.hpp"
#include "language_modeling/options.hpp"

namespace tasks {

/// Of the network that was kept, and the texts held out as token numbers. Steps, temperature and
/// seed are those of the options.
Report run_report(const TrainedModel& model, const Fitted& fitted,
                  const std::vector<std::vector<Size>>& valid, const Options& options);

}  // namespace tasks
