// The ending of a story beside the endings of others: which does the network find likelier? How
// likely a text is is measured in measuring.hpp.
#pragma once

#include "language_modeling/measuring.hpp"

namespace tasks {

/// A story cut before its last sentence.
struct Ending {
  std::string context, ending;
};

/// Of the stories that have two sentences or more.
std::vector<Ending> cut_endings(const std::vector<std::string>& stories);

/// How often the given ending was preferred to another one, by three measures of an ending e after
/// a context c; ties count half.
struct EndingScores {
  Size comparisons = 0;
  double likelihood = 0;          ///< log p(e | c)
  double mean_likelihood = 0;     ///< the same a token
  double mutual_information = 0;  ///< log p(e | c) - log p(e): not for endings that fit anywhere
};

/// Compares each ending with `count` of other stories, drawn at random. Throws BadInput unless
/// there are two different endings at least.
EndingScores score_endings(const TrainedModel& model, const std::vector<Ending>& stories,
                           Size count, unroll::Generator& generator, Workers& workers,
                           const std::string& name);

}  // namespace tasks
