// language_modeling: a recurrent network learns to continue a text, character by character.
// train, evaluate and generate stand here from top to bottom; the network is in
// language_modeling/model.cpp, the pieces that other tasks need too in common/.

#include <cmath>
#include <cstdio>

#include "common/bad_input.hpp"
#include "common/embedded.hpp"
#include "common/files.hpp"
#include "common/progress.hpp"
#include "common/table.hpp"
#include "common/text.hpp"
#include "language_modeling/options.hpp"
#include "language_modeling/text_training.hpp"

using namespace tasks;
using namespace unroll;

namespace {

using Json = nlohmann::ordered_json;

// ---- data: files, characters, the part held out for validation ---------------------------------

std::u32string read_text(const std::string& path) {
  if (path.empty()) return decode_utf8(embedded("harbour_year.txt"), "the built-in text");
  return decode_utf8(read_file(path), path);
}

struct Corpus {
  Lexicon lexicon;
  TextTraining::Texts texts;
};

Corpus read_corpus(const Options& options) {
  constexpr std::size_t kHeldOut = 10;  // a tenth, at the end
  std::u32string train = read_text(options.text), valid;
  if (!options.valid.empty()) {
    valid = read_text(options.valid);
  } else {
    valid = train.substr(train.size() - train.size() / kHeldOut);
    train.resize(train.size() - valid.size());
  }
  if (train.size() < 2 || valid.size() < 2)
    bad_input(options.text.empty() ? "the text" : options.text,
              ": is too short to learn from: ", train.size(), " characters to train on, ",
              valid.size(), " for validation");
  // The alphabet is that of both parts; numbers are learned from the first alone.
  const Lexicon lexicon = Lexicon::of_characters(train + valid);
  return {lexicon,
          {lexicon.encode(train, "the text"), lexicon.encode(valid, "the validation text")}};
}

// ---- training ----------------------------------------------------------------------------------

void train(const Options& options) {
  const Corpus corpus = read_corpus(options);
  TrainedModel::require_place(options.model);
  require_checkpoint_place(options.training);
  TrainedModel model{options.settings, corpus.lexicon, {options.settings, corpus.lexicon.size()}};
  Generator generator(options.training.seed);
  model.net.initialise(generator);
  Adam optimiser(model.net);
  const int threads = thread_count(options.training.threads);
  TextTraining training(model, corpus.texts,
                        {.batch = options.training.batch,
                         .steps = options.steps,
                         .threads = threads,
                         .path = options.model});
  Fitted fitted;
  {
    Progress progress(options.json ? stderr : stdout);
    progress.line(count_text(double(corpus.texts.train.size())) + " characters to learn from, " +
                  count_text(double(corpus.texts.valid.size())) + " for validation, " +
                  std::to_string(corpus.lexicon.size()) + " different\n" +
                  std::to_string(options.settings.layers) + " layer(s) of " +
                  options.settings.cell + " with " + std::to_string(options.settings.hidden) +
                  " units, " + count_text(double(model.net.parameter_count())) + " weights, " +
                  std::to_string(threads) + " thread(s)");
    fitted = fit({model.net, optimiser, generator}, training, options.training, progress);
  }
  const History::Epoch& best = fitted.history.epochs[static_cast<std::size_t>(fitted.best)];
  const double valid = best.scores[0].second;
  if (options.json) {
    const Json json{{"train", fitted.history.epochs.back().train},
                    {"valid", valid},
                    {"epochs", fitted.history.epochs.back().epochs},
                    {"steps", fitted.steps},
                    {"characters", fitted.elements},
                    {"seconds", fitted.seconds},
                    {"parameters", model.net.parameter_count()},
                    {"model", options.model}};
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  std::printf("\nbest validation loss %s nats per character, saved in %s\n",
              fixed(valid, 4).c_str(), options.model.c_str());
}

// ---- evaluate ----------------------------------------------------------------------------------

void evaluate(const Options& options) {
  const TrainedModel model = TrainedModel::load(options.model);
  const std::string name = options.text.empty() ? "the built-in text" : options.text;
  const std::vector<Size> text = model.lexicon.encode(read_text(options.text), name);
  constexpr Size kSteps = 128;
  const TextWindows windows(text, options.streams, kSteps);
  Workers workers(thread_count(options.training.threads));
  const double nats = measure(model.net, windows, workers).mean();
  const Size characters = windows.characters();
  if (options.json) {
    const Json json{{"characters", characters},
                    {"nats_per_character", nats},
                    {"bits_per_character", nats / std::log(2.0)},
                    {"perplexity", std::exp(nats)}};
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  Table table(1);
  table.row({"characters predicted", std::to_string(characters)});
  table.row({"nats per character", fixed(nats, 4)});
  table.row({"bits per character", fixed(nats / std::log(2.0), 4)});
  table.row({"perplexity", fixed(std::exp(nats), 3)});
  std::printf("%s", table.text().c_str());
}

// ---- generate ----------------------------------------------------------------------------------

// All of it: U+0000 is a character too.
void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void generate(const Options& options) {
  const TrainedModel model = TrainedModel::load(options.model);
  const LanguageModel& net = model.net;
  std::string start = options.prompt;
  // Without a prompt the text starts as after the end of a line, if it has lines.
  if (start.empty()) start = model.lexicon.find("\n") >= 0 ? "\n" : model.lexicon[0];
  const std::vector<Size> read =
      model.lexicon.encode(decode_utf8(start, "the prompt"), "the prompt");
  Generator generator(options.training.seed);
  if (!options.json) print(options.prompt);

  auto [logits, state] = net(values(read, {Size(read.size()), 1}), {});
  Variable next = logits[-1];
  std::string text;
  for (Size t = 0; t < options.length; ++t) {
    const Variable letter = categorical(
        next, generator,
        {.nucleus = options.nucleus, .temperature = options.temperature, .top_k = options.top_k});
    const std::string& token = model.lexicon[letter.value().to_vector<Size>()[0]];
    text += token;
    if (!options.json) print(token);
    state = net.rnn.step(net.embed(letter), state);
    next = net.readout(net.rnn.output(state));
  }
  if (options.json)
    std::printf("%s\n", Json{{"prompt", options.prompt}, {"text", text}}.dump().c_str());
  else
    std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns to continue a text, character by character.", "language_modeling");
  Options options;
  app.require_subcommand(1);
  lay_out(app, "  language_modeling train book.txt --minutes 10\n"
               "  language_modeling evaluate other.txt\n"
               "  language_modeling generate --prompt 'The sea' --temperature 0.7\n");
  add_train(app, options, train);
  add_evaluate(app, options, evaluate);
  add_generate(app, options, generate);
  return run(app, argc, argv);
}
