// Lines of a word and numbers, read one at a time: these files are larger than memory may be.
#include "common/word_vectors.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include <unroll/autograd/error.hpp>

#include "common/bad_input.hpp"
#include "common/files.hpp"
#include "common/text.hpp"

namespace tasks {
namespace {

/// Without the spaces at its end and the \r of Windows.
std::string_view trimmed(std::string_view line) {
  return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

template <class Number>
bool is_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// Takes the last part of a line, what follows its last space.
std::string_view take_last(std::string_view& line) {
  const std::size_t space = line.find_last_of(" \t");
  if (space == line.npos) return std::exchange(line, {});
  const std::string_view last = line.substr(space + 1);
  line = line.substr(0, space);
  return last;
}

}  // namespace

WordVectors::WordVectors(const std::string& file) : file_(file) {
  std::ifstream in = open_file(file);
  std::string first;
  std::getline(in, first);
  std::string_view line = trimmed(first);
  Size words = 0;
  const auto spaces = std::count(line.begin(), line.end(), ' ');
  std::string_view rest = line;
  header_ = spaces == 1 && is_number(take_last(rest), size_) && is_number(rest, words);
  float number = 0;
  if (!header_)
    for (size_ = 0; is_number(take_last(line), number) && !line.empty();) ++size_;
  if (size_ < 1)
    bad_input(file, ": line 1: '", excerpt(first),
              "'; expected a word and the numbers of its vector");
}

Size WordVectors::copy_into(unroll::Array& W, const Lexicon& lexicon) const {
  std::ifstream in = open_file(file_);
  std::string text;
  if (header_) std::getline(in, text);
  float* rows = W.mutable_data<float>();
  std::vector<bool> found(static_cast<std::size_t>(lexicon.size()));
  std::vector<float> vector(static_cast<std::size_t>(size_));
  Size count = 0;
  for (Size number = header_ ? 2 : 1; std::getline(in, text); ++number) {
    std::string_view line = trimmed(text);
    if (line.empty()) continue;
    // From the end: some words of GloVe hold spaces.
    for (Size k = size_ - 1; k >= 0; --k) {
      float& x = vector[static_cast<std::size_t>(k)];
      if (!is_number(take_last(line), x) || !std::isfinite(x) || line.empty())
        bad_input(file_, ": line ", number, ": '", excerpt(text), "'; expected a word and ", size_,
                  size_ == 1 ? " number" : " numbers");
    }
    const Size row = lexicon.find(std::string(line));
    if (row < 0 || found[static_cast<std::size_t>(row)]) continue;
    found[static_cast<std::size_t>(row)] = true;
    std::copy(vector.begin(), vector.end(), rows + row * size_);
    ++count;
  }
  if (count == 0) bad_input(file_, ": holds none of the words of these texts");
  return count;
}

}  // namespace tasks
