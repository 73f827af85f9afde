// The pictures of a run: which tags are taken for which, lengths, gradients through time; tags of
// some sentences.
#include "pos_tagging/run_report.hpp"

namespace tasks::pos_tagging {
namespace {

using namespace unroll;

using Rows = std::vector<std::vector<std::string>>;

std::string percent(double part) { return fixed(100 * part, 2); }

void add_scores(Report& report, const TagScores& scores) {
  const Confusion& c = scores.confusion;
  report.facts(
      "Scores on sentences held out",
      {{"accuracy %", percent(c.accuracy())},
       {"words", c.samples()},
       {"unknown words", scores.unknown},
       {"unknown words right %", scores.unknown == 0 ? "none" : percent(scores.unknown_accuracy())},
       {"F1 %, weighted mean", percent(c.weighted().f1)},
       {"F1 %, plain mean", percent(c.macro().f1)}});
}

/// The most frequent tags: a page has room for so many.
void add_confusion(Report& report, const Confusion& confusion, const Lexicon& tags) {
  constexpr Size kMost = 30;
  const Size n = std::min(kMost, tags.size());
  std::vector<std::vector<Size>> counts(static_cast<std::size_t>(n));
  for (Size k = 0; k < n; ++k)
    for (Size j = 0; j < n; ++j)
      counts[static_cast<std::size_t>(k)].push_back(confusion.count(k, j));
  const std::vector<std::string> names(tags.tokens().begin(), tags.tokens().begin() + n);
  report.picture("Confusion matrix", matrix_chart(names, counts, {.x = "found", .y = "true"}),
                 n < tags.size() ? join("The ", n, " most frequent of ", tags.size(), " tags.")
                                 : "The darker, the larger the part of the row.");
}

Rows score_rows(const Confusion& c, const Lexicon& tags) {
  Rows rows{{"tag", "precision %", "recall %", "F1 %", "words"}};
  for (Size k = 0; k < tags.size(); ++k) {
    const ClassScores s = c.of(k);
    rows.push_back({tags[k], percent(s.precision), percent(s.recall), percent(s.f1),
                    std::to_string(c.support(k))});
  }
  return rows;
}

/// Of a batch of sentences of middle length.
void add_gradients(Report& report, const Tagger& net, const EncodedSentences& sentences) {
  constexpr Size kBatch = 32;
  const auto batches = batches_by_length(sentences.lengths(), kBatch);
  const Batch batch = sentences.batch(batches[batches.size() / 2]);
  Generator generator(1);
  Tape tape(generator);
  const RecurrentStates states = net.read(batch);
  report.gradient_through_time(net.loss(states, batch), states,
                               "Of a batch of sentences of middle length.");
}

Rows samples(const EncodedSentences& sentences, const std::vector<Words>& words,
             const std::vector<std::vector<Size>>& found, const Lexicon& tags) {
  constexpr std::size_t kSamples = 20;
  Rows rows{
      {"wrong", "words with the tags found, and true ones in brackets where those are wrong"}};
  for (std::size_t k = 0; k < std::min(kSamples, words.size()); ++k) {
    const std::vector<Size>& truth = sentences.tags(static_cast<Size>(k));
    Size wrong = 0;
    std::string line;
    for (std::size_t i = 0; i < words[k].size(); ++i) {
      line += (i ? " " : "") + words[k][i] + '/' + tags[found[k][i]];
      if (found[k][i] == truth[i]) continue;
      line += " (" + tags[truth[i]] + ')';
      ++wrong;
    }
    rows.push_back({std::to_string(wrong), line});
  }
  return rows;
}

}  // namespace

Report run_report(const TrainedModel& model, const Fitted& fitted, const EncodedSentences& valid,
                  const std::vector<Words>& sentences, int threads) {
  constexpr Size kBeams = 1;  // as after each epoch
  const Lexicon& tags = model.vocabulary.tags;
  Workers workers(threads);
  const auto found = tag(*model.net, valid, kBeams, workers);
  TagScores scores(tags.size());
  scores.add(valid, found);
  Report report("pos_tagging: " + model.settings.model);
  add_scores(report, scores);
  add_confusion(report, scores.confusion, tags);
  report.table("Tags", score_rows(scores.confusion, tags));
  report.training(fitted);
  report.lengths(valid.lengths(), {.x = "words of a sentence", .y = "sentences"});
  add_gradients(report, *model.net, valid);
  report.layers(*model.net);
  report.facts("Settings", model.settings.to_json());
  report.table("Samples", samples(valid, sentences, found, tags));
  return report;
}

}  // namespace tasks::pos_tagging
