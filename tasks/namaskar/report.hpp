// What namaskar shows of a trained network, as aligned text for a terminal.
// The numbers are made in namaskar.cpp.
#pragma once

#include <string>
#include <vector>

#include <unroll/autograd/array.hpp>

#include "common/lexicon.hpp"

namespace tasks {

/// The gradients of one epoch: what each time step adds to each weight.
struct GradientReport {
  Size epoch = 0;
  std::vector<std::string> weights;
  std::vector<std::vector<double>> norms;     ///< [step][weight]
  std::vector<double> sum, tape, difference;  ///< [weight]: norms, and the largest difference
};

/// Loss by epoch as a bar chart: epochs 1, 2, 5, 10, 20, ... and the last.
std::string losses_text(const std::vector<double>& losses, Size letters);

/// probabilities (T, V): row t is what the network expects after letter t of the word.
std::string expectations_text(const std::u32string& word, const Lexicon& lexicon,
                              const unroll::Array& probabilities);

std::string gradients_text(const std::u32string& word, const GradientReport& report);

}  // namespace tasks
