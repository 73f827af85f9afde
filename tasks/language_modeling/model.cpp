// The network put together, and its settings checked as they come from a file. How it is trained is
// in language_modeling.cpp.
#include "language_modeling/model.hpp"

#include "common/bad_input.hpp"

namespace tasks {
namespace {

using namespace unroll;

const std::string kProgram = "language_modeling";

Recurrent make_layers(const Settings& s) {
  const RecurrentOptions options{.dropout = s.dropout, .layers = s.layers};
  if (s.cell == "lstm") return recurrent<LSTM>(s.embedding, s.hidden, options);
  if (s.cell == "gru") return recurrent<GRU>(s.embedding, s.hidden, options);
  return recurrent<Elman>(s.embedding, s.hidden, options);
}

}  // namespace

LanguageModel::LanguageModel(const Settings& settings, Size vocabulary)
    : dropout(settings.dropout),
      embed(submodule("embed", Embedding(vocabulary, settings.embedding))),
      rnn(submodule("rnn", make_layers(settings))),
      readout(submodule("readout", Linear(settings.hidden, vocabulary))) {}

LanguageModel::Result LanguageModel::operator()(const Array& x, const State& state) const {
  const auto states = over_time(rnn, embed(x), {.initial = state});
  return {readout(unroll::dropout(states.outputs(), dropout)), states.last()};
}

nlohmann::json Settings::to_json() const {
  return {{"cell", cell},
          {"dropout", dropout},
          {"embedding", embedding},
          {"hidden", hidden},
          {"layers", layers}};
}

Settings Settings::from_json(const nlohmann::json& json, const std::string& path) {
  Settings s;
  try {
    json.at("cell").get_to(s.cell);
    json.at("dropout").get_to(s.dropout);
    json.at("embedding").get_to(s.embedding);
    json.at("hidden").get_to(s.hidden);
    json.at("layers").get_to(s.layers);
  } catch (const nlohmann::json::exception&) {
    bad_input(path, ": its settings are incomplete");
  }
  const auto within = [](Size n, Size most) { return 1 <= n && n <= most; };
  if ((s.cell != "lstm" && s.cell != "gru" && s.cell != "elman") ||
      !(s.dropout >= 0 && s.dropout < 1) || !within(s.embedding, kMostUnits) ||
      !within(s.hidden, kMostUnits) || !within(s.layers, kMostLayers))
    bad_input(path, ": its settings are out of range: ", json.dump());
  return s;
}

void TrainedModel::require_place(const std::string& path) { require_model_place(kProgram, path); }

void TrainedModel::save(const nlohmann::json& scores, const std::string& path) const {
  save_model(net, {lexicon, settings.to_json(), scores}, kProgram, path);
}

TrainedModel TrainedModel::load(const std::string& path) {
  ModelCard card = load_card(kProgram, path);
  const Settings settings = Settings::from_json(card.settings, path);
  if (card.lexicon.size() == 0) bad_input(path, ": its vocabulary is empty");
  LanguageModel net(settings, card.lexicon.size());
  load_weights(net, path);
  return {settings, std::move(card.lexicon), std::move(net)};
}

}  // namespace tasks
