// The command line of sentiment_rating: every option with its default.
// What the verbs do stands in sentiment_rating.cpp.
#pragma once

#include <functional>

#include "common/training_options.hpp"
#include "sentiment_rating/model.hpp"

namespace tasks::sentiment_rating {

struct Options {
  std::string file, model = "sentiment_rating.safetensors", text, valid, vectors;
  bool json = false;
  Size min_freq = 5;
  Settings settings;
  TrainingOptions training{.batch = 64, .clip = 5, .epochs = 8, .learning_rate = 3e-3};
};

using Verb = std::function<void(const Options&)>;

void add_train(CLI::App& app, Options& options, Verb train);
void add_evaluate(CLI::App& app, Options& options, Verb evaluate);
void add_predict(CLI::App& app, Options& options, Verb predict);

}  // namespace tasks::sentiment_rating
