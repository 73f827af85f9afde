// The data of namaskar: a word as a sequence of letters, and what follows what.
// What is learned from it is in namaskar.cpp.
#pragma once

#include <string>

#include <unroll/autograd/array.hpp>

#include "common/lexicon.hpp"

namespace tasks {

struct Word {
  /// Throws BadInput for what is not UTF-8, or has no next letter.
  explicit Word(const std::string& text);

  std::u32string letters;
  Lexicon lexicon;
  unroll::Array x, y;  ///< letters read, one-hot (T, 1, V), and the next ones (T, 1)

  Size steps() const { return y.size(0); }
  /// The first t letters.
  std::string prefix(Size t) const;
  /// How many different letters follow the one read last.
  Size followers_of_last() const;
};

}  // namespace tasks
