// Every context with its own ending and with others, as stories of their own.
#include "language_modeling/endings.hpp"

#include <algorithm>
#include <numeric>

#include "common/bad_input.hpp"
#include "common/words.hpp"
#include "language_modeling/tokens.hpp"

namespace tasks {
namespace {

using Tokens = std::vector<Size>;

/// Minus log p of the tokens from `first` on.
double nats_from(const std::vector<double>& nats, std::size_t first) {
  return std::accumulate(nats.begin() + static_cast<std::ptrdiff_t>(first), nats.end(), 0.0);
}

/// 1 if the given one has fewer nats.
double preferred(double given, double other) {
  return given < other ? 1 : given == other ? 0.5 : 0;
}

/// What is compared: story s with its own ending, then with each of the others.
struct Candidates {
  std::vector<Tokens> contexts, endings;
  std::vector<std::vector<Size>> others;  // endings of other stories, by number

  std::vector<Tokens> joined() const {
    std::vector<Tokens> all;
    const auto add = [&](const Tokens& context, const Tokens& ending) {
      all.push_back(context);
      all.back().insert(all.back().end(), ending.begin(), ending.end());
    };
    for (std::size_t s = 0; s < contexts.size(); ++s) {
      add(contexts[s], endings[s]);
      for (const Size other : others[s]) add(contexts[s], endings[other]);
    }
    return all;
  }
};

Candidates candidates(const TrainedModel& model, const std::vector<Ending>& stories, Size count,
                      unroll::Generator& generator, const std::string& name) {
  Candidates c;
  for (const auto& [context, ending] : stories) {
    // Characters are joined as they were in the story.
    const std::string space = model.settings.tokens == kCharacters ? " " : "";
    c.contexts.push_back(encode(context, model.lexicon, model.settings, name));
    c.endings.push_back(encode(space + ending, model.lexicon, model.settings, name));
  }
  for (std::size_t s = 0; s < stories.size(); ++s) {
    c.others.emplace_back();
    while (static_cast<Size>(c.others[s].size()) < count) {
      const auto other = static_cast<Size>(generator.below(stories.size()));
      if (stories[other].ending != stories[s].ending) c.others[s].push_back(other);
    }
  }
  return c;
}

}  // namespace

std::vector<Ending> cut_endings(const std::vector<std::string>& stories) {
  std::vector<Ending> cut;
  for (const std::string& story : stories) {
    const std::vector<std::string> parts = sentences(story);
    if (parts.size() < 2) continue;
    std::string context = parts[0];
    for (std::size_t k = 1; k + 1 < parts.size(); ++k) context += ' ' + parts[k];
    cut.push_back({context, parts.back()});
  }
  return cut;
}

EndingScores score_endings(const TrainedModel& model, const std::vector<Ending>& stories,
                           Size count, unroll::Generator& generator, Workers& workers,
                           const std::string& name) {
  const bool differ = std::any_of(stories.begin(), stories.end(), [&](const Ending& story) {
    return story.ending != stories[0].ending;
  });
  if (!differ) bad_input(name, ": has no two stories with different endings to compare");
  const Candidates c = candidates(model, stories, count, generator, name);
  const auto joined = nats_of_tokens(model, c.joined(), workers);
  const auto alone = nats_of_tokens(model, c.endings, workers);
  EndingScores scores;
  std::size_t next = 0;
  for (std::size_t s = 0; s < stories.size(); ++s) {
    const std::size_t first = c.contexts[s].size();
    const auto tokens = [](const std::vector<double>& nats, std::size_t from) {
      return static_cast<double>(nats.size() - from);
    };
    const std::vector<double>& own = joined[next++];
    const double given = nats_from(own, first), given_alone = nats_from(alone[s], 0);
    for (const Size other : c.others[s]) {
      const std::vector<double>& theirs = joined[next++];
      const double random = nats_from(theirs, first);
      scores.likelihood += preferred(given, random);
      scores.mean_likelihood +=
          preferred(given / tokens(own, first), random / tokens(theirs, first));
      scores.mutual_information +=
          preferred(given - given_alone, random - nats_from(alone[other], 0));
      ++scores.comparisons;
    }
  }
  for (double* sum : {&scores.likelihood, &scores.mean_likelihood, &scores.mutual_information})
    *sum /= static_cast<double>(scores.comparisons);
  return scores;
}

}  // namespace tasks
