// Every shared option of a training with its limits. The defaults are in training_options.hpp.
#include "common/training_options.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>

namespace tasks {

void add_training_options(CLI::App& verb, TrainingOptions& o) {
  verb.add_option("--batch", o.batch, "rows learned at a time")->check(within(1, 65536));
  verb.add_option("--learning-rate", o.learning_rate, "of the optimiser at its highest")
      ->check(within(1e-9, 1000.0));
  verb.add_option("--schedule", o.schedule,
                  "of the learning rate: cosine, constant, or plateau (a quarter of it after every "
                  "epoch that was not better)")
      ->check(CLI::IsMember({"cosine", "constant", "plateau"}));
  verb.add_option("--clip", o.clip, "largest norm of the gradient")->check(within(1e-6, 1e9));
  verb.add_option("--epochs", o.epochs, "0: as --minutes says, or else 20")
      ->check(within(0, 1000000));
  verb.add_option("--minutes", o.minutes, "0: as --epochs says")->check(within(0.0, 1e6));
  verb.add_option("--patience", o.patience, "stop after so many epochs without a better network")
      ->check(within(1, 1000000));
  verb.add_option("--checkpoint", o.checkpoint,
                  "file for all that is needed to go on, written after each epoch and on Ctrl-C");
  verb.add_option("--checkpoint-every", o.checkpoint_every, "and after so many batches")
      ->check(within(1, 1000000000));
  verb.add_flag("--resume", o.resume, "go on from the checkpoint as if nothing had happened");
  verb.add_option("--data-name", o.data, "what the data are called, in the model file");
  verb.add_option("--note", o.note, "what else the model file shall say, such as terms of the data");
  verb.add_option("--report", o.report, "folder for a page about the training, index.html");
  verb.add_option("--threads", o.threads, "0: one a core; results repeat for the same number")
      ->check(within(0, 256));
  verb.add_option("--seed", o.seed, "of all random numbers")->check(within(0, 1.8e19));
}

void name_data(TrainingOptions& options, const std::string& file) {
  if (options.data.empty())
    options.data = file.empty() ? "built-in" : std::filesystem::path(file).filename().string();
}

int thread_count(int threads) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return threads > 0 ? threads : std::clamp(cores, 1, 8);
}

}  // namespace tasks
