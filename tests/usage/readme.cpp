// README.md holds to what is compiled: its gradient example stands here with the numbers that it
// shows, its cell in tests/consumer/main.cpp.
#include <boost/test/unit_test.hpp>

#include <regex>
#include <set>

#include <unroll/unroll.hpp>

#include "../common/paths.hpp"

using namespace unroll;

namespace {

/// Without its comment and the blanks around it.
std::string code_of(std::string line) {
  line = line.substr(0, line.find("//"));
  line.erase(0, std::min(line.find_first_not_of(' '), line.size()));
  return line.erase(line.find_last_not_of(' ') + 1);
}

std::vector<std::string> readme() { return lines_of(tests_dir().parent_path() / "README.md"); }

/// The lines of README.md from the one that starts so to the next one that is `end`.
std::vector<std::string> part_of_readme(const std::string& start, const std::string& end) {
  std::vector<std::string> part;
  for (const std::string& line : readme()) {
    if (part.empty() && !line.starts_with(start)) continue;
    part.push_back(line);
    if (line == end) return part;
  }
  BOOST_FAIL("README.md has no part from " << start << " to " << end);
  return part;
}

void all_stand_in(const std::vector<std::string>& part, const std::filesystem::path& file) {
  std::set<std::string> lines;
  for (const std::string& line : lines_of(file)) lines.insert(code_of(line));
  for (const std::string& line : part)
    BOOST_TEST(lines.contains(code_of(line)), file.filename() << " lacks: " << line);
}

/// The numbers that the comment of a line of README.md shows.
std::vector<double> shown_beside(const std::string& code) {
  for (const std::string& line : readme()) {
    const std::size_t comment = line.find("//");
    if (comment == line.npos || code_of(line) != code) continue;
    static const std::regex number(R"(-?[0-9]+\.[0-9]+)");
    std::vector<double> numbers;
    const std::string text = line.substr(comment);
    for (std::sregex_iterator k(text.begin(), text.end(), number), end; k != end; ++k)
      numbers.push_back(std::stod(k->str()));
    return numbers;
  }
  BOOST_FAIL("README.md lacks: " << code);
  return {};
}

void are(const Array& computed, const std::vector<double>& shown) {
  const std::vector<double> numbers = computed.to_vector<double>();
  BOOST_REQUIRE(numbers.size() == shown.size());
  constexpr double kHalfAUnit = 6e-7;  // of the last digit that is shown
  for (std::size_t k = 0; k < shown.size(); ++k)
    BOOST_TEST(std::abs(numbers[k] - shown[k]) < kHalfAUnit);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(readme_examples)

BOOST_AUTO_TEST_CASE(gradient) {
  Parameter W("W", values({{1, 2}, {3, 4}}));
  Variable x = values({1, -1});
  Tape tape;
  auto y = tanh(linear(x, W));
  tape.backward(sum(y));
  W.grad();
  are(y.value(), shown_beside("auto y = tanh(linear(x, W));"));
  are(W.grad().value(), shown_beside("W.grad();"));
  std::vector<std::string> code = part_of_readme("int main() {", "}");
  code.erase(code.begin());
  all_stand_in(code, tests_dir() / "usage/readme.cpp");
}

BOOST_AUTO_TEST_CASE(cell) {
  all_stand_in(part_of_readme("struct MinimalGatedUnit", "};"), tests_dir() / "consumer/main.cpp");
}

BOOST_AUTO_TEST_SUITE_END()
