// The texts that namaskar prints, made of numbers. None of them is computed here.
#include "namaskar/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/progress.hpp"
#include "common/table.hpp"
#include "common/text.hpp"

namespace tasks {
namespace {

using Row = std::vector<std::string>;

std::string shown(const std::string& token) { return visible(decode_utf8(token, "letter")[0]); }

Row labelled(const std::string& label, const std::vector<double>& numbers, const char* format) {
  Row row{label, ""};
  for (double number : numbers) {
    char text[32];
    std::snprintf(text, sizeof text, format, number);
    row.push_back(text);
  }
  return row;
}

}  // namespace

std::string losses_text(const std::vector<double>& losses, Size letters) {
  constexpr std::size_t kInLine = 10;
  std::string text =
      unroll::join("Loss in nats per letter, ", kInLine, " epochs a line; blind guessing costs ",
                   fixed(std::log(static_cast<double>(letters)), 4), "\n\n");
  for (std::size_t k = 0; k < losses.size(); ++k) {
    if (k % kInLine == 0) text += pad_left(std::to_string(k + 1), 6) + " ";
    text += pad_left(fixed(losses[k], 4), 7);
    if ((k + 1) % kInLine == 0 || k + 1 == losses.size()) text += "\n";
  }
  return text;
}

std::string expectations_text(const Word& word, const unroll::Array& probabilities) {
  constexpr Size kColumns = 12;  // with more letters than fit a terminal, only the two that matter
  const Size letters = word.lexicon.size();
  const bool all = letters <= kColumns;
  Table table(2);
  Row head{"after", "next"};
  if (all) {
    for (const std::string& token : word.lexicon.tokens()) head.push_back(shown(token) + " ");
  } else {
    head.insert(head.end(), {"p(next)", "says", "p(says)"});
  }
  table.row(head);
  for (Size t = 0; t < probabilities.size(0); ++t) {
    const auto row = probabilities[t].to_vector<double>();
    const std::string next = encode_utf8(word.letters[static_cast<std::size_t>(t) + 1]);
    const Size says = std::max_element(row.begin(), row.end()) - row.begin();
    Row cells{word.prefix(t + 1), shown(next)};
    if (all) {
      for (Size v = 0; v < letters; ++v)
        cells.push_back(fixed(row[v], 3) + (v == says ? "*" : " "));
    } else {
      cells.insert(cells.end(), {fixed(row[word.lexicon.find(next)], 3), shown(word.lexicon[says]),
                                 fixed(row[says], 3)});
    }
    table.row(cells);
  }
  return "Probability of each next letter; * marks what it would say\n\n" + table.text();
}

std::string gradients_text(const Word& word, const GradientReport& report) {
  Table table(2);
  Row head{"step", "reads"};
  head.insert(head.end(), report.weights.begin(), report.weights.end());
  table.row(head);
  for (std::size_t t = 0; t < report.norms.size(); ++t) {
    Row row = labelled(std::to_string(t + 1), report.norms[t], "%.6f");
    row[1] = visible(word.letters[t]);
    table.row(row);
  }
  table.rule();
  table.row(labelled("sum of the steps", report.sum, "%.6f"));
  table.row(labelled("tape's own", report.tape, "%.6f"));
  table.row(labelled("largest difference", report.difference, "%.1e"));
  return "Norm of dL/dW at each unrolled step, in epoch " + std::to_string(report.epoch) + "\n\n" +
         table.text();
}

std::string answer_text(const Word& word, Size says, double probability, bool has_memory) {
  std::string text =
      unroll::join("after \"", word.prefix(word.steps()), "\" it says \"", word.lexicon[says],
                   "\" with probability ", fixed(probability, 3));
  const Size followers = word.followers_of_last();
  const char32_t last = word.letters[word.letters.size() - 2];
  if (!has_memory && followers > 1)
    text += unroll::join(";\nit sees only the ", visible(last), ", and ", followers,
                         " different letters follow one in this word");
  return text;
}

}  // namespace tasks
