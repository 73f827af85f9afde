// The pictures of a run: scores, lengths, gradients through time; texts that the network writes.
#include "language_modeling/run_report.hpp"

#include "language_modeling/data.hpp"
#include "language_modeling/sampling.hpp"

namespace tasks {
namespace {

using namespace unroll;

using Texts = std::vector<std::vector<Size>>;

void add_scores(Report& report, const TrainedModel& model, const Texts& valid, int threads) {
  constexpr Size kBatch = 32, kSteps = 128;  // as after each epoch
  const std::string unit = unit_of(model.settings);
  Workers workers(threads);
  const auto windows = make_windows(model, valid, kBatch, kSteps);
  const auto [all, known] = measure(model, *windows, workers);
  nlohmann::ordered_json scores{{unit + "s predicted", all.tokens},
                                {"nats per " + unit, all.mean()},
                                {"bits per " + unit, all.bits()},
                                {"perplexity", all.perplexity()}};
  if (model.settings.tokens != kCharacters) {
    scores["unknown words"] = all.tokens - known.tokens;
    scores["perplexity without unknown"] = known.perplexity();
  }
  report.facts("Scores on texts held out", scores);
}

/// Of stories in tokens; of a running text, line by line, if it has lines.
void add_lengths(Report& report, const TrainedModel& model, const Texts& valid) {
  const std::string unit = unit_of(model.settings) + "s of a ";
  std::vector<Size> lengths;
  if (model.settings.stories) {
    for (const auto& story : valid) lengths.push_back(static_cast<Size>(story.size()));
    return report.lengths(lengths, {.x = unit + "story", .y = "stories"});
  }
  const Size end = model.lexicon.find(model.settings.tokens == kCharacters ? "\n" : kEndOfLine);
  if (end < 0) return;
  Size length = 0;
  for (const Size token : valid[0]) {
    if (token == end) lengths.push_back(length);
    length = token == end ? 0 : length + 1;
  }
  if (!lengths.empty()) report.lengths(lengths, {.x = unit + "line", .y = "lines"});
}

/// Of a window in the middle, from an empty state; the last one may be short.
void add_gradients(Report& report, const TrainedModel& model, const Texts& valid, Size steps) {
  constexpr Size kBatch = 32;
  const auto windows = make_windows(model, valid, kBatch, steps);
  const Size middle = (windows->count() - 1) / 2;
  const Window window = windows->at(middle, 0, windows->rows(middle));
  Generator generator(1);
  Tape tape(generator);
  const auto result = model.net(window.x, {}, window.lengths);
  const Variable loss = model.net.loss(result.h, window.y, {.lengths = window.lengths});
  report.gradient_through_time(loss, result.states, "Of a batch of texts held out.");
}

void add_samples(Report& report, const TrainedModel& model, const Options& options) {
  constexpr Size kSamples = 5, kCharactersEach = 400, kWordsEach = 100;
  const Size longest = model.settings.tokens == kCharacters ? kCharactersEach : kWordsEach;
  Generator generator(options.training.seed);
  std::vector<std::vector<std::string>> rows{{"written without a prompt"}};
  for (Size k = 0; k < kSamples; ++k) {
    std::vector<Size> written;
    sample(model, opening(model, ""), longest, {.temperature = options.temperature}, generator,
           [&](Size token) { written.push_back(token); });
    rows.push_back({decode(written, model.lexicon, model.settings)});
  }
  report.table("Samples at temperature " + fixed(options.temperature, 1), rows);
}

}  // namespace

Report run_report(const TrainedModel& model, const Fitted& fitted, const Texts& valid,
                  const Options& options) {
  Report report("language_modeling: " + model.settings.tokens);
  add_scores(report, model, valid, thread_count(options.training.threads));
  report.training(fitted);
  add_lengths(report, model, valid);
  add_gradients(report, model, valid, options.steps);
  report.layers(model.net);
  report.facts("Settings", model.settings.to_json());
  add_samples(report, model, options);
  return report;
}

}  // namespace tasks
