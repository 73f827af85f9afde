// The command line of language_modeling: every option with its default.
// What the verbs do stands in language_modeling.cpp.
#pragma once

#include <functional>

#include "common/training_options.hpp"
#include "language_modeling/model.hpp"

namespace tasks {

struct Options {
  std::string model = "language_model.safetensors", text, valid, prompt;
  Settings settings;
  TrainingOptions training{.learning_rate = 4e-3};
  Size length = 500, steps = 64, streams = 1, top_k = 0;
  double nucleus = 1, temperature = 0.8;
  bool json = false;
};

using Verb = std::function<void(const Options&)>;

void add_train(CLI::App& app, Options& options, Verb train);
void add_evaluate(CLI::App& app, Options& options, Verb evaluate);
void add_generate(CLI::App& app, Options& options, Verb generate);

}  // namespace tasks
