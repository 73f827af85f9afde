// The network put together, and its settings checked as they come from a file. How it is trained is
// in training.cpp.
#include "language_modeling/model.hpp"

#include <algorithm>

#include "common/bad_input.hpp"
#include "common/cells.hpp"
#include "common/pretrained.hpp"
#include "language_modeling/tokens.hpp"

namespace tasks {
namespace {

using namespace unroll;

const std::string kProgram = "language_modeling";

Recurrent make_layers(const Settings& s) {
  RecurrentOptions options{.layers = s.layers};
  (s.variational ? options.variational_dropout : options.dropout) = s.dropout;
  if (s.recurrent_dropout > 0) {
    options.drop_connect = {"U"};
    options.drop_connect_probability = s.recurrent_dropout;
  }
  return recurrent_of(s.cell, s.embedding, s.hidden, options);
}

// The head has the most frequent fifth of the words.
std::vector<Size> cutoffs(Size vocabulary) { return {vocabulary / 5, vocabulary / 2}; }

}  // namespace

LanguageModel::LanguageModel(const Settings& s, Size vocabulary)
    : settings(s), embedding(parameter("embedding", {vocabulary, s.embedding},
                                       s.tied ? init::uniform(-0.1, 0.1) : init::normal(1))),
      rnn(submodule("rnn", make_layers(s))) {
  constexpr Size kFewest = 20;
  if (s.adaptive && s.tied) bad_input("the softmax is adaptive and tied; expected one of them");
  if (s.adaptive && vocabulary < kFewest)
    bad_input("an adaptive softmax needs at least ", kFewest, " tokens; here are ", vocabulary);
  if (s.adaptive) {
    softmax = submodule("softmax", AdaptiveSoftmax(s.hidden, vocabulary, cutoffs(vocabulary)));
  } else if (s.tied) {
    if (s.hidden != s.embedding)
      project = submodule("project", Linear(s.hidden, s.embedding, {.bias = false}));
    bias = parameter("bias", {vocabulary}, init::zeros);
  } else {
    readout = submodule("readout", Linear(s.hidden, vocabulary));
  }
}

Variable LanguageModel::dropped(const Variable& x) const {
  if (!settings.variational) return dropout(x, settings.dropout);
  return x * dropout(Variable(ones({1, x.size(1), x.size(2)})), settings.dropout);
}

LanguageModel::Result LanguageModel::operator()(const Variable& x, const State& state,
                                                const std::vector<Size>& lengths) const {
  Variable read = layer_output(*this, "embedding", unroll::embedding(embedding, x));
  // There are few characters, and each of them is needed.
  if (settings.tokens != kCharacters) read = dropped(read);
  RecurrentStates states = over_time(rnn, read, {.initial = state, .lengths = lengths});
  const Variable h = dropped(states.outputs());
  return {project ? (*project)(h) : h, std::move(states)};
}

Variable LanguageModel::loss(const Variable& h, const Variable& y,
                             const LossOptions& options) const {
  if (softmax) return softmax->loss(h, y, options);
  return cross_entropy(logits(h), y, {.lengths = options.lengths, .reduction = options.reduction});
}

Variable LanguageModel::logits(const Variable& h) const {
  if (softmax) return softmax->log_probabilities(h);
  return readout ? (*readout)(h) : layer_output(*this, "readout", linear(h, embedding, bias));
}

nlohmann::json Settings::to_json() const {
  return {{"adaptive", adaptive},
          {"cell", cell},
          {"dropout", dropout},
          {"embedding", embedding},
          {"hidden", hidden},
          {"layers", layers},
          {"recurrent_dropout", recurrent_dropout},
          {"stories", stories},
          {"tied", tied},
          {"tokens", tokens},
          {"variational", variational}};
}

Settings Settings::from_json(const nlohmann::json& json, const std::string& path) {
  Settings s;
  try {
    json.at("adaptive").get_to(s.adaptive);
    json.at("cell").get_to(s.cell);
    json.at("dropout").get_to(s.dropout);
    json.at("embedding").get_to(s.embedding);
    json.at("hidden").get_to(s.hidden);
    json.at("layers").get_to(s.layers);
    json.at("recurrent_dropout").get_to(s.recurrent_dropout);
    json.at("stories").get_to(s.stories);
    json.at("tied").get_to(s.tied);
    json.at("tokens").get_to(s.tokens);
    json.at("variational").get_to(s.variational);
  } catch (const nlohmann::json::exception&) {
    bad_input(path, ": its settings are incomplete");
  }
  const auto within = [](Size n, Size most) { return 1 <= n && n <= most; };
  const auto probability = [](double p) { return p >= 0 && p < 1; };
  if (std::ranges::count(cell_names(), s.cell) == 0 || !probability(s.dropout) ||
      !probability(s.recurrent_dropout) || !within(s.embedding, kMostUnits) ||
      !within(s.hidden, kMostUnits) || !within(s.layers, kMostLayers) ||
      (s.tokens != kCharacters && s.tokens != kWords && s.tokens != kSpaced))
    bad_input(path, ": its settings are out of range: ", json.dump());
  return s;
}

void TrainedModel::require_place(const std::string& path) { require_model_place(kProgram, path); }

void TrainedModel::save(const nlohmann::json& scores, const std::string& path) const {
  save_model(net, {lexicon, settings.to_json(), scores}, kProgram, path);
}

TrainedModel TrainedModel::load(const std::string& name) {
  const std::string path = model_path(kProgram, name);
  ModelCard card = load_card(kProgram, path);
  const Settings settings = Settings::from_json(card.settings, path);
  require_lexicon(card.lexicon, settings, path);
  LanguageModel net(settings, card.lexicon.size());
  load_weights(net, path);
  return {settings, std::move(card.lexicon), std::move(net)};
}

}  // namespace tasks
