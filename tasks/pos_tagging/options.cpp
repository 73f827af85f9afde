// Every option of the three verbs with its limits. The defaults are in options.hpp and
// settings.hpp.
#include "pos_tagging/options.hpp"

#include <memory>

#include "common/bad_input.hpp"
#include "common/cells.hpp"
#include "common/pretrained.hpp"

namespace tasks::pos_tagging {
namespace {

void add_model_and_beams(CLI::App& verb, Options& o) {
  add_model(verb, o.model);
  verb.add_option("--beams", o.beams,
                  "tag-fed: sequences of tags that are followed at a time; 1: the likeliest tag")
      ->check(within(1, 1000));
  verb.add_option("--threads", o.training.threads, "0: one a core")->check(within(0, 256));
}

/// Options that only one of the models has.
class Parts {
 public:
  CLI::Option* only(const std::string& model, CLI::Option* option) {
    parts_.emplace_back(model, option);
    return option;
  }
  /// Throws BadInput if one is given for another model.
  void check(const std::string& model) const {
    for (const auto& [whose, option] : parts_)
      if (option->count() > 0 && whose != model)
        bad_input(option->get_name(), " has no part in ", model);
  }

 private:
  std::vector<std::pair<std::string, CLI::Option*>> parts_;
};

/// Sizes of the network.
void add_units(CLI::App& verb, Settings& s, Parts& parts) {
  const auto units = [&](const char* name, Size& size, const char* what) {
    return verb.add_option(name, size, what)->check(within(1, Settings::kMostUnits));
  };
  units("--hidden", s.hidden, "units of a layer, in each direction");
  units("--embedding", s.embedding, "numbers that stand for a word");
  units("--letter-embedding", s.letter_embedding, "numbers that stand for a letter");
  units("--letter-hidden", s.letter_hidden, "units that read a word's letters, in each direction");
  parts.only("tag-fed", units("--tag-embedding", s.tag_embedding,
                              "tag-fed: numbers that stand for the tag before"));
}

}  // namespace

void add_train(CLI::App& app, Options& o, Verb train) {
  CLI::App& verb =
      *app.add_subcommand("train", "learn from tagged sentences, save the best network");
  set_defaults(verb);
  verb.add_option(
      "sentences", o.file,
      "CSV file with columns Tokenized_Sentence and Tagged_Sentence, tabs between words "
      "and between tags; without it short built-in sentences");
  verb.add_option("--valid", o.valid, "CSV file to validate on; without it the last tenth");
  Settings& s = o.settings;
  verb.add_option("--model", s.model,
                  "bilstm (sees the whole sentence) or tag-fed (from left to right, reads its own "
                  "tags)")
      ->check(CLI::IsMember(Settings::models()));
  verb.add_option("--save", o.save, "file to save the network in");
  verb.add_option("--min-freq", o.min_freq, "words that occur less often count as unknown")
      ->check(within(1, 1e9));
  verb.add_option("--word-dropout", o.word_dropout, "part of the words taken for unknown ones")
      ->check(within(0, 0.95));
  CLI::Option* cell =
      verb.add_option("--cell", s.cell, "that reads the words: any of the library's")
          ->check(CLI::IsMember(cell_names()))
          ->default_str("bilstm lstm, tag-fed gru");
  const auto parts = std::make_shared<Parts>();
  parts->only("bilstm", verb.add_flag("--crf", s.crf, "bilstm: tags depend on their neighbours"));
  verb.add_option("--layers", s.layers, "of cells on top of each other")
      ->check(within(1, Settings::kMostLayers));
  parts->only("tag-fed", verb.add_option("--lookahead", s.lookahead,
                                         "tag-fed: words seen after the present one")
                             ->check(within(0, Settings::kMostLookahead)));
  add_units(verb, s, *parts);
  verb.add_option("--dropout", s.dropout, "part of the units left out at random")
      ->check(within(0, 0.95));
  add_training_options(verb, o.training);
  verb.add_flag("--json", o.json, "print one object; progress goes to stderr");
  verb.callback([&o, cell, parts, train] {
    parts->check(o.settings.model);
    if (cell->count() == 0) o.settings.cell = Settings::of(o.settings.model).cell;
    name_data(o.training, o.file);
    train(o);
  });
}

void add_evaluate(CLI::App& app, Options& o, Verb evaluate) {
  CLI::App& verb = *app.add_subcommand("evaluate", "measure a network on tagged sentences");
  set_defaults(verb);
  verb.add_option("sentences", o.file,
                  "CSV file as for train; without it short built-in sentences, "
                  "others than those of train");
  add_model_and_beams(verb, o);
  verb.add_flag("--json", o.json, "print one object");
  verb.callback([&o, &verb, evaluate] {
    o.beams_are_given = verb.count("--beams") > 0;
    evaluate(o);
  });
}

void add_tag(CLI::App& app, Options& o, Verb tag) {
  CLI::App& verb = *app.add_subcommand("tag", "tag the words of sentences");
  set_defaults(verb);
  CLI::Option* text = verb.add_option("sentence", o.text, "a sentence, in quotes");
  verb.add_option("--file", o.file, "CSV file with a column Tokenized_Sentence to tag instead")
      ->excludes(text);
  add_model_and_beams(verb, o);
  verb.add_flag("--json", o.json, "print one object");
  verb.callback([&o, &verb, tag] {
    o.beams_are_given = verb.count("--beams") > 0;
    tag(o);
  });
}

}  // namespace tasks::pos_tagging
