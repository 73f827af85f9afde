// Columns, words, n-grams and their numbers.
#include "sentiment_rating/reviews.hpp"

#include <algorithm>

#include "common/words.hpp"

namespace tasks::sentiment_rating {

Reviews read_reviews(const Csv& csv) {
  Reviews reviews{csv.numbers("Rating"), csv.column("Review")};
  for (std::size_t row = 0; row < reviews.ratings.size(); ++row)
    if (const double rating = reviews.ratings[row]; rating < 1 || rating > 10)
      csv.refuse(static_cast<Size>(row), "Rating is ", rating, "; expected 1 to 10");
  return reviews;
}

Reviews take_tenth(Reviews& reviews, unroll::Generator& generator) {
  const std::size_t count = reviews.texts.size();
  Reviews taken;
  for (std::size_t n = count < 2 ? 0 : std::max<std::size_t>(1, count / 10); n > 0; --n) {
    const std::size_t row = generator.below(reviews.texts.size());
    std::swap(reviews.ratings[row], reviews.ratings.back());
    std::swap(reviews.texts[row], reviews.texts.back());
    taken.ratings.push_back(reviews.ratings.back());
    taken.texts.push_back(std::move(reviews.texts.back()));
    reviews.ratings.pop_back();
    reviews.texts.pop_back();
  }
  return taken;
}

std::vector<std::string> features(const std::string& text, const Settings& s) {
  std::vector<std::string> list = words(text);
  const auto most = static_cast<std::size_t>(s.max_words);
  if (list.size() > most) list.erase(list.begin(), list.end() - s.max_words);
  const std::size_t count = list.size();
  std::vector<std::string> joined = list;  // n - 1 words from each place
  for (Size n = 2; n <= s.ngrams; ++n)
    for (std::size_t i = 0; i + static_cast<std::size_t>(n) <= count; ++i) {
      joined[i] += ' ' + list[i + static_cast<std::size_t>(n) - 1];
      list.push_back(joined[i]);
    }
  return list;
}

Lexicon lexicon_of(const std::vector<std::string>& texts, const Settings& settings, Size min_freq) {
  std::vector<std::vector<std::string>> lists;
  for (const std::string& text : texts) lists.push_back(features(text, settings));
  return Lexicon::of_words(lists, min_freq);
}

std::vector<std::vector<Size>> encode(const std::vector<std::string>& texts, const Lexicon& lexicon,
                                      const Settings& settings) {
  std::vector<std::vector<Size>> reviews;
  for (const std::string& text : texts) {
    std::vector<Size> numbers = lexicon.encode_words(features(text, settings));
    if (settings.model == "mlp-bow") {
      std::erase(numbers, Lexicon::kUnknown);
      std::sort(numbers.begin(), numbers.end());
      numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    }
    if (numbers.empty()) numbers = {Lexicon::kUnknown};
    reviews.push_back(std::move(numbers));
  }
  return reviews;
}

}  // namespace tasks::sentiment_rating
