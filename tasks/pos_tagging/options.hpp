// The command line of pos_tagging: every option with its default.
// What the verbs do stands in pos_tagging.cpp.
#pragma once

#include <functional>

#include "common/training_options.hpp"
#include "pos_tagging/settings.hpp"

namespace tasks::pos_tagging {

struct Options {
  Size beams = 4, min_freq = 2;
  std::string file = {}, model = "pos_tagging.safetensors", save = model, text = {}, valid = {};
  bool beams_are_given = false, json = false;
  Settings settings;
  TrainingOptions training{.clip = 1, .epochs = 6, .learning_rate = 4e-3};
  double word_dropout = 0.05;
};

using Verb = std::function<void(const Options&)>;

void add_train(CLI::App& app, Options& options, Verb train);
void add_evaluate(CLI::App& app, Options& options, Verb evaluate);
void add_tag(CLI::App& app, Options& options, Verb tag);

}  // namespace tasks::pos_tagging
