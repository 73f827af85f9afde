// Settings of the networks: what suits each of them, and JSON in and out.
#include <algorithm>

#include "common/bad_input.hpp"
#include "common/cells.hpp"
#include "sentiment_rating/model.hpp"

namespace tasks::sentiment_rating {
namespace {

template <class T>
bool is_one_of(const T& value, const std::vector<T>& list) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool within(Size n, Size most) { return 1 <= n && n <= most; }
bool is_probability(double p) { return p >= 0 && p < 1; }

}  // namespace

const std::vector<std::string>& Settings::models() {
  static const std::vector<std::string> names{"mlp-bow", "mlp-cbow", "rnn"};
  return names;
}

const std::vector<std::string>& Settings::poolings() {
  static const std::vector<std::string> names{"last", "mean-max"};
  return names;
}

Settings Settings::of(const std::string& model) {
  Settings s;
  s.model = model;
  if (model == "mlp-bow") s.hidden = 32, s.ngrams = 2;
  if (model == "mlp-cbow") s.embedding = 200, s.word_dropout = 0.5;
  if (model == "rnn") s.max_words = 400, s.word_dropout = 0.3;
  return s;
}

nlohmann::json Settings::to_json() const {
  return {{"cell", cell},
          {"directions", directions},
          {"dropout", dropout},
          {"embedding", embedding},
          {"hidden", hidden},
          {"layers", layers},
          {"max_words", max_words},
          {"model", model},
          {"ngrams", ngrams},
          {"pooling", pooling},
          {"word_dropout", word_dropout}};
}

Settings Settings::from_json(const nlohmann::json& json, const std::string& path) {
  Settings s;
  try {
    json.at("cell").get_to(s.cell);
    json.at("directions").get_to(s.directions);
    json.at("dropout").get_to(s.dropout);
    json.at("embedding").get_to(s.embedding);
    json.at("hidden").get_to(s.hidden);
    json.at("layers").get_to(s.layers);
    json.at("max_words").get_to(s.max_words);
    json.at("model").get_to(s.model);
    json.at("ngrams").get_to(s.ngrams);
    json.at("pooling").get_to(s.pooling);
    json.at("word_dropout").get_to(s.word_dropout);
  } catch (const nlohmann::json::exception&) {
    bad_input(path, ": its settings are incomplete");
  }
  if (!is_one_of(s.cell, cell_names()) || !within(s.directions, 2) || !is_probability(s.dropout) ||
      !within(s.embedding, kMostUnits) || !within(s.hidden, kMostUnits) ||
      !within(s.layers, kMostLayers) || !within(s.max_words, kMostWords) ||
      !is_one_of(s.model, models()) || !within(s.ngrams, kMostNgrams) ||
      !is_one_of(s.pooling, poolings()) || !is_probability(s.word_dropout))
    bad_input(path, ": its settings are out of range: ", json.dump());
  return s;
}

}  // namespace tasks::sentiment_rating
