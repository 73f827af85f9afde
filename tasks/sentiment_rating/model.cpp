// The networks as equations, and their settings checked as they come from a file. How they are
// trained is in training.cpp.
#include "sentiment_rating/model.hpp"

#include <algorithm>
#include <cmath>

#include "common/bad_input.hpp"
#include "common/cells.hpp"
#include "common/pretrained.hpp"

namespace tasks::sentiment_rating {
namespace {

using namespace unroll;

const std::string kProgram = "sentiment_rating";

/// From about -1 ... 1 to ratings of 1 to 10; x (B, 1) gives (B).
Variable on_scale(const RatingModel& net, const Variable& x) {
  return layer_output(net, "rating", 5.5 + 4.5 * squeeze(x, -1));
}

/// sum_t x_tb w_tb: x (T, B, D), w (T, B) give (B, D).
Variable weighted_sum(const Variable& x, const Variable& w) {
  return sum(x * expand(w, -1), {.axes = {0}});
}

/// What a word counts in the mean of its review, (T, B).
Variable shares(const Padded& reviews) {
  return reviews.mask / sum(reviews.mask, {.axes = {0}, .keepdims = true});
}

/// max_t x_t over the steps that are there: x (T, B, D) gives (B, D).
Variable max_over_time(const Variable& x, const Array& mask) {
  constexpr double kBelowAll = 1e30;
  return max(x + kBelowAll * expand(mask - 1.0, -1), {.axes = {0}});
}

}  // namespace

MlpBow::MlpBow(const Settings& s, Size vocabulary)
    : dropout(s.dropout), word_dropout(s.word_dropout),
      W(parameter("W", {vocabulary, s.hidden}, init::normal(0.05))),
      b(parameter("b", {s.hidden}, init::zeros)), idf(parameter("idf", {vocabulary}, init::ones)),
      readout(submodule("readout", Linear(s.hidden, 1))) {
  idf.freeze();
}

void MlpBow::learn_frequencies(const std::vector<std::vector<Size>>& reviews) {
  std::vector<double> holding(static_cast<std::size_t>(idf.size()));
  for (const std::vector<Size>& review : reviews)
    for (Size feature : review) ++holding[static_cast<std::size_t>(feature)];
  const auto n = static_cast<double>(reviews.size());
  for (double& count : holding) count = 1 + std::log((1 + n) / (1 + count));
  idf.assign(values(holding, idf.shape()));
}

Variable MlpBow::operator()(const Padded& reviews) const {
  const Variable present = index_select(idf, 0, reviews.tokens) * reviews.mask;
  const Variable x = layer_output(
      *this, "bag", kLength * present / norm(present, {.axes = {0}, .keepdims = true}));
  const Variable rows = embedding(W, reviews.tokens);
  const Variable h = layer_output(
      *this, "hidden", sigmoid(weighted_sum(rows, unroll::dropout(x, word_dropout)) + b));
  return on_scale(*this, readout(unroll::dropout(h, dropout)));
}

MlpCbow::MlpCbow(const Settings& s, Size vocabulary)
    : dropout(s.dropout), word_dropout(s.word_dropout),
      embed(parameter("embed", {vocabulary, s.embedding}, init::normal(0.1))),
      hidden(submodule("hidden", Linear(s.embedding, s.hidden))),
      readout(submodule("readout", Linear(s.hidden, 1))) {}

Variable MlpCbow::operator()(const Padded& reviews) const {
  const Variable share = unroll::dropout(shares(reviews), word_dropout);
  const Variable words = layer_output(*this, "embed", embedding(embed, reviews.tokens));
  const Variable mean = layer_output(*this, "mean", weighted_sum(words, share));
  const Variable h = sigmoid(hidden(unroll::dropout(mean, dropout)));
  return on_scale(*this, readout(layer_output(*this, "activation", h)));
}

Rnn::Rnn(const Settings& s, Size vocabulary)
    : cell(s.cell), pooling(s.pooling), dropout(s.dropout), word_dropout(s.word_dropout),
      embed(parameter("embed", {vocabulary, s.embedding}, init::normal(0.1))),
      rnn(submodule("rnn", recurrent_of(s.cell, s.embedding, s.hidden,
                                        {.bidirectional = s.directions == 2,
                                         .dropout = s.dropout,
                                         .layers = s.layers}))),
      readout(
          submodule("readout", Linear((pooling == "last" ? 1 : 2) * s.directions * s.hidden, 1))) {}

RecurrentStates Rnn::read(const Padded& reviews) const {
  const Variable heard = unroll::dropout(Variable(reviews.mask), word_dropout);
  const Variable words = layer_output(*this, "embed", embedding(embed, reviews.tokens));
  return over_time(rnn, words * expand(heard, -1), {.lengths = reviews.lengths});
}

Variable Rnn::rate(const RecurrentStates& states, const Padded& reviews) const {
  const auto mean_and_max = [&] {
    const Variable& h = states.outputs();
    return concat({weighted_sum(h, shares(reviews)), max_over_time(h, reviews.mask)});
  };
  const Variable pooled =
      layer_output(*this, "pooled", pooling == "last" ? rnn.output(states.last()) : mean_and_max());
  return on_scale(*this, readout(unroll::dropout(pooled, dropout)));
}

std::unique_ptr<RatingModel> make_model(const Settings& s, Size vocabulary) {
  if (s.model == "mlp-bow") return std::make_unique<MlpBow>(s, vocabulary);
  if (s.model == "mlp-cbow") return std::make_unique<MlpCbow>(s, vocabulary);
  return std::make_unique<Rnn>(s, vocabulary);
}

void rescale_last_layer(RatingModel& net) {
  for (NamedParameter& p : net.named_parameters()) {
    const Variable& numbers = p.parameter;
    if (p.name == "readout.W") p.parameter.assign((numbers / 4.5).value());
    if (p.name == "readout.b") p.parameter.assign(((numbers - 5.5) / 4.5).value());
  }
}

std::vector<double> rate(const RatingModel& net, const std::vector<std::vector<Size>>& reviews,
                         Workers& workers) {
  constexpr Size kBatch = 64;
  std::vector<Size> lengths;
  for (const std::vector<Size>& review : reviews)
    lengths.push_back(static_cast<Size>(review.size()));
  const auto batches = batches_by_length(lengths, kBatch);
  std::vector<double> ratings(reviews.size());
  workers.run([&](int k) {
    for (auto b = static_cast<std::size_t>(k); b < batches.size();
         b += static_cast<std::size_t>(workers.count())) {
      const auto found = net(pad(reviews, batches[b])).value().to_vector<double>();
      for (std::size_t i = 0; i < found.size(); ++i)
        ratings[static_cast<std::size_t>(batches[b][i])] = std::clamp(found[i], 1.0, 10.0);
    }
  });
  return ratings;
}

void TrainedModel::require_place(const std::string& path) { require_model_place(kProgram, path); }

void TrainedModel::save(const nlohmann::json& scores, const std::string& path) const {
  save_model(*net, {lexicon, settings.to_json(), scores}, kProgram, path);
}

TrainedModel TrainedModel::load(const std::string& name) {
  const std::string path = model_path(kProgram, name);
  ModelCard card = load_card(kProgram, path);
  const Settings settings = Settings::from_json(card.settings, path);
  if (!card.lexicon.is_of_words()) bad_input(path, ": its vocabulary is not one of words");
  std::unique_ptr<RatingModel> net = make_model(settings, card.lexicon.size());
  load_weights(*net, path);
  return {settings, std::move(card.lexicon), std::move(net)};
}

}  // namespace tasks::sentiment_rating
