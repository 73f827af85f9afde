// Cards as the metadata of a safetensors file. Every error of the library's becomes bad input here.
#include "common/model_file.hpp"

#include <filesystem>

#include <unroll/layers/safetensors.hpp>
#include <unroll/layers/save.hpp>

#include "common/bad_input.hpp"
#include "common/files.hpp"
#include "common/pretrained.hpp"

namespace tasks {
namespace {

using nlohmann::json;

json parsed(const unroll::Metadata& metadata, const std::string& key, const std::string& path) {
  const auto place = metadata.find(key);
  if (place == metadata.end()) bad_input(path, ": holds no ", key, "; it is not a model of ours");
  json value = json::parse(place->second, nullptr, false);
  if (value.is_discarded()) bad_input(path, ": its ", key, " cannot be read");
  return value;
}

Lexicon lexicon_of(const json& tokens, const std::string& path) {
  try {
    return Lexicon(tokens.get<std::vector<std::string>>());
  } catch (const json::exception&) {
    bad_input(path, ": its vocabulary is not a list of strings");
  } catch (const BadInput& error) {
    bad_input(path, ": ", error.what());
  }
}

/// Whatever a program has written has one; a damaged name of it would switch it off.
void require_checksum(const std::string& path) {
  std::ifstream in = open_file(path);
  std::uint64_t length = 0;
  in.read(reinterpret_cast<char*>(&length), sizeof length);
  std::string header(static_cast<std::size_t>(length), '\0');
  in.read(header.data(), static_cast<std::streamsize>(length));
  // Within the texts of metadata quotes have a backslash before them.
  if (header.find(unroll::join('"', unroll::safetensors::kChecksum, '"')) == header.npos)
    bad_input(path, ": has no checksum; the file is damaged, or was not written by a program");
}

}  // namespace

void require_model_place(const std::string& program, const std::string& path) {
  if (is_pretrained(path))
    bad_input(path,
              ": is what a network that came with the program is called; choose another --save");
  require_writable(path);
  if (!std::filesystem::exists(path)) return;
  try {
    load_card(program, path);
  } catch (const BadInput&) {
    bad_input(path, " exists and is not a model; choose another --save");
  }
}

void save_model(const unroll::Module& net, const ModelCard& card, const std::string& program,
                const std::string& path) {
  const unroll::Metadata metadata{{"program", program},
                                  {"scores", card.scores.dump()},
                                  {"settings", card.settings.dump()},
                                  {"vocabulary", json(card.lexicon.tokens()).dump()}};
  as_bad_input([&] { unroll::save(net, path, metadata); });
}

ModelCard load_card(const std::string& program, const std::string& path) {
  require_safetensors(path);
  const auto metadata = as_bad_input([&] { return unroll::load_metadata(path); });
  const auto author = metadata.find("program");
  if (author == metadata.end() || author->second != program)
    bad_input(path, ": is not a model of ", program);
  require_checksum(path);
  return {lexicon_of(parsed(metadata, "vocabulary", path), path),
          parsed(metadata, "settings", path), parsed(metadata, "scores", path)};
}

void load_weights(unroll::Module& net, const std::string& path) {
  as_bad_input([&] { unroll::load(net, path); });
}

}  // namespace tasks
