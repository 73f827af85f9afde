// Golden group `metrics`: scores of classes, numbers, likelihoods and sequences. They belong to the
// tasks, so that this file is compiled only where the tasks are.
#include "run.hpp"

#include <algorithm>
#include <sstream>

#include "common/metrics.hpp"
#include "common/sequence_metrics.hpp"
#include "common/text.hpp"

namespace golden {
namespace {

using namespace tasks;

using Tokens = std::vector<Size>;

void number(Run& run, const std::string& name, double x) {
  run.out(name, unroll::full({}, x, run.type));
}

void numbers(Run& run, const std::string& name, const std::vector<double>& xs) {
  Array all({static_cast<Size>(xs.size())}, unroll::float64);
  std::copy(xs.begin(), xs.end(), all.mutable_data<double>());
  run.out(name, all.to(run.type));
}

void count(Run& run, const std::string& name, Size n) {
  run.out(name, unroll::full({}, static_cast<double>(n), unroll::int64));
}

void counts(Run& run, const std::string& name, const Tokens& ns, unroll::Shape shape) {
  Array all(shape, unroll::int64);
  std::copy(ns.begin(), ns.end(), all.mutable_data<Size>());
  run.out(name, all);
}

void average(Run& run, const std::string& kind, const ClassScores& scores) {
  number(run, "precision_" + kind, scores.precision);
  number(run, "recall_" + kind, scores.recall);
  number(run, "f1_" + kind, scores.f1);
}

void run_classification(Run& run) {
  const auto classes = static_cast<Size>(run.c.says("labels").size());
  const Tokens truth = run.sizes("y_true"), predicted = run.sizes("y_pred");
  Confusion confusion(classes);
  for (std::size_t k = 0; k < truth.size(); ++k) confusion.add(truth[k], predicted.at(k));

  number(run, "accuracy", confusion.accuracy());
  average(run, "micro", confusion.micro());
  average(run, "macro", confusion.macro());
  average(run, "weighted", confusion.weighted());
  std::vector<double> precision, recall, f1;
  Tokens support, table;
  for (Size k = 0; k < classes; ++k) {
    const ClassScores scores = confusion.of(k);
    precision.push_back(scores.precision);
    recall.push_back(scores.recall);
    f1.push_back(scores.f1);
    support.push_back(confusion.support(k));
    for (Size j = 0; j < classes; ++j) table.push_back(confusion.count(k, j));
  }
  numbers(run, "precision_per_class", precision);
  numbers(run, "recall_per_class", recall);
  numbers(run, "f1_per_class", f1);
  counts(run, "support", support, {classes});
  counts(run, "confusion", table, {classes, classes});
}

void run_r2(Run& run) {
  const Array y = run.constant("in.y_true"), p = run.constant("in.y_pred");
  if (y.rank() == 1) {
    const RegressionScores scores = regression_scores(y.to_vector<double>(), p.to_vector<double>());
    number(run, "r2", scores.r2);
    number(run, "mse", scores.mean_squared_error);
    number(run, "mae", scores.mean_absolute_error);
    return;
  }
  std::vector<double> each;
  double mean = 0;
  for (Size k = 0; k < y.size(1); ++k) {
    each.push_back(
        regression_scores(y.select(1, k).to_vector<double>(), p.select(1, k).to_vector<double>())
            .r2);
    mean += each.back() / static_cast<double>(y.size(1));
  }
  numbers(run, "r2_each", each);
  number(run, "r2", mean);
}

void run_perplexity(Run& run) {
  const Array log_p = run.constant("in.log_probs");
  const std::vector<double> all = log_p.to_vector<double>();
  const Tokens targets = run.sizes("targets"), mask = run.sizes("mask");
  Likelihood masked, unmasked;
  for (std::size_t k = 0; k < targets.size(); ++k) {
    const double nats = -all.at(k * log_p.size(-1) + targets[k]);
    unmasked.add(nats, 1);
    if (mask.at(k)) masked.add(nats, 1);
  }
  number(run, "mean_nll", masked.mean());
  number(run, "perplexity", masked.perplexity());
  number(run, "bits", masked.bits());
  number(run, "perplexity_unmasked", unmasked.perplexity());
}

/// in.<name>, cut into sequences of the lengths in in.<lengths>.
std::vector<Tokens> sequences(const Run& run, const std::string& name, const std::string& lengths) {
  const Tokens all = run.sizes(name);
  std::vector<Tokens> cut;
  auto next = all.begin();
  for (Size length : run.sizes(lengths)) {
    cut.emplace_back(next, next + length);
    next += length;
  }
  return cut;
}

void run_edit_distance(Run& run) {
  const auto references = sequences(run, "reference", "reference_lengths");
  const auto hypotheses = sequences(run, "hypothesis", "hypothesis_lengths");
  Tokens distances;
  ErrorRate rate;
  for (std::size_t k = 0; k < references.size(); ++k) {
    distances.push_back(edit_distance(references[k], hypotheses.at(k)));
    rate.add(references[k], hypotheses[k]);
  }
  counts(run, "distance", distances, {static_cast<Size>(distances.size())});
  number(run, "error_rate", rate.value());
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, ' ');) words.push_back(word);
  return words;
}

void run_wer_cer(Run& run) {
  std::istringstream pairs(run.c.meta.at("pairs"));
  Tokens word_distances, character_distances;
  ErrorRate words, characters;
  for (std::string reference, hypothesis;
       std::getline(pairs, reference, '\t') && std::getline(pairs, hypothesis);) {
    const auto a = words_of(reference), b = words_of(hypothesis);
    const auto c = decode_utf8(reference, "reference"), d = decode_utf8(hypothesis, "hypothesis");
    word_distances.push_back(edit_distance(a, b));
    character_distances.push_back(edit_distance(c, d));
    words.add(a, b);
    characters.add(c, d);
  }
  const auto pair_count = static_cast<Size>(word_distances.size());
  counts(run, "word_distance", word_distances, {pair_count});
  counts(run, "char_distance", character_distances, {pair_count});
  number(run, "wer", words.value());
  number(run, "cer", characters.value());
}

void run_bleu(Run& run) {
  const auto all = sequences(run, "references", "references_lengths");
  std::vector<std::vector<Tokens>> references;
  auto next = all.begin();
  for (Size n : run.sizes("references_per_candidate")) {
    references.emplace_back(next, next + n);
    next += n;
  }
  const Bleu result = bleu(sequences(run, "candidates", "candidates_lengths"), references);
  number(run, "bleu", result.score);
  number(run, "brevity_penalty", result.brevity_penalty);
  numbers(run, "precisions", {result.precisions.begin(), result.precisions.end()});
  counts(run, "matches", {result.matches.begin(), result.matches.end()}, {Bleu::kOrders});
  counts(run, "totals", {result.totals.begin(), result.totals.end()}, {Bleu::kOrders});
  count(run, "candidate_length", result.candidate_length);
  count(run, "reference_length", result.reference_length);
}

struct KindOfCase {
  const char* name;
  void (*compute)(Run&);
};
constexpr KindOfCase kKinds[] = {
    {"bleu", run_bleu},
    {"classification", run_classification},
    {"edit_distance", run_edit_distance},
    {"perplexity", run_perplexity},
    {"r2", run_r2},
    {"wer_cer", run_wer_cer},
};

void run_metrics(Run& run) {
  for (const KindOfCase& kind : kKinds)
    if ((run.c.name + "_").starts_with(std::string(kind.name) + "_")) return kind.compute(run);
  throw Unknown("a metric of another name");
}

const Handler handler{"metrics", run_metrics};

}  // namespace
}  // namespace golden
