// Texts as something to learn: windows in order, the state carried from one to the next, the
// streams dealt to threads. The loop over epochs is fit()'s (common/fit.hpp).
#pragma once

#include <memory>

#include "common/fit.hpp"
#include "language_modeling/measuring.hpp"

namespace tasks {

/// Token numbers of what is learned, and of what shows how well. A running text is one of them.
struct Corpus {
  std::vector<std::vector<Size>> train, valid;
};

/// Windows over stories in batches by length, or over the one running text from token `first`.
/// With a generator batches are shuffled, for an epoch of training.
std::unique_ptr<Windows> make_windows(const TrainedModel& model,
                                      const std::vector<std::vector<Size>>& texts, Size batch,
                                      Size steps, unroll::Generator* generator = nullptr);

class LanguageTraining : public Training {
 public:
  struct Options {
    Size batch = 32, steps = 64;
    int threads = 1;
    std::string path;  ///< of the model file
  };
  LanguageTraining(const TrainedModel& model, const Corpus& corpus, const Options& options);

  Description description() const override;
  std::vector<BatchSize> begin_epoch(unroll::Generator& generator) override;
  unroll::Variable loss(Size batch, const Share& share) override;
  Validation validate() override;
  void save(const nlohmann::json& scores) override;
  unroll::NamedArrays carried() const override;
  void set_carried(const unroll::NamedArrays& arrays) override;

 private:
  const TrainedModel& model_;
  const Corpus& corpus_;
  Options options_;
  Workers workers_;
  std::unique_ptr<Windows> windows_;
  std::vector<LanguageModel::State> states_;  // of each share
};

}  // namespace tasks
