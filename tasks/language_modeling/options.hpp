// The command line of language_modeling: every option with its default.
// What the verbs do stands in language_modeling.cpp.
#pragma once

#include <functional>
#include <optional>

#include "common/training_options.hpp"
#include "language_modeling/model.hpp"

namespace tasks {

struct Options {
  std::string column = "Story", model = "language_model.safetensors", prompt, text, valid;
  Settings settings;
  TrainingOptions training{.learning_rate = 4e-3};
  Size endings = 10, length = 500, min_freq = 1, samples = 1, steps = 64, streams = 1, top_k = 0;
  double nucleus = 1, temperature = 0.8;
  bool json = false;
  std::optional<std::string> story;  // an empty one is a story too
};

using Verb = std::function<void(const Options&)>;

void add_train(CLI::App& app, Options& options, Verb train);
void add_evaluate(CLI::App& app, Options& options, Verb evaluate);
void add_score(CLI::App& app, Options& options, Verb score);
void add_generate(CLI::App& app, Options& options, Verb generate);

}  // namespace tasks
