// fit: the training loop of all programs, from the first batch to the best network on disk. What is
// learned, by which network and by which loss, is told to it by a Training.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <unroll/layers/optimiser.hpp>

#include "common/progress.hpp"
#include "common/training_options.hpp"

namespace tasks {

/// What fit() has to know of the batches of an epoch.
struct BatchSize {
  /// Dealt to the threads, in shares of equal size.
  Size rows = 1;
  /// What the loss is the sum over: tokens, reviews. A batch without any is left out.
  Size elements = 1;
};

/// Rows begin ... end - 1 of a batch, for one thread. Share `index` has the same thread in every
/// batch, so a state carried from batch to batch may be kept by it.
struct Share {
  Size index = 0, begin = 0, end = 0;
};

/// What a network reached on data that it does not learn.
struct Validation {
  /// By name. The first one decides which network is the best.
  std::vector<std::pair<std::string, double>> scores;
  /// Whether the first is better when it is higher.
  bool maximise = false;
};

/// What is said and written about a training.
struct Description {
  /// Settings and data: all that a checkpoint must agree with besides the shared options.
  nlohmann::json identity;
  /// The file that save() writes, for messages.
  std::string model;
  /// What is counted in a second: "words".
  std::string unit;
};

/// What is learned, from the side of the data. To be derived from by each program; rows are dealt
/// to threads, so loss() may change only what belongs to its share.
///
///     struct Ratings : Training {
///       std::vector<BatchSize> begin_epoch(Generator& g) override;     // batches_by_length(...)
///       Variable loss(Size batch, const Share& share) override {       // of these rows
///         return mean_squared_error(net(x), y, {.reduction = Reduction::sum});
///       }
///       Validation validate() override { return {{{"r2", r2}, {"mse", mse}}, true}; }
///       void save(const nlohmann::json& scores) override { save_model(...); }
///       Description description() const override;
///     };
class Training {
 public:
  virtual ~Training() = default;

  virtual Description description() const = 0;
  /// Deals the data to batches, by numbers from this generator and nothing else.
  virtual std::vector<BatchSize> begin_epoch(unroll::Generator& generator) = 0;
  /// The loss of a share of a batch, summed over its elements. Called on the share's thread, batch
  /// after batch, while a tape with a generator records.
  virtual unroll::Variable loss(Size batch, const Share& share) = 0;
  virtual Validation validate() = 0;
  /// The network is the best so far: writes the model file, with these scores and how it was
  /// trained, in one move.
  virtual void save(const nlohmann::json& scores) = 0;

  /// What is carried from batch to batch within an epoch, for checkpoints.
  virtual unroll::NamedArrays carried() const { return {}; }
  /// Puts it back; comes after begin_epoch().
  virtual void set_carried(const unroll::NamedArrays&) {}
};

/// What happened, batch by batch and epoch by epoch, for reports.
struct History {
  struct Epoch {
    double epochs = 0;  ///< read so far; 2.5: the third was cut short
    Size step = 0;      ///< batches so far
    double learning_rate = 0, seconds = 0, train = 0;
    std::vector<std::pair<std::string, double>> scores;
  };
  std::vector<Epoch> epochs;
  std::vector<double> gradient_norm, loss;  ///< of each batch, the norm before clipping
};

struct Fitted {
  Size best = 0;  ///< index in history.epochs of the network that was saved
  Size elements = 0, steps = 0;
  History history;
  double seconds = 0;
  nlohmann::ordered_json settings = {};  ///< of the training, for people
};

/// What is changed by training. The generator has drawn the first weights and goes on from there.
struct Learner {
  unroll::Module& net;
  unroll::Optimiser& optimiser;
  unroll::Generator& generator;
};

/// Trains until the epochs or minutes are over, or nothing has become better for options.patience
/// epochs. After each epoch the network is validated, and saved if it is the best so far. The batch
/// is dealt to threads, a tape each, and gradients are added in a fixed order: runs with the same
/// seed and number of threads are equal bit for bit, and so are those that were stopped and resumed
/// (but where --minutes decides, the clock does).
///
/// Throws BadInput if the loss or a gradient is no longer finite, the checkpoint is the model or of
/// another training, or a file cannot be written; Interrupted after Ctrl-C, when all is saved.
Fitted fit(const Learner& learner, Training& training, const TrainingOptions& options,
           Progress& progress);

/// Throws BadInput unless fit() may write the checkpoint, or go on from it: to be asked before an
/// hour of reading data.
void require_checkpoint_place(const TrainingOptions& options);

}  // namespace tasks
