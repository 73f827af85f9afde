// Every option of the three verbs with its limits. The defaults are in options.hpp and model.hpp.
#include "language_modeling/options.hpp"

namespace tasks {

void add_train(CLI::App& app, Options& o, Verb train) {
  CLI::App& verb = *app.add_subcommand("train", "learn a text and save the best network");
  set_defaults(verb);
  verb.add_option("text", o.text, "UTF-8 text to learn; without it a short built-in one");
  verb.add_option("--valid", o.valid, "text to validate on; without it the last tenth of the text");
  verb.add_option("--model", o.model, "file to save the network in");
  verb.add_option("--cell", o.settings.cell, "lstm, gru or elman")
      ->check(CLI::IsMember({"lstm", "gru", "elman"}));
  verb.add_option("--layers", o.settings.layers, "of cells on top of each other, 1 to 3")
      ->check(within(1, Settings::kMostLayers));
  verb.add_option("--hidden", o.settings.hidden, "units of a layer")
      ->check(within(1, Settings::kMostUnits));
  verb.add_option("--embedding", o.settings.embedding, "numbers that stand for a character")
      ->check(within(1, Settings::kMostUnits));
  verb.add_option("--dropout", o.settings.dropout,
                  "part of the outputs of each layer left out at random")
      ->check(within(0.0, 0.95));
  verb.add_option("--steps", o.steps, "characters the gradient flows back")
      ->check(within(1, 10000));
  add_training_options(verb, o.training);
  verb.add_flag("--json", o.json, "print one object; progress goes to stderr");
  verb.callback([&o, train] { train(o); });
}

void add_evaluate(CLI::App& app, Options& o, Verb evaluate) {
  CLI::App& verb = *app.add_subcommand("evaluate", "measure a network on a text");
  set_defaults(verb);
  verb.add_option("text", o.text, "UTF-8 text; without it the built-in one");
  verb.add_option("--model", o.model, "file written by train");
  verb.add_option("--streams", o.streams, "places read side by side: faster, but each starts blind")
      ->check(within(1, 4096));
  verb.add_option("--threads", o.training.threads, "0: one a core")->check(within(0, 256));
  verb.add_flag("--json", o.json, "print one object");
  verb.callback([&o, evaluate] { evaluate(o); });
}

void add_generate(CLI::App& app, Options& o, Verb generate) {
  CLI::App& verb = *app.add_subcommand("generate", "let a network write");
  set_defaults(verb);
  verb.add_option("--model", o.model, "file written by train");
  verb.add_option("--prompt", o.prompt, "text to go on from");
  verb.add_option("--length", o.length, "characters to write")->check(within(1, 100000000));
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
