// What namaskar shows of a trained network, as aligned text for a terminal.
// The numbers are made in namaskar.cpp.
#pragma once

#include <string>
#include <vector>

#include "namaskar/word.hpp"

namespace tasks {

/// The gradients of one epoch: what each time step adds to each weight.
struct GradientReport {
  Size epoch = 0;
  std::vector<std::string> weights;
  std::vector<std::vector<double>> norms;     ///< [step][weight]
  std::vector<double> sum, tape, difference;  ///< [weight]: norms, and the largest difference
};

/// The loss of every epoch, several a line, each line led by the number of its first epoch.
std::string losses_text(const std::vector<double>& losses, Size letters);

/// probabilities (T, V): row t is what the network expects after letter t of the word.
std::string expectations_text(const Word& word, const unroll::Array& probabilities);

std::string gradients_text(const Word& word, const GradientReport& report);

/// What it says after all letters but the last, and whether it can know.
std::string answer_text(const Word& word, Size says, double probability, bool has_memory);

}  // namespace tasks
