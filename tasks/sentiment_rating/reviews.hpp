// Reviews from CSV files, and as the numbers that a network reads. The networks are in model.hpp.
#pragma once

#include <string>
#include <vector>

#include "common/csv.hpp"
#include "sentiment_rating/model.hpp"

namespace tasks::sentiment_rating {

struct Reviews {
  std::vector<double> ratings;
  std::vector<std::string> texts;
};

/// The columns Rating and Review. Throws BadInput for what Csv refuses, and "FILE: line 3: Rating
/// is 11; expected 1 to 10".
Reviews read_reviews(const Csv& csv);

/// Moves a tenth of the reviews, drawn at random, to a set of their own; at least one if there are
/// two.
Reviews take_tenth(Reviews& reviews, unroll::Generator& generator);

/// What a model counts or reads in a text: its last words in lower case, and with ngrams = 2 each
/// pair of neighbours too, "not good".
std::vector<std::string> features(const std::string& text, const Settings& settings);

/// The features that occur min_freq times.
Lexicon lexicon_of(const std::vector<std::string>& texts, const Settings& settings, Size min_freq);

/// The numbers of the features: in their order for networks that read, each once for a bag of
/// words. A text without a known feature is one unknown word.
std::vector<std::vector<Size>> encode(const std::vector<std::string>& texts, const Lexicon& lexicon,
                                      const Settings& settings);

}  // namespace tasks::sentiment_rating
