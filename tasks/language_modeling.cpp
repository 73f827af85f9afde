// language_modeling: a recurrent network learns to continue a text, character by character.
// train, evaluate and generate stand here from top to bottom; the network is in
// language_modeling/model.cpp, the pieces that other tasks need too in common/.

#include <cmath>
#include <cstdio>
#include <thread>

#include "common/bad_input.hpp"
#include "common/batches.hpp"
#include "common/embedded.hpp"
#include "common/files.hpp"
#include "common/progress.hpp"
#include "common/table.hpp"
#include "common/text.hpp"
#include "common/training.hpp"
#include "common/workers.hpp"
#include "language_modeling/options.hpp"
#include "language_modeling/parallel_pass.hpp"

using namespace tasks;
using namespace unroll;

namespace {

using Json = nlohmann::ordered_json;

int thread_count(const Options& options) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return options.threads > 0 ? options.threads : std::clamp(cores, 1, 8);
}

// ---- data: files, characters, the part held out for validation ---------------------------------

std::u32string read_text(const std::string& path) {
  if (path.empty()) return decode_utf8(embedded("harbour_year.txt"), "the built-in text");
  return decode_utf8(read_file(path), path);
}

struct Corpus {
  Lexicon lexicon;
  std::vector<Size> train, valid;
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
  return {lexicon, lexicon.encode(train, "the text"), lexicon.encode(valid, "the validation text")};
}

// ---- measuring ---------------------------------------------------------------------------------

/// Mean cross-entropy over a text read in `batch` streams; in one stream every character is
/// predicted from all that stands before it.
double nats_per_character(const LanguageModel& net, const std::vector<Size>& text, Size batch,
                          Workers& workers) {
  constexpr Size kSteps = 128;
  const TextWindows windows(text, batch, kSteps);
  ParallelPass pass(net, windows, workers);
  double sum = 0;
  for (Size w = 0; w < windows.count(); ++w)
    sum += pass.loss(w) * static_cast<double>(windows.characters_in(w));
  return sum / static_cast<double>(windows.characters());
}

// ---- training ----------------------------------------------------------------------------------

/// How a training goes, and the line that says so.
struct Journal {
  Size step = 0, characters = 0;
  double epochs = 0;            // how often the text has been read
  double train = 0, valid = 0;  // the latest losses, nats per character

  void add(double loss, Size count, double epochs_now) {
    constexpr double kMemory = 0.98;
    train = step == 0 ? loss : kMemory * train + (1 - kMemory) * loss;
    characters += count;
    epochs = epochs_now;
    ++step;
  }
  std::string line(const Budget& budget) const {
    const double seconds = budget.seconds();
    return "epoch " + pad_left(fixed(epochs, 1), 5) + "  train " + fixed(train, 3) +
           (valid > 0 ? "  valid " + fixed(valid, 3) : "") + "  " +
           pad_left(count_text(static_cast<double>(characters) / seconds), 6) + " chars/s  " +
           clock_text(seconds) + " gone, " + clock_text(budget.seconds_left(epochs)) + " left";
  }
};

nlohmann::json scores_json(const Journal& journal) {
  return {{"train", journal.train}, {"valid", journal.valid}, {"epochs", journal.epochs}};
}

struct Trained {
  Journal journal;
  double best = 0, seconds = 0;
};

/// Trains until the budget is used up or the validation loss has stopped falling. The best network
/// so far is always in the model file.
Trained train_model(TrainedModel& model, const Corpus& corpus, const Options& options,
                    Workers& workers, Progress& progress) {
  constexpr Size kEpochs = 20, kValidationStreams = 32;
  LanguageModel& net = model.net;
  Generator generator(options.seed);
  net.initialise(generator);
  Adam optimiser(net);
  Budget budget(options.epochs > 0 || options.minutes > 0 ? options.epochs : kEpochs,
                options.minutes);
  EarlyStopping stopping(options.patience);
  Journal journal;
  for (Size epoch = 0; budget.done(journal.epochs) < 1 && !stopping.is_over(); ++epoch) {
    // Each epoch cuts the text in other places.
    const Size places = std::min(options.steps, Size(corpus.train.size()) / 8 + 1);
    const Size first = static_cast<Size>(generator.below(static_cast<std::uint64_t>(places)));
    const TextWindows windows(corpus.train, options.batch, options.steps, first);
    ParallelPass pass(net, windows, workers);
    for (Size w = 0; w < windows.count() && budget.done(journal.epochs) < 1; ++w) {
      const double done = budget.done(journal.epochs);
      optimiser.set_learning_rate(learning_rate(options.learning_rate, journal.step, done));
      const double loss = pass.backward(w, generator);
      clip_global_norm(net, options.clip);
      optimiser.step();
      const double part = static_cast<double>(w + 1) / static_cast<double>(windows.count());
      journal.add(loss, windows.characters_in(w), static_cast<double>(epoch) + part);
      progress.update(journal.line(budget));
    }
    const double before = budget.seconds();
    journal.valid = nats_per_character(net, corpus.valid, kValidationStreams, workers);
    budget.reserve(budget.seconds() - before);
    const bool best = stopping.is_best(journal.valid);
    if (best) model.save(scores_json(journal), options.model);
    if (!std::isfinite(journal.valid))
      bad_input("the loss is no longer finite; a smaller --learning-rate may help");
    progress.line(journal.line(budget) + (best ? "  saved" : ""));
  }
  return {journal, stopping.best(), budget.seconds()};
}

void train(const Options& options) {
  const Corpus corpus = read_corpus(options);
  TrainedModel::require_place(options.model);
  Workers workers(thread_count(options));
  TrainedModel model{options.settings, corpus.lexicon, {options.settings, corpus.lexicon.size()}};
  Trained trained;
  {
    Progress progress(options.json ? stderr : stdout);
    progress.line(count_text(double(corpus.train.size())) + " characters to learn from, " +
                  count_text(double(corpus.valid.size())) + " for validation, " +
                  std::to_string(corpus.lexicon.size()) + " different\n" +
                  std::to_string(options.settings.layers) + " layer(s) of " +
                  options.settings.cell + " with " + std::to_string(options.settings.hidden) +
                  " units, " + count_text(double(model.net.parameter_count())) + " weights, " +
                  std::to_string(workers.count()) + " thread(s)");
    trained = train_model(model, corpus, options, workers, progress);
  }
  if (options.json) {
    Json json{{"train", trained.journal.train},
              {"valid", trained.best},
              {"epochs", trained.journal.epochs},
              {"steps", trained.journal.step},
              {"characters", trained.journal.characters},
              {"seconds", trained.seconds},
              {"parameters", model.net.parameter_count()},
              {"model", options.model}};
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  std::printf("\nbest validation loss %s nats per character, saved in %s\n",
              fixed(trained.best, 4).c_str(), options.model.c_str());
}

// ---- evaluate ----------------------------------------------------------------------------------

void evaluate(const Options& options) {
  const TrainedModel model = TrainedModel::load(options.model);
  const std::string name = options.text.empty() ? "the built-in text" : options.text;
  const std::vector<Size> text = model.lexicon.encode(read_text(options.text), name);
  Workers workers(thread_count(options));
  const double nats = nats_per_character(model.net, text, options.streams, workers);
  const Size characters = TextWindows(text, options.streams, 1).characters();
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
  Generator generator(options.seed);
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
