// The options of a training that all programs share, and how they are told on the command line.
// What is learned, and by which network, is each program's own.
#pragma once

#include <cstdint>
#include <string>

#include <unroll/autograd/shape.hpp>

#include "common/command_line.hpp"

namespace tasks {

using unroll::Size;

struct TrainingOptions {
  Size batch = 32;
  /// Where to write the checkpoint; empty: nowhere.
  std::string checkpoint = {};
  /// Batches between checkpoints; there is one after each epoch anyway.
  Size checkpoint_every = 1000;
  /// Largest norm of the gradient.
  double clip = 1;
  /// What the data are called, in the model file.
  std::string data = {};
  /// 0: as minutes say, or else 20.
  Size epochs = 0;
  double learning_rate = 1e-3;
  /// 0: as epochs say.
  double minutes = 0;
  /// Kept in the model file: the terms of the data, or anything else that people should know.
  std::string note = {};
  /// Epochs without a better network until the end.
  int patience = 5;
  /// Folder for a page about the training (report.hpp); empty: none.
  std::string report = {};
  /// Go on from the checkpoint.
  bool resume = false;
  /// cosine: a short warm-up, then half a cosine down to a fiftieth of the rate. constant: all the
  /// time the same. plateau: a quarter of it after every epoch that was not better.
  std::string schedule = "cosine";
  std::uint64_t seed = 1;
  /// 0: one a core, at most 8.
  int threads = 0;
};

/// Declares all of them, with their defaults and limits.
void add_training_options(CLI::App& verb, TrainingOptions& options);

/// What the data are called if nobody said: as their file is, or built-in.
void name_data(TrainingOptions& options, const std::string& file);

/// How many threads are meant; at least 1.
int thread_count(int threads);

}  // namespace tasks
