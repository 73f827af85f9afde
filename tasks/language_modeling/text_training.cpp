// Windows dealt to shares, and states put into checkpoints and taken out again.
#include "language_modeling/text_training.hpp"

namespace tasks {

using namespace unroll;

Likelihood measure(const LanguageModel& net, const TextWindows& windows, Workers& workers) {
  std::vector<Likelihood> parts(static_cast<std::size_t>(workers.count()));
  workers.run([&](int k) {
    const Size from = windows.batch() * k / workers.count();
    const Size to = windows.batch() * (k + 1) / workers.count();
    LanguageModel::State state;
    for (Size w = 0; from < to && w < windows.count(); ++w) {
      const auto window = windows.at(w, from, to);
      const auto result = net(window.x, state);
      state = result.state;
      parts[static_cast<std::size_t>(k)].add(
          cross_entropy(result.logits, window.y, {.reduction = Reduction::sum}).item(),
          window.y.size());
    }
  });
  Likelihood all;
  for (const Likelihood& part : parts) all.add(part.nats, part.tokens);
  return all;
}

TextTraining::TextTraining(const TrainedModel& model, const Texts& texts, const Settings& settings)
    : model_(model), texts_(texts), settings_(settings), workers_(settings.threads) {}

Description TextTraining::description() const {
  return {.identity = {{"settings", model_.settings.to_json()},
                       {"steps", settings_.steps},
                       {"text", {texts_.train.size(), texts_.valid.size(), model_.lexicon.size()}}},
          .model = settings_.path,
          .unit = "characters"};
}

// Each epoch cuts the text in other places.
std::vector<BatchSize> TextTraining::begin_epoch(Generator& generator) {
  const Size places =
      std::min<Size>(settings_.steps, static_cast<Size>(texts_.train.size()) / 8 + 1);
  const Size first = static_cast<Size>(generator.below(static_cast<std::uint64_t>(places)));
  windows_.emplace(texts_.train, settings_.batch, settings_.steps, first);
  states_.assign(static_cast<std::size_t>(settings_.threads), {});
  std::vector<BatchSize> sizes;
  for (Size w = 0; w < windows_->count(); ++w)
    sizes.push_back({windows_->batch(), windows_->characters_in(w)});
  return sizes;
}

// The state moves on; on the next tape it is a constant, which is what truncates backpropagation
// through time.
Variable TextTraining::loss(Size batch, const Share& share) {
  const auto window = windows_->at(batch, share.begin, share.end);
  LanguageModel::State& state = states_[static_cast<std::size_t>(share.index)];
  const auto result = model_.net(window.x, state);
  state = result.state;
  return cross_entropy(result.logits, window.y, {.reduction = Reduction::sum});
}

Validation TextTraining::validate() {
  constexpr Size kStreams = 32, kSteps = 128;
  const Likelihood likelihood =
      measure(model_.net, TextWindows(texts_.valid, kStreams, kSteps), workers_);
  return {.scores = {{"nats", likelihood.mean()}}};
}

void TextTraining::save(const nlohmann::json& scores) { model_.save(scores, settings_.path); }

NamedArrays TextTraining::carried() const {
  NamedArrays arrays;
  for (std::size_t share = 0; share < states_.size(); ++share)
    for (std::size_t cell = 0; cell < states_[share].cells.size(); ++cell) {
      const Variables list = states_[share].cells[cell].values();
      for (std::size_t k = 0; k < list.size(); ++k)
        arrays[join(share, ".", cell, ".", k)] = list[k].value();
    }
  return arrays;
}

void TextTraining::set_carried(const NamedArrays& arrays) {
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
