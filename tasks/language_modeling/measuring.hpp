// How likely texts are to a network: all of them together, or token by token. Which texts, and what
// is made of the numbers, is in language_modeling.cpp.
#pragma once

#include "common/metrics.hpp"
#include "common/workers.hpp"
#include "language_modeling/model.hpp"

namespace tasks {

struct Measured {
  Likelihood all;    ///< every token predicted, ends included; padding never counts
  Likelihood known;  ///< without those that stand for unknown words
};

/// Of all that is predicted in these windows; rows are dealt to the workers. A text in one stream:
/// every token but the first, from all that stands before it.
Measured measure(const TrainedModel& model, const Windows& windows, Workers& workers);

/// Minus log p of each token of each story, its end included, from all that stands before it.
std::vector<std::vector<double>> nats_of_tokens(const TrainedModel& model,
                                                const std::vector<std::vector<Size>>& stories,
                                                Workers& workers);

}  // namespace tasks
