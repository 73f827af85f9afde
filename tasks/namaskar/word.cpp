// A word as one-hot letters and the numbers of the next ones. One without a next letter is refused.
#include "namaskar/word.hpp"

#include <unroll/ops/index.hpp>

#include "common/bad_input.hpp"
#include "common/text.hpp"

namespace tasks {

Word::Word(const std::string& text)
    : letters(decode_utf8(text, "--word")), lexicon(Lexicon::of_characters(letters)) {
  if (letters.size() < 2)
    bad_input("--word '", text, "': has ", letters.size() == 0 ? "no letter" : "one letter",
              "; there is a next letter to learn from two on");
  const std::vector<Size> numbers = lexicon.encode(letters, "--word");
  const Size steps = static_cast<Size>(numbers.size()) - 1;
  const unroll::Array all = unroll::values(numbers, {steps + 1, 1});
  x = unroll::one_hot(all.sliced(0, 0, steps), lexicon.size()).value();
  y = all.sliced(0, 1, steps + 1);
}

std::string Word::prefix(Size t) const {
  return encode_utf8(std::u32string_view(letters).substr(0, static_cast<std::size_t>(t)));
}

Size Word::followers_of_last() const {
  Lexicon followers;
  for (std::size_t t = 0; t + 1 < letters.size(); ++t)
    if (letters[t] == letters[letters.size() - 2]) followers.add(encode_utf8(letters[t + 1]));
  return followers.size();
}

}  // namespace tasks
