// Word vectors that others have trained, from text files. The binary form of word2vec is not read.
#pragma once

#include <string>

#include <unroll/autograd/array.hpp>

#include "common/lexicon.hpp"

namespace tasks {

/// A file of GloVe or word2vec in text form: a line for each word, with the numbers of its vector,
/// all parted by single spaces. The first line may instead be word2vec's: how many words, and how
/// many numbers each.
///
///     film 0.1802 -0.0921 0.2271 ...
class WordVectors {
 public:
  /// Reads the first line. Throws BadInput for a file that is missing, empty, or begins otherwise.
  explicit WordVectors(const std::string& file);

  /// Numbers of a vector.
  Size size() const { return size_; }
  /// Copies the vectors of the words of a lexicon into the rows of W, float32 (V, size()), the
  /// first where one is there twice; other rows stay. Returns how many were found. Throws BadInput
  /// 'FILE: line 7: 'the 0.1'; expected a word and 50 numbers', and if none was found.
  Size copy_into(unroll::Array& W, const Lexicon& lexicon) const;

 private:
  std::string file_;
  bool header_ = false;
  Size size_ = 0;
};

}  // namespace tasks
