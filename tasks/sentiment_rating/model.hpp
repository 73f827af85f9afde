// The three networks of sentiment_rating, and the settings they are built from and saved with.
// How texts become their numbers is in reviews.hpp, how they are trained in training.hpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <unroll/unroll.hpp>

#include "common/model_file.hpp"
#include "common/onnx_ops.hpp"
#include "common/padded_batches.hpp"
#include "common/workers.hpp"

namespace tasks::sentiment_rating {

/// What a network is built from. The limits keep a broken model file from asking for all memory.
struct Settings {
  static constexpr Size kMostLayers = 8, kMostNgrams = 5, kMostUnits = 4096, kMostWords = 1000000;

  std::string cell = "gru";  // rnn
  Size directions = 2;       // rnn
  double dropout = 0.5;
  Size embedding = 64;           // mlp-cbow, rnn
  Size hidden = 64, layers = 1;  // layers: rnn
  Size max_words = 2000;         // of a review; those before are not read
  std::string model = "rnn";
  Size ngrams = 1;                   // mlp-bow
  std::string pooling = "mean-max";  // rnn
  double word_dropout = 0;

  static const std::vector<std::string>& models();
  static const std::vector<std::string>& poolings();
  /// What suits that model.
  static Settings of(const std::string& model);

  nlohmann::json to_json() const;
  /// Throws BadInput naming `path` for settings that are missing or out of range.
  static Settings from_json(const nlohmann::json& json, const std::string& path);
};

/// What all three are to the program. Dropout is drawn while a tape records.
struct RatingModel : unroll::Module {
  virtual ~RatingModel() = default;
  /// Ratings (B) of reviews (T, B), of at least one word each.
  virtual unroll::Variable operator()(const Padded& reviews) const = 0;
  /// The same, and never below 1 or above 10, as a graph of ONNX.
  virtual onnx::Value rating(const onnx::Padded& reviews) const = 0;
  /// Takes from the reviews to be learned what is counted rather than learned.
  virtual void learn_frequencies(const std::vector<std::vector<Size>>&) {}
  /// Word vectors (V, D); empty if it has none.
  virtual unroll::Parameter word_vectors() const { return {}; }
};

/// mlp-bow: a bag of words and of n-grams, each of which counts once however often it is said.
///
///   x_v = 6 idf_v / |idf of the review's features|,    h = sigmoid(sum_v x_v W_v + b),
///   rating = 5.5 + 4.5 (w . h + c)
///
/// Only the rows W_v of features that are there are read: x is never written out.
struct MlpBow : RatingModel {
  MlpBow(const Settings& settings, Size vocabulary);

  /// The longer x, the faster the units learn; 6 was best on film reviews.
  static constexpr double kLength = 6;

  double dropout, word_dropout;
  unroll::Parameter W;    // (V, H)
  unroll::Parameter b;    // (H)
  unroll::Parameter idf;  // (V), counted
  unroll::Linear readout;

  /// idf_v = 1 + ln((1 + n) / (1 + n_v)), where n_v of n reviews hold the feature v.
  void learn_frequencies(const std::vector<std::vector<Size>>& reviews) override;
  unroll::Variable operator()(const Padded& reviews) const override;
  onnx::Value rating(const onnx::Padded& reviews) const override;
};

/// mlp-cbow: the mean of the word vectors.
///
///   h = sigmoid(W mean_t e_t + b),    rating = 5.5 + 4.5 (w . h + c)
struct MlpCbow : RatingModel {
  MlpCbow(const Settings& settings, Size vocabulary);

  double dropout, word_dropout;
  unroll::Parameter embed;  // (V, D)
  unroll::Linear hidden, readout;

  unroll::Variable operator()(const Padded& reviews) const override;
  onnx::Value rating(const onnx::Padded& reviews) const override;
  unroll::Parameter word_vectors() const override { return embed; }
};

/// rnn: the states of a recurrent network, their mean and their maximum over time; or, by
/// --pooling last, those after the last step.
///
///   rating = 5.5 + 4.5 (w . [mean_t h_t, max_t h_t] + c)    or    5.5 + 4.5 (w . h_T + c)
struct Rnn : RatingModel {
  Rnn(const Settings& settings, Size vocabulary);

  std::string cell, pooling;
  double dropout, word_dropout;
  unroll::Parameter embed;  // (V, D)
  unroll::Recurrent rnn;
  unroll::Linear readout;

  unroll::RecurrentStates read(const Padded& reviews) const;
  unroll::Variable rate(const unroll::RecurrentStates& states, const Padded& reviews) const;
  unroll::Variable operator()(const Padded& reviews) const override {
    return rate(read(reviews), reviews);
  }
  onnx::Value rating(const onnx::Padded& reviews) const override;
  unroll::Parameter word_vectors() const override { return embed; }
};

/// Of settings.model.
std::unique_ptr<RatingModel> make_model(const Settings& settings, Size vocabulary);

/// Ratings of reviews as numbers of words, within 1 to 10 as all ratings are.
std::vector<double> rate(const RatingModel& net, const std::vector<std::vector<Size>>& reviews,
                         Workers& workers);

/// A network with the vocabulary it reads.
struct TrainedModel {
  Settings settings;
  Lexicon lexicon;  // of features (reviews.hpp)
  std::unique_ptr<RatingModel> net;

  /// Throws BadInput if save() could not write there, or would replace what is no such file.
  static void require_place(const std::string& path);
  void save(const nlohmann::json& scores, const std::string& path) const;
  /// Throws BadInput, one line, for anything that is not such a file.
  static TrainedModel load(const std::string& path);
};

/// Takes numbers of a last layer that says the rating itself, as other programs train it, to ours,
/// which says it on the scale of -1 to 1.
void rescale_last_layer(RatingModel& net);

/// Numbers of words as encode() makes them (reviews.hpp) to ratings. Throws BadInput naming
/// `source` for a cell that ONNX has not.
std::unique_ptr<onnx::Graph> to_onnx(const TrainedModel& model, const std::string& source);

}  // namespace tasks::sentiment_rating
