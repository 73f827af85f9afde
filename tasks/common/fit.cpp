// The loop: epochs, batches, validation, what is saved and when. The file of a checkpoint is
// checkpoint.cpp's.
#include "common/fit.hpp"

#include <cmath>
#include <filesystem>

#include <unroll/layers/clip.hpp>
#include <unroll/layers/import.hpp>
#include <unroll/layers/parallel.hpp>
#include <unroll/ops/elementwise.hpp>

#include "common/bad_input.hpp"
#include "common/checkpoint.hpp"
#include "common/files.hpp"
#include "common/interrupt.hpp"
#include "common/text.hpp"
#include "common/training.hpp"

namespace tasks {
namespace {

using namespace unroll;
using nlohmann::json;

Budget budget_of(const TrainingOptions& o, double seconds_before) {
  constexpr Size kEpochs = 20;
  return {o.epochs > 0 || o.minutes > 0 ? o.epochs : kEpochs, o.minutes, seconds_before};
}

class Fit {
 public:
  Fit(const Learner& learner, Training& training, const TrainingOptions& options,
      Progress& progress)
      : learner_(learner), training_(training), options_(options), progress_(progress),
        about_(training.description()), threads_(thread_count(options.threads)),
        budget_(budget_of(options, 0)) {
    now_.rate = options.learning_rate;
  }

  Fitted run() {
    require_two_files();
    remove_leftovers(about_.model);
    if (!options_.checkpoint.empty()) remove_leftovers(options_.checkpoint);
    if (options_.resume) resume();
    while (budget_.done(epochs()) < 1 && now_.since_best < options_.patience) epoch();
    return {now_.best,         now_.elements, now_.step, std::move(now_.history),
            budget_.seconds(), settings()};
  }

 private:
  // ---- a pass over the data ----

  void epoch() {
    begin_epoch();
    while (now_.batch < count() && budget_.done(epochs()) < 1) {
      const BatchSize& size = batches_[static_cast<std::size_t>(now_.batch)];
      if (size.elements > 0) learn(size);
      ++now_.batch;
      if (watch_.signal() != 0) stop();
      if (now_.step % options_.checkpoint_every == 0) write_checkpoint();
      progress_.update(line());
    }
    validate();
    if (now_.batch == count()) {
      now_.batch = 0;
      ++now_.epoch;
    }
    write_checkpoint();
    if (watch_.signal() != 0) interrupt();
  }

  // An epoch that was begun before is dealt again by the numbers of then.
  void begin_epoch() {
    Generator& generator = learner_.generator;
    if (now_.batch == 0) now_.epoch_began = generator.state();
    generator.set_state(now_.epoch_began);
    batches_ = training_.begin_epoch(generator);
    if (batches_.empty()) bad_input("there is nothing to learn");
    if (now_.batch == 0) return;
    generator.set_state(now_.generator);
    training_.set_carried(carried_);
  }

  void learn(const BatchSize& size) {
    learner_.optimiser.set_learning_rate(learning_rate());
    const Size shares = std::min<Size>(threads_, size.rows);
    // The mean over shares of what they give, times their number: the sum.
    const double scale = static_cast<double>(shares) / static_cast<double>(size.elements);
    const double loss = parallel_backward(
        shares,
        [&](Size k, Size) {
          const Share share{k, size.rows * k / shares, size.rows * (k + 1) / shares};
          return training_.loss(now_.batch, share) * scale;
        },
        {.generator = &learner_.generator, .threads = shares});
    const double norm = clip_global_norm(learner_.net, options_.clip);
    if (!std::isfinite(loss) || !std::isfinite(norm)) refuse_infinite();
    learner_.optimiser.step();
    constexpr double kMemory = 0.98;
    now_.train = now_.step == 0 ? loss : kMemory * now_.train + (1 - kMemory) * loss;
    now_.history.loss.push_back(loss);
    now_.history.gradient_norm.push_back(norm);
    now_.elements += size.elements;
    ++now_.step;
  }

  double learning_rate() const {
    const double part = warm_up(now_.step);
    if (options_.schedule == "cosine")
      return part * cosine_rate(options_.learning_rate, budget_.done(epochs()));
    return part * now_.rate;
  }

  // ---- what comes of it ----

  void validate() {
    const double before = budget_.seconds();
    Validation reached = training_.validate();
    budget_.reserve(budget_.seconds() - before);
    if (!std::isfinite(reached.scores.at(0).second)) refuse_infinite();
    const bool is_better = is_best(reached);
    now_.history.epochs.push_back({epochs(), now_.step, learner_.optimiser.learning_rate(),
                                   budget_.seconds(), now_.train, std::move(reached.scores)});
    if (is_better) {
      now_.best = static_cast<Size>(now_.history.epochs.size()) - 1;
      now_.since_best = 0;
      if (!options_.checkpoint.empty()) now_.best_weights = copied_weights(learner_.net);
      training_.save(scores(best()));
    } else {
      ++now_.since_best;
      if (options_.schedule == "plateau") now_.rate /= 4;
    }
    progress_.line(line() + (is_better ? "  saved" : ""));
  }

  bool is_best(const Validation& reached) const {
    if (now_.best < 0) return true;
    const double score = reached.scores[0].second, record = best().scores[0].second;
    return reached.maximise ? score > record : score < record;
  }

