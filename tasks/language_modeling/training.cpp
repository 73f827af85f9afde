// Windows dealt to shares, and states put into checkpoints and taken out again.
#include "language_modeling/training.hpp"

#include "common/padded_batches.hpp"
#include "language_modeling/tokens.hpp"

namespace tasks {

using namespace unroll;

namespace {

std::vector<Size> lengths_of(const std::vector<std::vector<Size>>& texts) {
  std::vector<Size> lengths;
  for (const auto& text : texts) lengths.push_back(static_cast<Size>(text.size()));
  return lengths;
}

/// The texts as one number, so that a checkpoint does not go on with others (FNV-1a).
std::string fingerprint(const Corpus& corpus) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](Size number) {
    hash = (hash ^ static_cast<std::uint64_t>(number)) * 0x100000001b3;
  };
  for (const auto* texts : {&corpus.train, &corpus.valid})
    for (const auto& text : *texts) {
      add(static_cast<Size>(text.size()));
      for (const Size token : text) add(token);
    }
  char hex[20];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
  return hex;
}

}  // namespace

std::unique_ptr<Windows> make_windows(const TrainedModel& model,
                                      const std::vector<std::vector<Size>>& texts, Size batch,
                                      Size steps, Generator* generator) {
  if (model.settings.stories) {
    const std::vector<Size> lengths = lengths_of(texts);
    auto batches = generator ? batches_by_length(lengths, batch, *generator)
                             : batches_by_length(lengths, batch);
    return std::make_unique<StoryWindows>(texts, std::move(batches),
                                          model.lexicon.find(kEndOfStory), steps);
  }
  // Each epoch cuts the text in other places.
  const Size places = std::min<Size>(steps, static_cast<Size>(texts[0].size()) / 8 + 1);
  const Size first = generator ? static_cast<Size>(generator->below(std::uint64_t(places))) : 0;
  return std::make_unique<TextWindows>(texts[0], batch, steps, first);
}

LanguageTraining::LanguageTraining(const TrainedModel& model, const Corpus& corpus,
                                   const Options& options)
    : model_(model), corpus_(corpus), options_(options), workers_(options.threads) {}

Description LanguageTraining::description() const {
  return {.identity = {{"network", model_.settings.to_json()},
                       {"steps", options_.steps},
                       {"text", fingerprint(corpus_)}},
          .model = options_.path,
          .unit = model_.settings.tokens == kCharacters ? kCharacters : kWords};
}

std::vector<BatchSize> LanguageTraining::begin_epoch(Generator& generator) {
  windows_ = make_windows(model_, corpus_.train, options_.batch, options_.steps, &generator);
  states_.assign(static_cast<std::size_t>(options_.threads), {});
  std::vector<BatchSize> sizes;
  for (Size w = 0; w < windows_->count(); ++w)
    sizes.push_back({windows_->rows(w), windows_->tokens(w)});
  return sizes;
}

// The state moves on; on the next tape it is a constant, which is what truncates backpropagation
// through time.
Variable LanguageTraining::loss(Size batch, const Share& share) {
  LanguageModel::State& state = states_[static_cast<std::size_t>(share.index)];
  if (windows_->is_first(batch)) state = {};
  const Window window = windows_->at(batch, share.begin, share.end);
  const auto result = model_.net(window.x, state, window.lengths);
  state = result.states.last();
  return model_.net.loss(result.h, window.y,
                         {.lengths = window.lengths, .reduction = Reduction::sum});
}

Validation LanguageTraining::validate() {
  constexpr Size kBatch = 32, kSteps = 128;
  const auto windows = make_windows(model_, corpus_.valid, kBatch, kSteps);
  const Likelihood all = measure(model_, *windows, workers_).all;
  return {.scores = {{"nats", all.mean()}, {"perplexity", all.perplexity()}}};
}

void LanguageTraining::save(const nlohmann::json& scores) { model_.save(scores, options_.path); }

NamedArrays LanguageTraining::carried() const {
  NamedArrays arrays;
  for (std::size_t share = 0; share < states_.size(); ++share)
    for (std::size_t cell = 0; cell < states_[share].cells.size(); ++cell) {
      const Variables list = states_[share].cells[cell].values();
      for (std::size_t k = 0; k < list.size(); ++k)
        arrays[join(share, ".", cell, ".", k)] = list[k].value();
    }
  return arrays;
}

void LanguageTraining::set_carried(const NamedArrays& arrays) {
  for (std::size_t share = 0; share < states_.size(); ++share)
    for (std::size_t cell = 0; arrays.contains(join(share, ".", cell, ".0")); ++cell) {
      std::vector<Variable> list;
      for (auto found = arrays.end();
           (found = arrays.find(join(share, ".", cell, ".", list.size()))) != arrays.end();)
        list.push_back(found->second);
      states_[share].cells.push_back(std::move(list));
    }
}

}  // namespace tasks
