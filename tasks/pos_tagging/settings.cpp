// Settings written and read, and what is said against them.
#include "pos_tagging/settings.hpp"

#include <algorithm>

#include "common/bad_input.hpp"
#include "common/cells.hpp"

namespace tasks::pos_tagging {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

const std::vector<std::string>& Settings::models() {
  static const std::vector<std::string> names{"bilstm", "tag-fed"};
  return names;
}

Settings Settings::of(const std::string& model) {
  Settings s;
  s.model = model;
  if (model == "tag-fed") s.cell = "gru";
  return s;
}

nlohmann::json Settings::to_json() const {
  return {{"cell", cell},
          {"crf", crf},
          {"dropout", dropout},
          {"embedding", embedding},
          {"hidden", hidden},
          {"layers", layers},
          {"letter_embedding", letter_embedding},
          {"letter_hidden", letter_hidden},
          {"lookahead", lookahead},
          {"model", model},
          {"tag_embedding", tag_embedding}};
}

Settings Settings::from_json(const nlohmann::json& json, const std::string& path) {
  Settings s;
  try {
    json.at("cell").get_to(s.cell);
    json.at("crf").get_to(s.crf);
    json.at("dropout").get_to(s.dropout);
    json.at("embedding").get_to(s.embedding);
    json.at("hidden").get_to(s.hidden);
    json.at("layers").get_to(s.layers);
    json.at("letter_embedding").get_to(s.letter_embedding);
    json.at("letter_hidden").get_to(s.letter_hidden);
    json.at("lookahead").get_to(s.lookahead);
    json.at("model").get_to(s.model);
    json.at("tag_embedding").get_to(s.tag_embedding);
  } catch (const nlohmann::json::exception&) {
    bad_input(path, ": its settings are incomplete");
  }
  bool fits = contains(models(), s.model) && contains(cell_names(), s.cell) && s.dropout >= 0 &&
              s.dropout < 1 && 1 <= s.layers && s.layers <= kMostLayers && 0 <= s.lookahead &&
              s.lookahead <= kMostLookahead;
  for (Size units : {s.embedding, s.hidden, s.letter_embedding, s.letter_hidden, s.tag_embedding})
    fits = fits && 1 <= units && units <= kMostUnits;
  if (!fits) bad_input(path, ": its settings are out of range: ", json.dump());
  return s;
}

}  // namespace tasks::pos_tagging
