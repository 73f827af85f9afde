// language_modeling: a recurrent network learns to continue texts, by characters or words.
// train, evaluate, score, generate and inspect stand here from top to bottom; data, tokens, network
// and loss are in language_modeling/, the pieces that other tasks need too in common/.

#include <cmath>
#include <cstdio>

#include "common/bad_input.hpp"
#include "common/export.hpp"
#include "common/import_weights.hpp"
#include "common/inspect.hpp"
#include "common/progress.hpp"
#include "common/table.hpp"
#include "common/text.hpp"
#include "language_modeling/data.hpp"
#include "language_modeling/endings.hpp"
#include "language_modeling/run_report.hpp"
#include "language_modeling/sampling.hpp"

using namespace tasks;
using namespace unroll;

namespace {

using Json = nlohmann::ordered_json;

void print_json(const Json& json) { std::printf("%s\n", json.dump().c_str()); }

// ---- train -------------------------------------------------------------------------------------

Size count_tokens(const std::vector<std::vector<Size>>& texts) {
  Size count = 0;
  for (const auto& text : texts) count += static_cast<Size>(text.size());
  return count;
}

std::string introduction(const TrainedModel& model, const Corpus& corpus, int threads) {
  const Settings& s = model.settings;
  const auto described = [&](const std::vector<std::vector<Size>>& texts) {
    return count_text(double(count_tokens(texts))) + ' ' + unit_of(s) + "s" +
           (s.stories ? " in " + std::to_string(texts.size()) + " stories" : "");
  };
  return described(corpus.train) + " to learn from, " + described(corpus.valid) +
         " for validation, " + std::to_string(model.lexicon.size()) + " different\n" +
         std::to_string(s.layers) + " layer(s) of " + s.cell + " with " + std::to_string(s.hidden) +
         " units, " + count_text(double(model.net.parameter_count())) + " weights, " +
         std::to_string(threads) + " thread(s)";
}

void report(const Fitted& fitted, const TrainedModel& model, const Options& options) {
  const History::Epoch& last = fitted.history.epochs.back();
  const double best = fitted.history.epochs[static_cast<std::size_t>(fitted.best)].scores[0].second;
  if (options.json)
    return print_json({{"train", last.train},
                       {"valid", best},
                       {"perplexity", std::exp(best)},
                       {"epochs", last.epochs},
                       {"steps", fitted.steps},
                       {"tokens", fitted.elements},
                       {"seconds", fitted.seconds},
                       {"parameters", model.net.parameter_count()},
                       {"model", options.model}});
  std::printf("\nbest validation loss %s nats per %s, perplexity %s, saved in %s\n",
              fixed(best, 4).c_str(), unit_of(model.settings).c_str(),
              fixed(std::exp(best), 2).c_str(), options.model.c_str());
}

void train(const Options& options) {
  const Data data = read_data(options);
  TrainedModel::require_place(options.model);
  require_checkpoint_place(options.training);
  require_report_place(options.training);
  TrainedModel model{data.settings, data.lexicon, {data.settings, data.lexicon.size()}};
  Generator generator(options.training.seed);
  model.net.initialise(generator);
  Adam optimiser(model.net);
  const int threads = thread_count(options.training.threads);
  LanguageTraining training(model, data.corpus,
                            {.batch = options.training.batch,
                             .steps = options.steps,
                             .threads = threads,
                             .path = options.model});
  Fitted fitted;
  {
    Progress progress(options.json ? stderr : stdout);
    progress.opening(introduction(model, data.corpus, threads));
    fitted = fit({model.net, optimiser, generator}, training, options.training, progress);
  }
  if (!options.training.report.empty())
    run_report(TrainedModel::load(options.model), fitted, data.corpus.valid, options)
        .save(options.training.report);
  report(fitted, model, options);
}

// ---- evaluate ----------------------------------------------------------------------------------

void evaluate(const Options& options) {
  constexpr Size kBatch = 64, kSteps = 128;
  const TrainedModel model = TrainedModel::load(options.model);
  const Settings& s = model.settings;
  const Documents documents = read_for(model, options);
  const auto texts = encode(documents, model.lexicon, s);
  if (!s.stories && texts[0].size() < 2)
    bad_input(documents.name, ": is too short: ", texts[0].size(), " ", unit_of(s),
              texts[0].empty() ? "s" : "", "; the first one is not predicted");
  Workers workers(thread_count(options.training.threads));
  const auto windows = make_windows(model, texts, s.stories ? kBatch : options.streams, kSteps);
  const auto [all, known] = measure(model, *windows, workers);
  const Size unknown = all.tokens - known.tokens;
  if (options.json)
    return print_json({{s.tokens == kCharacters ? "characters" : "words", all.tokens},
                       {"stories", s.stories ? Json(texts.size()) : Json()},
                       {"unknown", unknown},
                       {"nats_per_" + unit_of(s), all.mean()},
                       {"bits_per_" + unit_of(s), all.bits()},
                       {"perplexity", all.perplexity()},
                       {"perplexity_of_known", known.perplexity()}});
  Table table(1);
  table.row({unit_of(s) + "s predicted", std::to_string(all.tokens)});
  if (s.stories) table.row({"of them ends of stories", std::to_string(texts.size())});
  if (s.tokens != kCharacters) table.row({"of them unknown words", std::to_string(unknown)});
  table.row({"nats per " + unit_of(s), fixed(all.mean(), 4)});
  table.row({"bits per " + unit_of(s), fixed(all.bits(), 4)});
  table.row({"perplexity", fixed(all.perplexity(), 3)});
  if (unknown > 0) table.row({"perplexity without unknown", fixed(known.perplexity(), 3)});
  std::printf("%s", table.text().c_str());
  if (s.tokens != kCharacters)
    std::printf("\nAll unknown words count as one word, <UNK>.%s\n",
                s.stories ? " Ends count as words, padding does not count." : "");
}

// ---- score -------------------------------------------------------------------------------------

struct StoryScore {
  std::string text;
  Likelihood likelihood;
};

std::vector<StoryScore> score_stories(const TrainedModel& model, const Documents& documents,
                                      Workers& workers) {
  const auto nats =
      nats_of_tokens(model, encode(documents, model.lexicon, model.settings), workers);
  std::vector<StoryScore> scores;
  for (std::size_t k = 0; k < nats.size(); ++k) {
    scores.push_back({documents.texts[k], {}});
    for (const double one : nats[k]) scores.back().likelihood.add(one, 1);
  }
  return scores;
}

void print_scores(const std::vector<StoryScore>& scores, const std::string& unit) {
  constexpr std::size_t kShown = 20;
  Table table(0);
  table.row({"log p", unit + "s", "perplexity", pad_right("story", 53)});
  for (std::size_t k = 0; k < scores.size() && k < kShown; ++k) {
    const Likelihood& l = scores[k].likelihood;
    table.row({fixed(-l.nats, 2), std::to_string(l.tokens), fixed(l.perplexity(), 2),
               pad_right(excerpt(scores[k].text, 50), 53)});
  }
  std::printf("%s", table.text().c_str());
  if (scores.size() > kShown)
    std::printf("  and %zu more; --json has all\n", scores.size() - kShown);
}

void print_endings(const EndingScores& e) {
  Table table(1);
  table.row({"of " + std::to_string(e.comparisons) + " comparisons with another story's ending",
             "the given one is preferred"});
  table.row({"log p(ending | context)", fixed(100 * e.likelihood, 1) + " %"});
  table.row({"the same a token", fixed(100 * e.mean_likelihood, 1) + " %"});
  table.row(
      {"log p(ending | context) - log p(ending)", fixed(100 * e.mutual_information, 1) + " %"});
  std::printf("\n%s", table.text().c_str());
}

void score(const Options& options) {
  const TrainedModel model = TrainedModel::load(options.model);
  if (!model.settings.stories)
    bad_input(options.model, ": knows a running text; expected a model of stories");
  const Documents documents =
      options.story ? Documents{"the story", {*options.story}, true} : read_for(model, options);
  if (options.story) decode_utf8(*options.story, documents.name);
  Workers workers(thread_count(options.training.threads));
  const auto scores = score_stories(model, documents, workers);
  const std::vector<Ending> endings = cut_endings(documents.texts);
  const bool compare = !options.story && endings.size() > 1;
  EndingScores e;
  Generator generator(options.training.seed);
  if (compare)
    e = score_endings(model, endings, options.endings, generator, workers, documents.name);
  if (!options.json) {
    print_scores(scores, unit_of(model.settings));
    if (compare) print_endings(e);
    return;
  }
  Json json{{"stories", Json::array()}};
  for (const auto& [text, likelihood] : scores)
    json["stories"].push_back({{"log_probability", -likelihood.nats},
                               {unit_of(model.settings) + "s", likelihood.tokens},
                               {"perplexity", likelihood.perplexity()}});
  if (compare)
    json["endings"] = {{"comparisons", e.comparisons},
                       {"accuracy", e.likelihood},
                       {"accuracy_of_mean", e.mean_likelihood},
                       {"accuracy_of_mutual_information", e.mutual_information}};
  print_json(json);
}

// ---- generate ----------------------------------------------------------------------------------

// All of it: U+0000 is a character too.
void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void generate(const Options& options) {
  const TrainedModel model = TrainedModel::load(options.model);
  const std::vector<Size> read = opening(model, options.prompt);
  const bool spell = model.settings.tokens == kCharacters && !options.json;  // as it is drawn
  Generator generator(options.training.seed);
  Json texts = Json::array();
  for (Size k = 0; k < options.samples; ++k) {
    if (spell) print(options.prompt);
    std::vector<Size> written;
    const auto write = [&](Size token) {
      written.push_back(token);
      if (spell) print(model.lexicon[token]);
    };
    sample(model, read, options.length,
           {.nucleus = options.nucleus, .temperature = options.temperature, .top_k = options.top_k},
           generator, write);
    const std::string text = decode(written, model.lexicon, model.settings);
    const std::string space = options.prompt.empty() || text.empty() ? "" : " ";
    texts.push_back(text);
    if (!options.json) print(spell ? "\n" : options.prompt + space + text + '\n');
  }
  if (options.json) print_json({{"prompt", options.prompt}, {"text", texts[0]}, {"texts", texts}});
}

// ---- inspect -----------------------------------------------------------------------------------

void inspect(const InspectOptions& options) {
  const TrainedModel model = TrainedModel::load(options.model);
  const Lexicon& tokens = model.lexicon;
  const std::vector<Size> read = opening(model, options.text);
  const Variable x = values(read, {static_cast<Size>(read.size()), 1});
  show_inside({.net = model.net,
               .compute = [&] { model.net.logits(model.net(x, {}).h); },
               .tokens = tokens.tokens(read),
               .rows = {{"embedding", tokens},
                        {"readout.W", tokens},
                        {"readout.b", tokens},
                        {"bias", tokens}},
               .columns = {{"readout", tokens}, {"softmax", tokens}}},
              options);
}

// ---- import ------------------------------------------------------------------------------------

Size import_model(const ImportOptions& options) {
  TrainedModel::require_place(options.save);
  TrainedModel model = TrainedModel::load(options.model);
  if (!options.vocabulary.empty()) {
    model.lexicon = read_vocabulary(options.vocabulary);
    require_lexicon(model.lexicon, model.settings, options.vocabulary);
    model.net = {model.settings, model.lexicon.size()};
  }
  import_weights(model.net, options);
  model.save({}, options.save);
  return model.net.parameter_count();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Learns to continue texts, by characters or words.", "language_modeling");
  Options options;
  InspectOptions inspected{.model = options.model};
  app.require_subcommand(1);
  lay_out(app, "  language_modeling train book.txt --minutes 10\n"
               "  language_modeling evaluate other_book.txt\n"
               "  language_modeling generate --prompt 'The sea' --temperature 0.7\n"
               "  language_modeling inspect 'The sea' --layer rnn --output states.npy\n"
               "  language_modeling export --onnx language_model.onnx\n"
               "  language_modeling train stories.csv --tokens words --tied "
               "--save stories.safetensors\n"
               "  language_modeling score other_stories.csv --model stories.safetensors\n");
  add_train(app, options, train);
  add_evaluate(app, options, evaluate);
  add_score(app, options, score);
  add_generate(app, options, generate);
  add_inspect(app, "prompt", "a text to read, in quotes", inspected, inspect);
  add_import(app, options.model, import_model);
  add_export(app, options.model,
             [](const std::string& path) { return to_onnx(TrainedModel::load(path), path); });
  return run(app, argc, argv);
}
