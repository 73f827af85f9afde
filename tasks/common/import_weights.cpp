// Layers of other frameworks found by name, else in order; and the verb around it.
#include "common/import_weights.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>
#include <unroll/layers/import.hpp>
#include <unroll/layers/save.hpp>

#include "common/bad_input.hpp"
#include "common/files.hpp"
#include "common/keras_file.hpp"
#include "common/pretrained.hpp"

namespace tasks {
namespace {

using unroll::Array;
using unroll::NamedArrays;

/// Arrays that belong together: those of "rnn.layer0" by their last names. An array that stands
/// alone, as "embedding" may, is a layer with a W.
struct Layer {
  std::string name;
  std::map<std::string, std::string> parts;  // "W" to "rnn.layer0.W"
  std::string kind;                          // names and numbers of axes: "U2 W2 b1 "
};

/// In the order in which they come.
std::vector<Layer> layers_of(const std::vector<std::pair<std::string, Array>>& arrays) {
  std::vector<Layer> layers;
  std::map<std::string, std::map<std::string, int>> axes;
  for (const auto& [name, array] : arrays) {
    const std::size_t dot = name.rfind('.');
    const std::string layer = name.substr(0, dot);
    const std::string part = dot == name.npos ? "W" : name.substr(dot + 1);
    if (axes.insert({layer, {}}).second) layers.push_back({layer, {}, {}});
    axes[layer][part] = array.rank();
    std::ranges::find(layers, layer, &Layer::name)->parts[part] = name;
  }
  for (Layer& layer : layers)
    for (const auto& [part, rank] : axes[layer.name]) layer.kind += unroll::join(part, rank, " ");
  return layers;
}

/// So that "gru_9" comes before "gru_10".
std::string sort_key(const std::string& name) {
  constexpr std::size_t kDigits = 12;
  std::string key, digits;
  for (const char c : name + '\0') {
    if (c >= '0' && c <= '9') {
      digits += c;
      continue;
    }
    if (!digits.empty())
      key += std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
    digits.clear();
    key += c;
  }
  return key;
}

/// "OLD=NEW" cut in two. Throws BadInput if no array is called so.
std::pair<std::string, std::string> renaming(const std::string& text, const NamedArrays& arrays,
                                             const std::string& path) {
  const std::size_t sign = text.find('=');
  if (sign == text.npos || sign == 0 || sign + 1 == text.size())
    bad_input("--rename ", text, ": expected OLD=NEW");
  const std::string old = text.substr(0, sign);
  std::string names;
  for (const auto& [name, array] : arrays) {
    if (name == old || name.starts_with(old + ".")) return {old, text.substr(sign + 1)};
    names += (names.empty() ? "" : ", ") + name;
  }
  bad_input("--rename ", text, ": ", path, " holds ", names);
}

void print(const ImportOptions& options, unroll::Size weights) {
  if (options.json)
    std::printf(
        "%s\n",
        nlohmann::ordered_json{{"model", options.save}, {"parameters", weights}}.dump().c_str());
  else
    std::printf("%lld weights, saved in %s\n", static_cast<long long>(weights),
                options.save.c_str());
}

}  // namespace

Lexicon read_vocabulary(const std::string& path) {
  const auto json = nlohmann::json::parse(read_file(path), nullptr, false);
  try {
    return Lexicon(json.get<std::vector<std::string>>());
  } catch (const nlohmann::json::exception&) {
    bad_input(path, ": is no JSON list of texts, [\"<PAD>\", \"<UNK>\", \"the\", ...]");
  } catch (const BadInput& error) {
    bad_input(path, ": ", error.what());
  }
}

NamedArrays read_weights(const std::string& path) {
  const std::string is_hdf5 = "\x89HDF\r\n\x1a\n";
  const bool keras = read_file(path).starts_with(is_hdf5);
  if (!keras) require_safetensors(path);
  return as_bad_input([&] {
    return keras ? unroll::from_keras(read_keras_file(path))
                 : unroll::from_pytorch(unroll::load_arrays(path).arrays);
  });
}

NamedArrays named_as_in(const unroll::Module& net, const NamedArrays& arrays) {
  std::vector<std::pair<std::string, Array>> ours, theirs(arrays.begin(), arrays.end());
  for (const unroll::NamedParameter& p : net.named_parameters())
    ours.emplace_back(p.name, p.parameter.value());
  std::ranges::sort(theirs, {}, [](const auto& named) { return sort_key(named.first); });

  std::vector<Layer> to = layers_of(ours), from = layers_of(theirs);
  NamedArrays result;
  const auto take = [&](const Layer& layer, const Layer& place) {
    for (const auto& [part, name] : layer.parts)
      result[place.parts.contains(part) ? place.parts.at(part) : name] = arrays.at(name);
  };
  std::map<std::string, std::vector<Layer>> wanted, found;
  std::erase_if(to, [&](const Layer& place) {
    const auto same = std::ranges::find(from, place.name, &Layer::name);
    if (same == from.end()) return false;
    take(*same, place);
    from.erase(same);
    return true;
  });
  for (const Layer& layer : to) wanted[layer.kind].push_back(layer);
  for (const Layer& layer : from) found[layer.kind].push_back(layer);
  for (const auto& [kind, list] : found) {
    const auto places = wanted.find(kind);
    const bool fits = places != wanted.end() && places->second.size() == list.size();
    for (std::size_t k = 0; k < list.size(); ++k)
      take(list[k], fits ? places->second[k] : Layer{});  // what does not fit keeps its name
  }
  return result;
}

void import_weights(unroll::Module& net, const ImportOptions& options) {
  const NamedArrays arrays = read_weights(options.weights);
  std::vector<std::pair<std::string, std::string>> beginnings;
  for (const std::string& text : options.rename)
    beginnings.push_back(renaming(text, arrays, options.weights));
  as_bad_input([&] {
    unroll::assign(net, named_as_in(net, unroll::renamed(arrays, beginnings)), options.weights);
  });
}

void add_import(CLI::App& app, const std::string& model,
                std::function<unroll::Size(const ImportOptions&)> import) {
  const auto o = std::make_shared<ImportOptions>(ImportOptions{.model = model});
  CLI::App& verb = *app.add_subcommand("import", "take over weights of Keras or PyTorch");
  set_defaults(verb);
  verb.add_option("weights", o->weights,
                  ".h5 file of Keras 2, or a state dict of PyTorch saved as .safetensors");
  add_model(verb, o->model, "file written by train, a network of the same layers");
  verb.add_option("--vocabulary", o->vocabulary,
                  "JSON list of tokens in the order of their numbers; without it the model's");
  verb.add_option(
          "--rename", o->rename,
          "OLD=NEW: a layer of WEIGHTS and what it is called here, again and again; without "
          "it layers are taken in order")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->default_str("");
  verb.add_option("--save", o->save, "file to save the network in");
  verb.add_flag("--json", o->json, "print one object");
  verb.callback([o, import = std::move(import)] {
    if (o->weights.empty() || o->save.empty())
      bad_input("expected a file of weights, and --save and a file to write");
    print(*o, import(*o));
  });
}

}  // namespace tasks
