// Names looked up, cosines, and the list of what there is. How arrays are written is sheet.hpp's.
#include "common/inspect.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include <unroll/layers/layer_outputs.hpp>

#include "common/bad_input.hpp"
#include "common/pretrained.hpp"
#include "common/sheet.hpp"
#include "common/table.hpp"
#include "common/text.hpp"
#include "common/words.hpp"

namespace tasks {
namespace {

using namespace unroll;
using Json = nlohmann::ordered_json;

struct NamedValue {
  std::string name;
  Array value;
};
using NamedValues = std::vector<NamedValue>;

NamedValues weights_of(const Module& net) {
  NamedValues list;
  for (const NamedParameter& p : net.named_parameters())
    list.push_back({p.name, p.parameter.value()});
  return list;
}

NamedValues outputs_of(const Inside& inside) {
  LayerOutputs outputs;
  inside.compute();
  NamedValues list;
  for (const NamedOutput& output : outputs.list())
    list.push_back({output.name, output.value.value()});
  return list;
}

const NamedValue& find(const NamedValues& list, const std::string& name, const char* kind) {
  std::string names;
  for (const NamedValue& one : list) {
    if (one.name == name) return one;
    names += (names.empty() ? "" : ", ") + one.name;
  }
  bad_input("no ", kind, " is named '", excerpt(name), "'; there are ", names);
}

const Lexicon* find(const std::vector<AxisNames>& names, const std::string& name) {
  for (const AxisNames& one : names)
    if (one.of == name) return &one.tokens;
  return nullptr;
}

std::vector<std::string> column_names(const Inside& inside, const NamedValue& one) {
  const Lexicon* names = find(inside.columns, one.name);
  return names ? names->tokens() : std::vector<std::string>{};
}

Sheet output_sheet(const Inside& inside, const std::string& name) {
  const NamedValue one = find(outputs_of(inside), name, "layer");
  Sheet sheet{.title = "output of " + name, .values = one.value};
  const Shape& shape = one.value.shape();
  if (shape.rank() > 1 && shape[0] == static_cast<Size>(inside.tokens.size()) && shape[1] == 1)
    sheet.rows = inside.tokens;
  sheet.columns = column_names(inside, one);
  return sheet;
}

Sheet weight_sheet(const Inside& inside, const std::string& name) {
  const NamedValue one = find(weights_of(inside.net), name, "weight");
  const Lexicon* names = find(inside.rows, name);
  return {.title = "weight " + name,
          .values = one.value,
          .rows = names ? names->tokens() : std::vector<std::string>{},
          .columns = column_names(inside, one)};
}

// ---- nearest words -----------------------------------------------------------------------------

/// A weight whose rows stand for tokens: the one of that name, else the first.
NamedValue vectors_of(const Inside& inside, const std::string& name) {
  const NamedValues weights = weights_of(inside.net);
  if (!name.empty()) find(weights, name, "weight");
  std::string names;
  for (const AxisNames& rows : inside.rows)
    for (const NamedValue& weight : weights) {
      if (weight.name != rows.of || weight.value.rank() != 2) continue;
      if (name.empty() || name == rows.of) return weight;
      names += (names.empty() ? "" : ", ") + rows.of;
    }
  bad_input("the rows of ", name, " are no vectors of words; those of ", names, " are");
}

Size number_of(const Lexicon& lexicon, const std::string& word, const std::string& model) {
  for (const std::string& form : {word, lowercased(word)})
    if (const Size number = lexicon.find(form); number >= 0) return number;
  bad_input(model, ": does not know '", excerpt(word), "'");
}

/// u . v / (|u| |v|) of row k and every row; 0 for rows of zeros.
std::vector<double> cosines(const Array& rows, Size k) {
  const Size width = rows.size(1);
  const std::vector<double> v = rows[k].to_vector<double>();
  const auto length = [](const std::vector<double>& x) {
    return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
  };
  std::vector<double> list;
  for (Size i = 0; i < rows.size(0); ++i) {
    const std::vector<double> u = rows[i].to_vector<double>();
    const double product = std::inner_product(u.begin(), u.begin() + width, v.begin(), 0.0);
    const double lengths = length(u) * length(v);
    list.push_back(lengths > 0 ? product / lengths : 0);
  }
  return list;
}

Sheet nearest_sheet(const Inside& inside, const InspectOptions& o) {
  decode_utf8(o.nearest, "the word");
  const NamedValue vectors = vectors_of(inside, o.weight);
  const Lexicon& lexicon = *find(inside.rows, vectors.name);
  const Size word = number_of(lexicon, o.nearest, o.model);
  const std::vector<double> all = cosines(vectors.value, word);
  std::vector<Size> others;
  for (Size k = lexicon.is_of_words() ? Lexicon::kUnknown + 1 : 0; k < lexicon.size(); ++k)
    if (k != word) others.push_back(k);
  std::stable_sort(others.begin(), others.end(), [&](Size a, Size b) { return all[a] > all[b]; });
  others.resize(std::min<std::size_t>(others.size(), static_cast<std::size_t>(o.count)));
  std::vector<double> best;
  Sheet sheet{.title = "nearest to " + excerpt(lexicon[word]) + " in " + vectors.name,
              .columns = {"cosine"}};
  for (const Size k : others) {
    sheet.rows.push_back(lexicon[k]);
    best.push_back(all[k]);
  }
  sheet.values = values(best, {static_cast<Size>(best.size())});
  return sheet;
}

// ---- all there is ------------------------------------------------------------------------------

void list_all(const Inside& inside, const InspectOptions& o) {
  const std::pair<const char*, NamedValues> kinds[] = {{"weights", weights_of(inside.net)},
                                                       {"layers", outputs_of(inside)}};
  Json json;
  std::string text;
  for (const auto& [kind, list] : kinds) {
    Table table(2);
    json[kind] = Json::array();
    for (const NamedValue& one : list) {
      table.row({one.name, join(one.value.shape())});
      json[kind].push_back({{"name", one.name}, {"shape", json_of(one.value.shape())}});
    }
    text += (text.empty() ? "" : "\n") + std::string(kind) + '\n' + table.text();
  }
  std::printf("%s", (o.json ? json.dump() + '\n' : text).c_str());
}

}  // namespace

void show_inside(const Inside& inside, const InspectOptions& o) {
  if (!o.output.empty()) Sheet::require_place(o.output);
  if (o.layer.empty() && o.weight.empty() && o.nearest.empty()) return list_all(inside, o);
  const Sheet sheet = !o.layer.empty()     ? output_sheet(inside, o.layer)
                      : !o.nearest.empty() ? nearest_sheet(inside, o)
                                           : weight_sheet(inside, o.weight);
  if (!o.output.empty()) {
    sheet.save(o.output);
    const Json json{
        {"title", sheet.title}, {"shape", json_of(sheet.values.shape())}, {"output", o.output}};
    const std::string line = join(sheet.title, " ", sheet.values.shape(), ", saved in ", o.output);
    std::printf("%s\n", o.json ? json.dump().c_str() : line.c_str());
    return;
  }
  const std::string all = o.json ? sheet.json().dump() + '\n' : sheet.text();
  std::fwrite(all.data(), 1, all.size(), stdout);
}

void add_inspect(CLI::App& app, const std::string& text, const std::string& what, InspectOptions& o,
                 const std::function<void(const InspectOptions&)>& inspect) {
  CLI::App& verb = *app.add_subcommand(
      "inspect", "show layers, weights and nearest words; the list of them if nothing is asked");
  set_defaults(verb);
  verb.add_option(text, o.text, what);
  add_model(verb, o.model);
  CLI::Option* layer =
      verb.add_option("--layer", o.layer, "what that layer gives when the network reads");
  verb.add_option("--weight", o.weight, "the numbers of that weight")->excludes(layer);
  verb.add_option("--nearest", o.nearest, "words that are near to this one, by cosine")
      ->excludes(layer);
  verb.add_option("--count", o.count, "of nearest words")->check(within(1, 1e9));
  verb.add_option("--output", o.output, "file to write instead: .npy, .csv or .txt");
  verb.add_flag("--json", o.json, "print one object");
  verb.callback([&o, &verb, text, inspect] {
    if (!o.layer.empty() && verb.count(text) == 0) bad_input("--layer needs a ", text, " to read");
    if (!o.output.empty() && o.layer.empty() && o.weight.empty() && o.nearest.empty())
      bad_input("--output needs a --layer, a --weight or a word (--nearest) to write");
    decode_utf8(o.text, "the " + text);
    inspect(o);
  });
}

}  // namespace tasks
