// Every option of the four verbs with its limits. The defaults are in options.hpp and model.hpp;
// those that all trainings share are in common/training_options.cpp.
#include "language_modeling/options.hpp"

#include "common/cells.hpp"
#include "common/pretrained.hpp"
#include "language_modeling/tokens.hpp"

namespace tasks {
namespace {

void add_network(CLI::App& verb, Settings& s) {
  verb.add_option("--tokens", s.tokens,
                  "what is predicted: characters, words in lower case, or spaced: what stands "
                  "between spaces, with <unk> and ends of lines, as in the Penn Treebank")
      ->check(CLI::IsMember({kCharacters, kWords, kSpaced}));
  verb.add_option("--cell", s.cell, "what the layers are made of, such as lstm, gru, elman")
      ->check(CLI::IsMember(cell_names()));
  verb.add_option("--layers", s.layers, "of cells on top of each other, 1 to 3")
      ->check(within(1, Settings::kMostLayers));
  verb.add_option("--hidden", s.hidden, "units of a layer")->check(within(1, Settings::kMostUnits));
  verb.add_option("--embedding", s.embedding, "numbers that stand for a token")
      ->check(within(1, Settings::kMostUnits));
  verb.add_option("--dropout", s.dropout, "part of the outputs of each layer left out at random")
      ->check(within(0.0, 0.95));
  verb.add_flag("--variational", s.variational, "leave out the same at all steps of a window");
  verb.add_option("--recurrent-dropout", s.recurrent_dropout,
                  "part of the weights between the steps left out at random")
      ->check(within(0.0, 0.95));
  CLI::Option* tied = verb.add_flag("--tied", s.tied, "predict with the weights of the embedding");
  verb.add_flag("--adaptive", s.adaptive, "adaptive softmax: rare words cost less time")
      ->excludes(tied);
}

void add_files(CLI::App& verb, Options& o, const std::string& what) {
  verb.add_option("text", o.text, what);
  verb.add_option("--column", o.column, "of a .csv, one story in each row");
}

}  // namespace

void add_train(CLI::App& app, Options& o, Verb train) {
  CLI::App& verb = *app.add_subcommand("train", "learn texts and save the best network");
  set_defaults(verb);
  add_files(
      verb, o,
      "UTF-8: a running text, or a .csv of separate stories; without it a short built-in text, or "
      "short built-in stories if --tokens are words");
  verb.add_option("--valid", o.valid, "to validate on; without it the last tenth of the text");
  verb.add_option("--save", o.model, "file to save the network in");
  verb.add_option("--min-freq", o.min_freq, "words that are rarer are unknown")
      ->check(within(1, 1000000));
  add_network(verb, o.settings);
  verb.add_option("--steps", o.steps, "tokens the gradient flows back")->check(within(1, 10000));
  add_training_options(verb, o.training);
  verb.add_flag("--json", o.json, "print one object; progress goes to stderr");
  verb.callback([&o, train] {
    name_data(o.training, o.text);
    train(o);
  });
}

void add_evaluate(CLI::App& app, Options& o, Verb evaluate) {
  CLI::App& verb = *app.add_subcommand("evaluate", "measure a network on texts");
  set_defaults(verb);
  add_files(verb, o, "as for train; the built-in stories are others");
  add_model(verb, o.model);
  verb.add_option("--streams", o.streams,
                  "places of a running text read side by side: faster, but each starts blind")
      ->check(within(1, 4096));
  verb.add_option("--threads", o.training.threads, "0: one a core")->check(within(0, 256));
  verb.add_flag("--json", o.json, "print one object");
  verb.callback([&o, evaluate] { evaluate(o); });
}

void add_score(CLI::App& app, Options& o, Verb score) {
  CLI::App& verb = *app.add_subcommand(
      "score", "say how likely stories are, and their endings beside those of others");
  set_defaults(verb);
  add_files(verb, o,
            "a .csv of stories; without it short built-in ones, others than those of train");
  verb.add_option("--story", o.story, "one story instead of a file")
      ->excludes(verb.get_option("text"));
  add_model(verb, o.model, "file written by train on stories");
  verb.add_option("--endings", o.endings, "of other stories, drawn at random, for each story")
      ->check(within(1, 10000));
  verb.add_option("--seed", o.training.seed, "of all random numbers")->check(within(0, 1.8e19));
  verb.add_option("--threads", o.training.threads, "0: one a core")->check(within(0, 256));
  verb.add_flag("--json", o.json, "print one object");
  verb.callback([&o, score] { score(o); });
}

void add_generate(CLI::App& app, Options& o, Verb generate) {
  CLI::App& verb = *app.add_subcommand("generate", "let a network write");
  set_defaults(verb);
  add_model(verb, o.model);
  verb.add_option("--prompt", o.prompt, "text to go on from");
  verb.add_option("--samples", o.samples, "texts to write")->check(within(1, 1000000));
  verb.add_option("--length", o.length, "most tokens to write; a story may end before")
      ->check(within(1, 100000000));
  verb.add_option("--temperature", o.temperature, "0: always the likeliest; 1: as it learned")
      ->check(within(0.0, 100.0));
  verb.add_option("--top-k", o.top_k, "draw from the k likeliest; 0: from all")
      ->check(within(0, 1000000));
  verb.add_option("--nucleus", o.nucleus, "draw from the likeliest that make up this probability")
      ->check(within(1e-9, 1.0));
  verb.add_option("--seed", o.training.seed, "of all random numbers")->check(within(0, 1.8e19));
  verb.add_flag("--json", o.json, "print one object");
  verb.callback([&o, generate] { generate(o); });
}

}  // namespace tasks
