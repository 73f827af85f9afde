// Model files: words are the vocabulary of the file's card, letters and tags stand in its settings.
#include "pos_tagging/model.hpp"

#include "common/bad_input.hpp"
#include "common/pretrained.hpp"

namespace tasks::pos_tagging {
namespace {

const std::string kProgram = "pos_tagging";

Lexicon lexicon_of(const nlohmann::json& settings, const char* name, const std::string& path) {
  try {
    return Lexicon(settings.at(name).get<std::vector<std::string>>());
  } catch (const nlohmann::json::exception&) {
    bad_input(path, ": its ", name, " are no list of texts");
  } catch (const BadInput&) {
    bad_input(path, ": its ", name, " hold something twice");
  }
}

}  // namespace

void TrainedModel::require_place(const std::string& path) { require_model_place(kProgram, path); }

void TrainedModel::save(const nlohmann::json& scores, const std::string& path) const {
  nlohmann::json said = settings.to_json();
  said["letters"] = vocabulary.letters.tokens();
  said["tags"] = vocabulary.tags.tokens();
  save_model(*net, {vocabulary.words, said, scores}, kProgram, path);
}

TrainedModel TrainedModel::load(const std::string& name) {
  const std::string path = model_path(kProgram, name);
  ModelCard card = load_card(kProgram, path);
  const Settings settings = Settings::from_json(card.settings, path);
  Vocabulary vocabulary{lexicon_of(card.settings, "letters", path),
                        lexicon_of(card.settings, "tags", path), std::move(card.lexicon)};
  if (!vocabulary.is_complete()) bad_input(path, ": its words, letters or tags are incomplete");
  std::unique_ptr<Tagger> net = make_tagger(settings, vocabulary);
  load_weights(*net, path);
  return {settings, std::move(vocabulary), std::move(net)};
}

}  // namespace tasks::pos_tagging
