// The loop from a distribution to a token to the next distribution.
#include "language_modeling/sampling.hpp"

#include <algorithm>
#include <limits>

#include "common/text.hpp"
#include "language_modeling/tokens.hpp"

namespace tasks {

using namespace unroll;

namespace {

/// 0 for what may be drawn, else -inf.
Variable allowed(const TrainedModel& model) {
  Array mask = zeros({model.lexicon.size()});
  if (model.settings.tokens != kCharacters)
    for (const Size number : {Lexicon::kPadding, Lexicon::kUnknown})
      mask.mutable_data<float>()[number] = -std::numeric_limits<float>::infinity();
  return mask;
}

}  // namespace

std::vector<Size> opening(const TrainedModel& model, const std::string& prompt) {
  decode_utf8(prompt, "the prompt");
  std::vector<Size> read = encode(prompt, model.lexicon, model.settings, "the prompt");
  if (model.settings.stories) {
    read.insert(read.begin(), model.lexicon.find(kEndOfStory));
  } else if (read.empty()) {
    const bool characters = model.settings.tokens == kCharacters;
    const Size end = model.lexicon.find(characters ? "\n" : kEndOfLine);
    // The first character, or the most frequent word.
    const Size other = characters ? 0 : std::min(Lexicon::kUnknown + 1, model.lexicon.size() - 1);
    read.push_back(end >= 0 ? end : other);
  }
  return read;
}

void sample(const TrainedModel& model, const std::vector<Size>& read, Size most,
            const CategoricalOptions& options, Generator& generator,
            const std::function<void(Size)>& write) {
  const Size end = model.settings.stories ? model.lexicon.find(kEndOfStory) : -1;
  const Variable mask = allowed(model);
  Memos memos;
  auto result = model.net(values(read, {static_cast<Size>(read.size()), 1}), {});
  for (Size t = 0; t < most; ++t) {
    const Variable token = categorical(model.net.logits(result.h[-1]) + mask, generator, options);
    const Size number = token.value().to_vector<Size>()[0];
    if (number == end) return;
    write(number);
    result = model.net(reshape(token, {1, 1}), result.states.last());
  }
}

}  // namespace tasks
