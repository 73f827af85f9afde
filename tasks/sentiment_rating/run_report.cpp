// The pictures of a run: what is true against what is said, lengths, gradients through time.
#include "sentiment_rating/run_report.hpp"

#include "common/text.hpp"

namespace tasks::sentiment_rating {
namespace {

using namespace unroll;

std::vector<Size> lengths_of(const RatedReviews& reviews) {
  std::vector<Size> lengths;
  for (const auto& review : reviews.reviews) lengths.push_back(static_cast<Size>(review.size()));
  return lengths;
}

/// Of a batch of reviews of middle length.
void add_gradients(Report& report, const Rnn& net, const RatedReviews& reviews) {
  constexpr Size kBatch = 32;
  const auto batches = batches_by_length(lengths_of(reviews), kBatch);
  const std::vector<Size>& rows = batches[batches.size() / 2];
  std::vector<float> ratings;
  for (Size row : rows)
    ratings.push_back(static_cast<float>(reviews.ratings[static_cast<std::size_t>(row)]));
  const Padded batch = pad(reviews.reviews, rows);

  Generator generator(1);
  Tape tape(generator);
  const RecurrentStates states = net.read(batch);
  const Variable loss = mean_squared_error(net.rate(states, batch),
                                           values(ratings, {static_cast<Size>(rows.size())}));
  report.gradient_through_time(loss, states, "Of a batch of reviews of middle length.");
}

/// Ratings are whole numbers: dots are moved sideways so that they can be told apart.
Series against(const std::vector<double>& ratings, const std::vector<double>& predictions) {
  Generator generator(1);
  Series dots;
  for (std::size_t k = 0; k < ratings.size(); ++k) {
    dots.x.push_back(ratings[k] + 0.6 * (generator.uniform() - 0.5));
    dots.y.push_back(predictions[k]);
  }
  return dots;
}

std::vector<std::vector<std::string>> samples(const std::vector<double>& ratings,
                                              const std::vector<double>& predictions,
                                              const std::vector<std::string>& texts) {
  constexpr std::size_t kSamples = 20;
  std::vector<std::vector<std::string>> rows{{"true", "said", "review"}};
  for (std::size_t k = 0; k < std::min(kSamples, texts.size()); ++k)
    rows.push_back({fixed(ratings[k], 0), fixed(predictions[k], 1), excerpt(texts[k], 160)});
  return rows;
}

}  // namespace

Report run_report(const TrainedModel& model, const Fitted& fitted, const RatedReviews& valid,
                  const std::vector<std::string>& texts, int threads) {
  Workers workers(threads);
  const std::vector<double> predictions = rate(*model.net, valid.reviews, workers);
  const RatingScores scores = rating_scores(valid.ratings, predictions);
  Report report("sentiment_rating: " + model.settings.model);
  report.facts("Scores on reviews held out", {{"R2", scores.r2},
                                              {"mean squared error", scores.mean_squared_error},
                                              {"mean absolute error", scores.mean_absolute_error},
                                              {"positive or negative right", scores.accuracy}});
  report.picture("Predicted against true",
                 scatter_chart(against(valid.ratings, predictions),
                               {.x = "true rating", .y = "predicted rating"}),
                 "Reviews held out; dots are moved sideways so that they can be told apart.");
  report.training(fitted);
  report.lengths(lengths_of(valid), {.x = "features of a review", .y = "reviews"});
  if (const auto* net = dynamic_cast<const Rnn*>(model.net.get()))
    add_gradients(report, *net, valid);
  report.layers(*model.net);
  report.facts("Settings", model.settings.to_json());
  report.table("Samples", samples(valid.ratings, predictions, texts));
  return report;
}

}  // namespace tasks::sentiment_rating
