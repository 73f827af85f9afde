// A running text as something to learn and to measure: windows in order, the state carried from one
// to the next, the streams dealt to threads. The loop over epochs is fit()'s (common/fit.hpp).
#pragma once

#include <functional>
#include <optional>

#include "common/batches.hpp"
#include "common/fit.hpp"
#include "common/metrics.hpp"
#include "common/workers.hpp"
#include "language_modeling/model.hpp"

namespace tasks {

/// The likelihood of all that is predicted in these windows, without dropout.
Likelihood measure(const LanguageModel& net, const TextWindows& windows, Workers& workers);

class TextTraining : public Training {
 public:
  struct Texts {
    std::vector<Size> train, valid;
  };
  struct Settings {
    Size batch = 32, steps = 64;
    int threads = 1;
    std::string path;  ///< of the model file
  };
  TextTraining(const TrainedModel& model, const Texts& texts, const Settings& settings);

  Description description() const override;
  std::vector<BatchSize> begin_epoch(unroll::Generator& generator) override;
  unroll::Variable loss(Size batch, const Share& share) override;
  Validation validate() override;
  void save(const nlohmann::json& scores) override;
  unroll::NamedArrays carried() const override;
  void set_carried(const unroll::NamedArrays& arrays) override;

 private:
  const TrainedModel& model_;
  const Texts& texts_;
  Settings settings_;
  Workers workers_;
  std::optional<TextWindows> windows_;
  std::vector<LanguageModel::State> states_;  // of each share
};

}  // namespace tasks
