// Batches of similar lengths, their loss, and what is measured after each epoch.
#include "sentiment_rating/training.hpp"

namespace tasks::sentiment_rating {

using namespace unroll;

RatingScores rating_scores(const std::vector<double>& ratings,
                           const std::vector<double>& predictions) {
  const auto positive = [](double rating) { return rating > 5.5 ? 1 : 0; };
  RatingScores scores{regression_scores(ratings, predictions)};
  Confusion confusion(2);
  for (std::size_t k = 0; k < ratings.size(); ++k)
    confusion.add(positive(ratings[k]), positive(predictions[k]));
  scores.accuracy = confusion.accuracy();
  return scores;
}

RatingTraining::RatingTraining(const TrainedModel& model, const RatedReviews& train,
                               const RatedReviews& valid, const TrainingOptions& options,
                               const std::string& path)
    : model_(model), train_(train), valid_(valid), batch_(options.batch), path_(path),
      workers_(thread_count(options.threads)) {
  for (const std::vector<Size>& review : train.reviews)
    lengths_.push_back(static_cast<Size>(review.size()));
}

Description RatingTraining::description() const {
  return {.identity = {{"settings", model_.settings.to_json()},
                       {"reviews", {train_.reviews.size(), valid_.reviews.size()}},
                       {"vocabulary", model_.lexicon.size()}},
          .model = path_,
          .unit = "reviews"};
}

std::vector<BatchSize> RatingTraining::begin_epoch(Generator& generator) {
  batches_ = batches_by_length(lengths_, batch_, generator);
  std::vector<BatchSize> sizes;
  for (const std::vector<Size>& rows : batches_) {
    const auto count = static_cast<Size>(rows.size());
    sizes.push_back({count, count});
  }
  return sizes;
}

Variable RatingTraining::loss(Size batch, const Share& share) {
  const std::vector<Size>& all = batches_[static_cast<std::size_t>(batch)];
  const std::vector<Size> rows(all.begin() + share.begin, all.begin() + share.end);
  std::vector<float> ratings;
  for (Size row : rows)
    ratings.push_back(static_cast<float>(train_.ratings[static_cast<std::size_t>(row)]));
  return mean_squared_error((*model_.net)(pad(train_.reviews, rows)),
                            values(ratings, {static_cast<Size>(rows.size())}),
                            {.reduction = Reduction::sum});
}

Validation RatingTraining::validate() {
  const RatingScores scores =
      rating_scores(valid_.ratings, rate(*model_.net, valid_.reviews, workers_));
  // The mean squared error ranks networks as R2 does, and exists for a single review too.
  return {.scores = {{"mse", scores.mean_squared_error},
                     {"mae", scores.mean_absolute_error},
                     {"r2", scores.r2},
                     {"accuracy", scores.accuracy}}};
}

void RatingTraining::save(const nlohmann::json& scores) { model_.save(scores, path_); }

}  // namespace tasks::sentiment_rating
