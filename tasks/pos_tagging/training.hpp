// Tagged sentences as something to learn and to measure. The loop over epochs is fit()'s
// (common/fit.hpp).
#pragma once

#include "common/fit.hpp"
#include "common/metrics.hpp"
#include "common/workers.hpp"
#include "pos_tagging/model.hpp"

namespace tasks::pos_tagging {

/// The tags of all sentences, in their order, found by several threads.
std::vector<std::vector<Size>> tag(const Tagger& net, const EncodedSentences& sentences, Size beams,
                                   Workers& workers);

/// Found against true tags; unknown are words that are not in the lexicon.
struct TagScores {
  explicit TagScores(Size tags) : confusion(tags) {}

  Confusion confusion;
  Size unknown = 0, unknown_right = 0;

  void add(const EncodedSentences& sentences, const std::vector<std::vector<Size>>& found);
  /// NaN if there are none.
  double unknown_accuracy() const;
};

class TagTraining : public Training {
 public:
  struct Options {
    Size batch = 32;
    std::string path = {};  ///< of the model file
    int threads = 1;
    double word_dropout = 0;
  };
  /// Model and sentences must outlive it.
  TagTraining(const TrainedModel& model, const EncodedSentences& train,
              const EncodedSentences& valid, const Options& options);

  Description description() const override;
  std::vector<BatchSize> begin_epoch(unroll::Generator& generator) override;
  /// -log p(tags | words); its elements are words.
  unroll::Variable loss(Size batch, const Share& share) override;
  Validation validate() override;
  void save(const nlohmann::json& scores) override;

 private:
  const TrainedModel& model_;
  const EncodedSentences &train_, &valid_;
  Options options_;
  Workers workers_;
  std::vector<std::vector<Size>> batches_;  // rows of each
};

}  // namespace tasks::pos_tagging
