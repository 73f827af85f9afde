// pos_tagging: which part of speech each word of a sentence is, learned from tagged sentences.
// train, evaluate, tag and inspect stand here from top to bottom; the networks are in
// pos_tagging/bilstm.cpp and tag_fed.cpp, the pieces that other tasks need too in common/.

#include <cstdio>

#include "common/bad_input.hpp"
#include "common/embedded.hpp"
#include "common/export.hpp"
#include "common/inspect.hpp"
#include "common/table.hpp"
#include "common/text.hpp"
#include "common/words.hpp"
#include "pos_tagging/options.hpp"
#include "pos_tagging/run_report.hpp"
#include "pos_tagging/training.hpp"

using namespace tasks;
using namespace tasks::pos_tagging;
using namespace unroll;

namespace {

using Json = nlohmann::ordered_json;

// ---- data: sentences with tags, the part held out for validation, words as numbers -------------

TaggedCorpus corpus_of(const std::string& path, const std::string& built_in) {
  if (!path.empty()) return {Csv::read(path), path};
  const std::string name = "the built-in sentences";
  return {Csv::parse(embedded(built_in), name), name};
}

struct Corpus {
  Vocabulary vocabulary;
  EncodedSentences train, valid;
  std::vector<Words> valid_words;
};

/// The last n of a list.
template <class T>
std::vector<T> take_last(std::vector<T>& list, std::size_t n) {
  const auto first = list.end() - static_cast<std::ptrdiff_t>(n);
  std::vector<T> taken(std::make_move_iterator(first), std::make_move_iterator(list.end()));
  list.erase(first, list.end());
  return taken;
}

Corpus read_corpus(const Options& options) {
  constexpr std::size_t kHeldOut = 10;  // a tenth, at the end
  const TaggedCorpus read = corpus_of(options.file, "pos_tagging_train.csv");
  const Lexicon tags = read.tags();
  std::vector<Words> train = read.sentences(), valid;
  std::vector<std::vector<Size>> train_tags = read.encode_tags(tags), valid_tags;
  if (!options.valid.empty()) {
    const TaggedCorpus other = corpus_of(options.valid, "");
    valid = other.sentences(), valid_tags = other.encode_tags(tags);
  } else {
    const std::size_t held_out = train.size() / kHeldOut;
    if (held_out == 0)
      read.refuse("too few sentences to hold out a tenth of them for validation; name a --valid");
    valid = take_last(train, held_out), valid_tags = take_last(train_tags, held_out);
  }
  const Vocabulary vocabulary = Vocabulary::of(train, tags, options.min_freq);
  return {vocabulary, EncodedSentences(train, vocabulary, std::move(train_tags)),
          EncodedSentences(valid, vocabulary, std::move(valid_tags)), valid};
}

// ---- training ----------------------------------------------------------------------------------

void report(const Fitted& fitted, Size parameters, const Options& options) {
  const History::Epoch& best = fitted.history.epochs[static_cast<std::size_t>(fitted.best)];
  if (options.json) {
    Json json{{"model", options.save}, {"parameters", parameters}, {"train", best.train}};
    for (const auto& [name, score] : best.scores) json["valid"][name] = score;
    json["epochs"] = fitted.history.epochs.back().epochs;
    json["steps"] = fitted.steps;
    json["words"] = fitted.elements;
    json["seconds"] = fitted.seconds;
    std::printf("%s\n", json.dump().c_str());
    return;
  }
  std::printf("\n%s %% of the words for validation tagged right, saved in %s\n",
              fixed(100 * best.scores[0].second, 2).c_str(), options.save.c_str());
}

void train(const Options& options) {
  TrainedModel::require_place(options.save);
  require_checkpoint_place(options.training);
  require_report_place(options.training);
  const Corpus corpus = read_corpus(options);
  const TrainedModel model{options.settings, corpus.vocabulary,
                           make_tagger(options.settings, corpus.vocabulary)};
  Generator generator(options.training.seed);
  model.net->initialise(generator);
  const Size parameters = model.net->parameter_count();
  const int threads = thread_count(options.training.threads);
  Fitted fitted;
  {
    Progress progress(options.json ? stderr : stdout);
    progress.opening(std::to_string(corpus.train.size()) + " sentences to learn from, " +
                     std::to_string(corpus.valid.size()) + " for validation, " +
                     std::to_string(corpus.vocabulary.words.size()) + " different words, " +
                     std::to_string(corpus.vocabulary.tags.size()) + " tags\n" +
                     options.settings.model + " of " + count_text(double(parameters)) +
                     " weights, " + std::to_string(threads) + " thread(s)");
    Adam optimiser(*model.net);
    TagTraining training(model, corpus.train, corpus.valid,
                         {.batch = options.training.batch,
                          .path = options.save,
                          .threads = threads,
                          .word_dropout = options.word_dropout});
    fitted = fit({*model.net, optimiser, generator}, training, options.training, progress);
  }
  if (!options.training.report.empty())
    run_report(TrainedModel::load(options.save), fitted, corpus.valid, corpus.valid_words, threads)
        .save(options.training.report);
  report(fitted, parameters, options);
}

// ---- evaluate ----------------------------------------------------------------------------------

Json json_of(const ClassScores& scores) {
  return {{"precision", scores.precision}, {"recall", scores.recall}, {"f1", scores.f1}};
}

Json json_of(const TagScores& scores, const Lexicon& tags, Size sentences) {
  const Confusion& c = scores.confusion;
  Json json{{"sentences", sentences},
            {"words", c.samples()},
            {"accuracy", c.accuracy()},
            {"unknown_words", scores.unknown},
            {"unknown_accuracy", scores.unknown_accuracy()},
            {"weighted", json_of(c.weighted())},
            {"macro", json_of(c.macro())}};
  for (Size k = 0; k < tags.size(); ++k) {
    json["tags"][tags[k]] = json_of(c.of(k));
    json["tags"][tags[k]]["support"] = c.support(k);
    for (Size j = 0; j < tags.size(); ++j)
      json["confusion"][tags[k]][tags[j]] = c.count(k, j);  // true, predicted
  }
  return json;
}

void print(const TagScores& scores, const Lexicon& tags) {
  const Confusion& c = scores.confusion;
  const auto percent = [](double part) { return fixed(100 * part, 2); };
  const auto row = [&](const std::string& name, const ClassScores& s, Size support) {
    return Words{name, percent(s.precision), percent(s.recall), percent(s.f1),
                 std::to_string(support)};
  };
  Table table(1);
  table.row({"", "precision %", "recall %", "F1 %", "words"});
  for (Size k = 0; k < tags.size(); ++k) table.row(row(excerpt(tags[k]), c.of(k), c.support(k)));
  table.rule();
  table.row(row("weighted mean", c.weighted(), c.samples()));
  table.row(row("plain mean", c.macro(), c.samples()));
  Table confusion(1);
  Words header{"true \\ found"};
  for (const std::string& tag : tags.tokens()) header.push_back(excerpt(tag));
  confusion.row(header);
  for (Size k = 0; k < tags.size(); ++k) {
    Words counts{excerpt(tags[k])};
    for (Size j = 0; j < tags.size(); ++j) counts.push_back(std::to_string(c.count(k, j)));
    confusion.row(counts);
  }
  const std::string unknown = ", " + percent(scores.unknown_accuracy()) + " % of " +
                              std::to_string(scores.unknown) + " that the model does not know";
  std::printf("%s %% of %s words are right%s\n\n%s\n%s", percent(c.accuracy()).c_str(),
              std::to_string(c.samples()).c_str(), scores.unknown > 0 ? unknown.c_str() : "",
              table.text().c_str(), confusion.text().c_str());
}

void require_beams(const TrainedModel& model, const Options& options) {
  if (options.beams_are_given && model.settings.model != "tag-fed")
    bad_input("--beams has no part in ", options.model, ", a ", model.settings.model);
}

void evaluate(const Options& options) {
  const TrainedModel model = TrainedModel::load(options.model);
  require_beams(model, options);
  const Lexicon& tags = model.vocabulary.tags;
  const TaggedCorpus corpus = corpus_of(options.file, "pos_tagging_test.csv");
  const EncodedSentences sentences(corpus.sentences(), model.vocabulary, corpus.encode_tags(tags));
  Workers workers(thread_count(options.training.threads));
  TagScores scores(tags.size());
  scores.add(sentences, tag(*model.net, sentences, options.beams, workers));
  if (options.json)
    std::printf("%s\n", json_of(scores, tags, sentences.size()).dump().c_str());
  else
    print(scores, tags);
}

// ---- tag ---------------------------------------------------------------------------------------

std::vector<Words> sentences_to_tag(const Options& options) {
  if (!options.file.empty()) return read_sentences(Csv::read(options.file));
  decode_utf8(options.text, "the sentence");
  return {words(options.text, {.lowercase = false})};
}

void tag(const Options& options) {
  const std::vector<Words> sentences = sentences_to_tag(options);
  const TrainedModel model = TrainedModel::load(options.model);
  require_beams(model, options);
  Workers workers(thread_count(options.training.threads));
  const auto numbers =
      tag(*model.net, EncodedSentences(sentences, model.vocabulary), options.beams, workers);
  Json json{{"sentences", Json::array()}};
  for (std::size_t row = 0; row < sentences.size(); ++row) {
    Words tags;
    std::string line;
    for (std::size_t k = 0; k < sentences[row].size(); ++k) {
      tags.push_back(model.vocabulary.tags[numbers[row][k]]);
      line += (k ? " " : "") + sentences[row][k] + '/' + tags.back();
    }
    if (options.json)
      json["sentences"].push_back({{"words", sentences[row]}, {"tags", tags}});
    else
      std::printf("%s\n", line.c_str());
  }
  if (options.json) std::printf("%s\n", json.dump().c_str());
}

// ---- inspect -----------------------------------------------------------------------------------

/// A tagger that reads tags is given those that it has found, step by step.
void inspect(const InspectOptions& options) {
  constexpr Size kBeams = 1;
  const TrainedModel model = TrainedModel::load(options.model);
  const auto& [letters, tags, lexicon] = model.vocabulary;
  const Words sentence = words(options.text, {.lowercase = false});
  Batch batch = EncodedSentences({sentence}, model.vocabulary).batch({0});
  batch.tags = pad(model.net->tags(batch, kBeams), {0}).tokens;
  show_inside({.net = *model.net,
               .compute = [&] { model.net->loss(batch); },
               .tokens = sentence,
               .rows = {{"encode.embed", lexicon},
                        {"encode.letters.W", letters},
                        {"readout.W", tags},
                        {"readout.b", tags},
                        {"crf.transitions", tags},
                        {"crf.start", tags},
                        {"crf.end", tags}},
               .columns = {{"readout", tags}, {"crf.transitions", tags}}},
              options);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Tells the part of speech of each word.", "pos_tagging");
  Options options;
  InspectOptions inspected{.model = options.model};
  app.require_subcommand(1);
  lay_out(app, "  pos_tagging train tagged.csv --model bilstm --save tagger.safetensors\n"
               "  pos_tagging evaluate other_tagged.csv --model tagger.safetensors\n"
               "  pos_tagging tag 'The tide turned at noon.' --model tagger.safetensors\n"
               "  pos_tagging inspect 'The tide turned.' --layer readout --output scores.csv "
               "--model tagger.safetensors\n"
               "  pos_tagging export tagger.safetensors --onnx tagger.onnx\n");
  add_train(app, options, train);
  add_evaluate(app, options, evaluate);
  add_tag(app, options, static_cast<void (*)(const Options&)>(tag));
  add_inspect(app, "sentence", "a sentence to read, in quotes", inspected, inspect);
  add_export(app, options.model,
             [](const std::string& path) { return to_onnx(TrainedModel::load(path), path); });
  return run(app, argc, argv);
}
