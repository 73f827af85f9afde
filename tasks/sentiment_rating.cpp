// sentiment_rating: how many of ten points a review gives, learned from reviews with ratings.
// train, evaluate, predict and inspect stand here from top to bottom; the networks are in
// sentiment_rating/model.cpp, the pieces that other tasks need too in common/.

#include <cstdio>

#include "common/bad_input.hpp"
#include "common/embedded.hpp"
#include "common/export.hpp"
#include "common/import_weights.hpp"
#include "common/inspect.hpp"
#include "common/table.hpp"
#include "common/text.hpp"
#include "common/word_vectors.hpp"
#include "sentiment_rating/options.hpp"
#include "sentiment_rating/reviews.hpp"
#include "sentiment_rating/run_report.hpp"
#include "sentiment_rating/training.hpp"

using namespace tasks;
using namespace tasks::sentiment_rating;
using namespace unroll;

namespace {

using Json = nlohmann::ordered_json;

// ---- data: reviews, the part held out for validation, words as numbers -------------------------

Reviews reviews_of(const std::string& path, const std::string& built_in) {
  if (!path.empty()) return read_reviews(Csv::read(path));
  return read_reviews(Csv::parse(embedded(built_in), "the built-in reviews"));
}

struct Corpus {
  Lexicon lexicon;
  RatedReviews train, valid;
  std::vector<std::string> valid_texts;
};

Corpus read_corpus(const Options& options, Generator& generator) {
  const std::string name = options.file.empty() ? "the built-in reviews" : options.file;
  Reviews train = reviews_of(options.file, "reviews_train.csv");
  const Reviews valid =
      options.valid.empty() ? take_tenth(train, generator) : reviews_of(options.valid, "");
  if (valid.texts.empty()) bad_input(name, ": one review; expected at least two, or a --valid");
  const Lexicon lexicon = lexicon_of(train.texts, options.settings, options.min_freq);
  const auto numbered = [&](const Reviews& reviews) {
    return RatedReviews{reviews.ratings, encode(reviews.texts, lexicon, options.settings)};
  };
  return {lexicon, numbered(train), numbered(valid), valid.texts};
}

// ---- training ----------------------------------------------------------------------------------

/// Draws the first weights. What comes from the data or from a file of vectors is put in its place.
TrainedModel new_model(const Options& options, const Corpus& corpus, Generator& generator,
                       Progress& progress) {
  TrainedModel model{options.settings, corpus.lexicon,
                     make_model(options.settings, corpus.lexicon.size())};
  model.net->initialise(generator);
  model.net->learn_frequencies(corpus.train.reviews);
  if (options.vectors.empty()) return model;
  Array rows = model.net->word_vectors().mutable_value();
  const Size found = WordVectors(options.vectors).copy_into(rows, corpus.lexicon);
  progress.opening(std::to_string(found) + " words start from vectors of " + options.vectors);
  return model;
}

/// What the default, meant for thousands of reviews, leaves of a few.
std::string rarity(const Corpus& corpus, const Options& options) {
  constexpr std::size_t kFew = 1000;
  if (corpus.train.ratings.size() >= kFew || options.min_freq < Options().min_freq) return "";
  return "few reviews: what occurs less than " + std::to_string(options.min_freq) +
         " times is unknown, --min-freq 1 would know all\n";
}

void train(const Options& options) {
  TrainedModel::require_place(options.model);
  require_checkpoint_place(options.training);
  require_report_place(options.training);
  Generator generator(options.training.seed);
  const Corpus corpus = read_corpus(options, generator);
  Fitted fitted;
  Size parameters = 0;
  {
    Progress progress(options.json ? stderr : stdout);
    const TrainedModel model = new_model(options, corpus, generator, progress);
    parameters = model.net->parameter_count();
    progress.opening(std::to_string(corpus.train.ratings.size()) + " reviews to learn from, " +
                     std::to_string(corpus.valid.ratings.size()) + " for validation, " +
                     std::to_string(corpus.lexicon.size()) + " different features\n" +
                     rarity(corpus, options) + options.settings.model + " of " +
                     count_text(double(parameters)) + " weights, " +
                     std::to_string(thread_count(options.training.threads)) + " thread(s)");
    Adam optimiser(*model.net);
    RatingTraining training(model, corpus.train, corpus.valid, options.training, options.model);
    fitted = fit({*model.net, optimiser, generator}, training, options.training, progress);
  }
  if (!options.training.report.empty())
    run_report(TrainedModel::load(options.model), fitted, corpus.valid, corpus.valid_texts,
               thread_count(options.training.threads))
        .save(options.training.report);
  const History::Epoch& best = fitted.history.epochs[static_cast<std::size_t>(fitted.best)];
  if (options.json) {
    Json json{{"model", options.model}, {"parameters", parameters}, {"train", best.train}};
    for (const auto& [name, score] : best.scores) json["valid"][name] = score;
    json["epochs"] = fitted.history.epochs.back().epochs;
    json["steps"] = fitted.steps;
    json["reviews"] = fitted.elements;
    json["seconds"] = fitted.seconds;
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  Table table(1);
  for (const auto& [name, score] : best.scores) table.row({name, fixed(score, 4)});
  std::printf("\nthe best network, saved in %s:\n%s", options.model.c_str(), table.text().c_str());
}

// ---- evaluate ----------------------------------------------------------------------------------

std::vector<double> rate(const TrainedModel& model, const std::vector<std::string>& texts,
                         const Options& options) {
  Workers workers(thread_count(options.training.threads));
  return rate(*model.net, encode(texts, model.lexicon, model.settings), workers);
}

void evaluate(const Options& options) {
  const TrainedModel model = TrainedModel::load(options.model);
  const Reviews reviews = reviews_of(options.file, "reviews_test.csv");
  const RatingScores scores = rating_scores(reviews.ratings, rate(model, reviews.texts, options));
  if (options.json) {
    const Json json{{"reviews", reviews.texts.size()},
                    {"r2", scores.r2},
                    {"mse", scores.mean_squared_error},
                    {"mae", scores.mean_absolute_error},
                    {"accuracy", scores.accuracy}};
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  Table table(1);
  table.row({"reviews", std::to_string(reviews.texts.size())});
  table.row({"R2", fixed(scores.r2, 4)});
  table.row({"mean squared error", fixed(scores.mean_squared_error, 4)});
  table.row({"mean absolute error", fixed(scores.mean_absolute_error, 4)});
  table.row({"positive or negative right", fixed(100 * scores.accuracy, 2) + " %"});
  std::printf("%s", table.text().c_str());
}

// ---- predict -----------------------------------------------------------------------------------

void predict(const Options& options) {
  std::vector<std::string> texts{options.text};
  decode_utf8(options.text, "the review");
  if (!options.file.empty()) texts = Csv::read(options.file).column("Review");
  const TrainedModel model = TrainedModel::load(options.model);
  const std::vector<double> ratings = rate(model, texts, options);
  if (options.json) {
    std::printf("%s\n", Json{{"ratings", ratings}}.dump().c_str());
    return;
  }
  for (std::size_t k = 0; k < texts.size(); ++k)
    std::printf("%s  %s\n", pad_left(fixed(ratings[k], 1), 4).c_str(),
                excerpt(texts[k], 70).c_str());
}

// ---- inspect -----------------------------------------------------------------------------------

void inspect(const InspectOptions& options) {
  const TrainedModel model = TrainedModel::load(options.model);
  const Lexicon& words = model.lexicon;
  const auto review = encode({options.text}, words, model.settings);
  show_inside({.net = *model.net,
               .compute = [&] { (*model.net)(pad(review, {0})); },
               .tokens = words.tokens(review[0]),
               .rows = {{"embed", words}, {"W", words}, {"idf", words}}},
              options);
}

// ---- import ------------------------------------------------------------------------------------

/// Weights of a network trained elsewhere, whose last layer says the rating itself.
Size import_model(const ImportOptions& options) {
  TrainedModel::require_place(options.save);
  TrainedModel model = TrainedModel::load(options.model);
  if (!options.vocabulary.empty()) {
    model.lexicon = read_vocabulary(options.vocabulary);
    if (!model.lexicon.is_of_words())
      bad_input(options.vocabulary, ": does not begin with <PAD> and <UNK>");
    model.net = make_model(model.settings, model.lexicon.size());
  }
  import_weights(*model.net, options);
  rescale_last_layer(*model.net);
  model.save({}, options.save);
  return model.net->parameter_count();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Rates reviews from 1 to 10.", "sentiment_rating");
  Options options;
  InspectOptions inspected{.model = options.model};
  app.require_subcommand(1);
  lay_out(app, "  sentiment_rating train reviews.csv --model mlp-bow --save bow.safetensors\n"
               "  sentiment_rating evaluate other_reviews.csv --model bow.safetensors\n"
               "  sentiment_rating predict 'A quiet, funny film.' --model bow.safetensors\n"
               "  sentiment_rating inspect --nearest funny --model bow.safetensors\n"
               "  sentiment_rating export bow.safetensors --onnx bow.onnx\n");
  add_train(app, options, train);
  add_evaluate(app, options, evaluate);
  add_predict(app, options, predict);
  add_inspect(app, "review", "a review to read, in quotes", inspected, inspect);
  add_import(app, options.model, import_model);
  add_export(app, options.model,
             [](const std::string& path) { return to_onnx(TrainedModel::load(path), path); });
  return run(app, argc, argv);
}
