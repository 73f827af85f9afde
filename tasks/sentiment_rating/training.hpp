// Reviews as something to learn and to measure. The loop over epochs is fit()'s (common/fit.hpp).
#pragma once

#include "common/fit.hpp"
#include "common/metrics.hpp"
#include "sentiment_rating/model.hpp"

namespace tasks::sentiment_rating {

/// What the program says of predictions; positive is a rating above 5.5.
struct RatingScores : RegressionScores {
  double accuracy = 0;  ///< of positive and negative
};
RatingScores rating_scores(const std::vector<double>& ratings,
                           const std::vector<double>& predictions);

/// Reviews as numbers of words, with what they should be rated.
struct RatedReviews {
  std::vector<double> ratings;
  std::vector<std::vector<Size>> reviews;
};

class RatingTraining : public Training {
 public:
  /// The model is saved in `path`; `data` is the name of what it learns. All must outlive it.
  RatingTraining(const TrainedModel& model, const RatedReviews& train, const RatedReviews& valid,
                 const TrainingOptions& options, const std::string& path);

  Description description() const override;
  std::vector<BatchSize> begin_epoch(unroll::Generator& generator) override;
  /// sum_b (rating_b - prediction_b)^2
  unroll::Variable loss(Size batch, const Share& share) override;
  Validation validate() override;
  void save(const nlohmann::json& scores) override;

 private:
  const TrainedModel& model_;
  const RatedReviews &train_, &valid_;
  Size batch_;
  std::string path_;
  Workers workers_;
  std::vector<Size> lengths_;
  std::vector<std::vector<Size>> batches_;  // rows of each
};

}  // namespace tasks::sentiment_rating
