// What a page about a training of sentiment_rating shows. The page is common/report.hpp's.
#pragma once

#include "common/report.hpp"
#include "sentiment_rating/training.hpp"

namespace tasks::sentiment_rating {

/// Of the network that was kept, and the reviews held out as numbers and as texts.
Report run_report(const TrainedModel& model, const Fitted& fitted, const RatedReviews& valid,
                  const std::vector<std::string>& texts, int threads);

}  // namespace tasks::sentiment_rating
