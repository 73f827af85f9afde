// What is learned and what shows how well, as token numbers with their lexicon. How a text is cut
// into tokens is in tokens.hpp.
#pragma once

#include "language_modeling/options.hpp"
#include "language_modeling/tokens.hpp"
#include "language_modeling/training.hpp"

namespace tasks {

struct Data {
  Settings settings;  ///< the user's, and whether there are stories
  Lexicon lexicon;
  Corpus corpus;
};

/// The files that `train` names; without --valid the last tenth is held out, of the stories or of
/// the one text. Throws BadInput for what cannot be read, or is too short to learn from.
Data read_data(const Options& options);

/// Texts that this model was made for: stories, or one running text. Throws BadInput otherwise.
Documents read_for(const TrainedModel& model, const Options& options);

/// "character" or "word".
std::string unit_of(const Settings& settings);

}  // namespace tasks
