// Texts drawn from a network, token by token. How they are printed is in language_modeling.cpp.
#pragma once

#include <functional>

#include "language_modeling/model.hpp"

namespace tasks {

/// What is read before the first token is drawn: the prompt, in a story after its start. Without a
/// prompt a running text begins as after the end of a line, if it has lines. Throws BadInput for a
/// prompt that the model cannot read.
std::vector<Size> opening(const TrainedModel& model, const std::string& prompt);

/// Draws up to `most` tokens and calls write(token) for each, until a story ends. Padding and
/// unknown words are never drawn.
void sample(const TrainedModel& model, const std::vector<Size>& read, Size most,
            const unroll::CategoricalOptions& options, unroll::Generator& generator,
            const std::function<void(Size)>& write);

}  // namespace tasks
