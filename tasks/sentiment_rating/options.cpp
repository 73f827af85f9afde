// Every option of the three verbs with its limits. The defaults of networks are in settings.cpp,
// all others in options.hpp.
#include "sentiment_rating/options.hpp"

#include <algorithm>
#include <memory>

#include "common/bad_input.hpp"
#include "common/cells.hpp"
#include "common/pretrained.hpp"
#include "common/word_vectors.hpp"

namespace tasks::sentiment_rating {
namespace {

using Names = std::vector<std::string>;

/// The options of a network. Their defaults are those of the chosen one, which may stand behind
/// them on the command line, so they are put in place when all has been read.
class SettingOptions {
 public:
  explicit SettingOptions(CLI::App& verb) : verb_(verb) {}

  /// `models`: which networks have such a thing.
  template <class T>
  void add(const std::string& name, T Settings::*field, const Names& models,
           const std::string& what, const CLI::Validator& limits) {
    const auto given = std::make_shared<T>();
    CLI::Option* option = verb_.add_option(name, *given, what)->check(limits);
    option->default_str(defaults(field, models));
    put_.push_back([=](Settings& settings) {
      if (option->count() == 0) return;
      if (std::find(models.begin(), models.end(), settings.model) == models.end())
        bad_input(name, " has no part in ", settings.model);
      settings.*field = *given;
    });
  }

  Settings of(const std::string& model) const {
    Settings settings = Settings::of(model);
    for (const auto& put : put_) put(settings);
    return settings;
  }

 private:
  static std::string text(const std::string& value) { return value; }
  static std::string text(double value) { return unroll::join(value); }

  /// "mlp-cbow 100, rnn 64", or one if they are equal: as --help shows them.
  template <class T>
  static std::string defaults(T Settings::*field, const Names& models) {
    std::string list, before;
    bool equal = true;
    for (const std::string& model : models) {
      const std::string value = text(Settings::of(model).*field);
      equal = equal && (before.empty() || value == before);
      list += (list.empty() ? "" : ", ") + model + " " + value;
      before = value;
    }
    return equal ? before : list;
  }

  CLI::App& verb_;
  std::vector<std::function<void(Settings&)>> put_;
};

void take_size_of_vectors(Options& o, bool size_is_given) {
  if (o.settings.model == "mlp-bow") bad_input("--vectors has no part in mlp-bow");
  const Size size = WordVectors(o.vectors).size();
  if (size_is_given && o.settings.embedding != size)
    bad_input(o.vectors, ": its vectors are of ", size, " numbers, and --embedding says ",
              o.settings.embedding);
  o.settings.embedding = size;
}

}  // namespace

void add_train(CLI::App& app, Options& o, Verb train) {
  CLI::App& verb = *app.add_subcommand("train", "learn from rated reviews, save the best network");
  set_defaults(verb);
  verb.add_option("reviews", o.file,
                  "CSV file with columns Rating (1 to 10) and Review; without it short built-in "
                  "reviews");
  verb.add_option("--valid", o.valid, "CSV file to validate on; without it a tenth of the reviews");
  verb.add_option("--model", o.settings.model,
                  "mlp-bow (bag of words), mlp-cbow (mean of word vectors) or rnn")
      ->check(CLI::IsMember(Settings::models()));
  verb.add_option("--save", o.model, "file to save the network in");
  verb.add_option("--min-freq", o.min_freq, "words that occur less often count as unknown")
      ->check(within(1, 1e9));
  verb.add_option("--vectors", o.vectors,
                  "word vectors to start from, a text file of GloVe or word2vec (mlp-cbow, rnn)");
  const auto settings = std::make_shared<SettingOptions>(verb);
  const Names all = Settings::models(), rnn{"rnn"}, vectors{"mlp-cbow", "rnn"};
  settings->add("--max-words", &Settings::max_words, all,
                "of a review, its last ones; those before are not read",
                within(1, Settings::kMostWords));
  settings->add("--ngrams", &Settings::ngrams, {"mlp-bow"},
                "2: pairs of neighbouring words count too; 3: triples too",
                within(1, Settings::kMostNgrams));
  settings->add("--embedding", &Settings::embedding, vectors, "numbers that stand for a word",
                within(1, Settings::kMostUnits));
  settings->add("--cell", &Settings::cell, rnn, "lstm, elman and so on: any of the library",
                CLI::IsMember(cell_names()));
  settings->add("--directions", &Settings::directions, rnn, "2: reads backwards as well",
                within(1, 2));
  settings->add("--pooling", &Settings::pooling, rnn,
                "mean-max: of the states over time; last: the state at the end",
                CLI::IsMember(Settings::poolings()));
  settings->add("--layers", &Settings::layers, rnn, "of cells on top of each other",
                within(1, Settings::kMostLayers));
  settings->add("--hidden", &Settings::hidden, all, "units of the hidden layer or of a cell",
                within(1, Settings::kMostUnits));
  settings->add("--dropout", &Settings::dropout, all, "part of the units left out at random",
                within(0, 0.95));
  settings->add("--word-dropout", &Settings::word_dropout, all,
                "part of the words left out at random", within(0, 0.95));
  add_training_options(verb, o.training);
  verb.add_flag("--json", o.json, "print one object; progress goes to stderr");
  verb.callback([&o, &verb, settings, train] {
    o.settings = settings->of(o.settings.model);
    if (!o.vectors.empty()) take_size_of_vectors(o, verb.count("--embedding") > 0);
    name_data(o.training, o.file);
    train(o);
  });
}

void add_evaluate(CLI::App& app, Options& o, Verb evaluate) {
  CLI::App& verb = *app.add_subcommand("evaluate", "measure a network on rated reviews");
  set_defaults(verb);
  verb.add_option("reviews", o.file,
                  "CSV file with columns Rating and Review; without it short "
                  "built-in reviews, others than those of train");
  add_model(verb, o.model);
  verb.add_option("--threads", o.training.threads, "0: one a core")->check(within(0, 256));
  verb.add_flag("--json", o.json, "print one object");
  verb.callback([&o, evaluate] { evaluate(o); });
}

void add_predict(CLI::App& app, Options& o, Verb predict) {
  CLI::App& verb = *app.add_subcommand("predict", "rate reviews from 1 to 10");
  set_defaults(verb);
  CLI::Option* text = verb.add_option("review", o.text, "a review, in quotes");
  verb.add_option("--file", o.file, "CSV file with a column Review to rate instead")
      ->excludes(text);
  add_model(verb, o.model);
  verb.add_option("--threads", o.training.threads, "0: one a core")->check(within(0, 256));
  verb.add_flag("--json", o.json, "print one object");
  verb.callback([&o, &verb, predict] {
    if (verb.count("review") + verb.count("--file") == 0)
      bad_input("expected a review, in quotes, or a --file of reviews");
    predict(o);
  });
}

}  // namespace tasks::sentiment_rating
