// What a page about a training of pos_tagging shows. The page is common/report.hpp's.
#pragma once

#include "common/report.hpp"
#include "pos_tagging/training.hpp"

namespace tasks::pos_tagging {

/// Of the network that was kept, and the sentences held out as numbers and as words.
Report run_report(const TrainedModel& model, const Fitted& fitted, const EncodedSentences& valid,
                  const std::vector<Words>& sentences, int threads);

}  // namespace tasks::pos_tagging