  json settings() const {
    return {{"batch", options_.batch}, {"clip", options_.clip},
            {"data", options_.data},   {"learning rate", options_.learning_rate},
            {"note", options_.note},   {"schedule", options_.schedule},
            {"seed", options_.seed},   {"threads", threads_}};
  }

  json scores(const History::Epoch& e) const {
    json valid = json::object();
    for (const auto& [name, score] : e.scores) valid[name] = score;
    return {{"epochs", e.epochs},
            {"steps", e.step},
            {"train", e.train},
            {"training", settings()},
            {"valid", valid}};
  }

  [[noreturn]] void refuse_infinite() const {
    bad_input("the loss is no longer finite; a smaller --learning-rate may help",
              now_.best < 0 ? "" : "; the best network so far is in " + about_.model);
  }

  // ---- checkpoints ----

  // The one would be written over the other.
  void require_two_files() const {
    namespace fs = std::filesystem;
    const auto place = [](const std::string& path) {
      std::error_code none;
      return fs::weakly_canonical(fs::absolute(path, none), none);
    };
    if (!options_.checkpoint.empty() && place(options_.checkpoint) == place(about_.model))
      bad_input(options_.checkpoint, ": cannot be both the checkpoint and the model");
  }

  // All options that change what is learned next; the rest may change from run to run.
  json identity() const {
    json all = about_.identity;
    all["batch"] = options_.batch;
    all["clip"] = options_.clip;
    all["learning rate"] = options_.learning_rate;
    all["schedule"] = options_.schedule;
    all["seed"] = options_.seed;
    all["threads"] = threads_;
    return all;
  }

  void write_checkpoint() {
    if (options_.checkpoint.empty()) return;
    now_.generator = learner_.generator.state();
    now_.seconds = budget_.seconds();
    tasks::write_checkpoint(options_.checkpoint, learner_, now_, training_.carried(), identity());
  }

  void resume() {
    now_ = read_checkpoint(options_.checkpoint, learner_, carried_, identity());
    if (now_.best >= 0) save_best();
    learner_.generator.set_state(now_.generator);
    budget_ = budget_of(options_, now_.seconds);
    progress_.line("goes on after " + fixed(static_cast<double>(now_.step), 0) + " batches");
  }

  // The model file may be gone by now, hold a network of others, or be called otherwise.
  void save_best() {
    const NamedArrays now = copied_weights(learner_.net);
    assign(learner_.net, now_.best_weights, options_.checkpoint);
    training_.save(scores(best()));
    assign(learner_.net, now, options_.checkpoint);
  }

  // In the middle of an epoch. What is in the checkpoint is not validated before its time, so that
  // the resumed training is the one that was not stopped; but a model there shall be.
  [[noreturn]] void stop() {
    write_checkpoint();
    if (options_.checkpoint.empty() || now_.best < 0) validate();
    interrupt();
  }

  [[noreturn]] void interrupt() const {
    std::string message = "stopped; the best network so far is in " + about_.model;
    if (!options_.checkpoint.empty())
      message += ", and --resume goes on from " + options_.checkpoint;
    throw Interrupted{watch_.signal(), message};
  }

  // ---- what is said ----

  Size count() const { return static_cast<Size>(batches_.size()); }
  const History::Epoch& best() const {
    return now_.history.epochs[static_cast<std::size_t>(now_.best)];
  }
  double epochs() const {
    const double part =
        batches_.empty() ? 0 : static_cast<double>(now_.batch) / static_cast<double>(count());
    return static_cast<double>(now_.epoch) + part;
  }
  std::string line() const {
    const double seconds = budget_.seconds();
    std::string text =
        "epoch " + pad_left(fixed(epochs(), 1), 5) + "  train " + fixed(now_.train, 3);
    if (!now_.history.epochs.empty()) {
      const auto& [name, score] = now_.history.epochs.back().scores[0];
      text += "  valid " + name + ' ' + fixed(score, 4);
    }
    return text + "  " + pad_left(count_text(static_cast<double>(now_.elements) / seconds), 6) +
           ' ' + about_.unit + "/s  " + clock_text(seconds) + " gone, " +
           clock_text(budget_.seconds_left(epochs())) + " left";
  }

  Learner learner_;
  Training& training_;
  const TrainingOptions& options_;
  Progress& progress_;
  Description about_;
  int threads_;
  Budget budget_;
  InterruptWatch watch_;
  std::vector<BatchSize> batches_;
  NamedArrays carried_;  // read from a checkpoint
  Standing now_;
};

}  // namespace

Fitted fit(const Learner& learner, Training& training, const TrainingOptions& options,
           Progress& progress) {
  return Fit(learner, training, options, progress).run();
}

void require_checkpoint_place(const TrainingOptions& o) {
  if (o.checkpoint.empty()) {
    if (o.resume) bad_input("--resume goes on from a --checkpoint; name its file");
    return;
  }
  require_writable(o.checkpoint);
  const bool exists = std::filesystem::exists(o.checkpoint);
  if (exists && !o.resume)
    bad_input(o.checkpoint, " exists; add --resume to go on from it, or choose another file");
  if (!exists && o.resume) bad_input(o.checkpoint, ": no such file; there is nothing to resume");
}

}  // namespace tasks
