// The examples of every --help and of tasks/README.md, run in their order in one folder, where
// files of their names hold the built-in rows. What they print is the business of other tests.
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <sstream>

#include "common/embedded.hpp"
#include "common/paths.hpp"
#include "program.hpp"

namespace {

using Words = std::vector<std::string>;

const Words kPrograms{"language_modeling", "namaskar", "pos_tagging", "sentiment_rating"};

/// A line that a person would paste: it begins with a program's name.
bool is_example(const std::string& line) {
  for (const std::string& program : kPrograms)
    if (line.starts_with(program + " ") || line == program) return true;
  return false;
}

/// Lines behind the margin; what is read from `$DATA` or made by other programs is not here.
Words examples_of(const std::string& text, const std::string& margin) {
  Words list;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(margin) || !is_example(line.substr(margin.size()))) continue;
    if (line.find("$DATA") == line.npos && line.find("theirs") == line.npos)
      list.push_back(line.substr(margin.size()));
  }
  return list;
}

struct Place : Folder {
  Place() {
    for (const auto& [name, built_in] : {std::pair{"reviews.csv", "reviews_train.csv"},
                                         {"other_reviews.csv", "reviews_test.csv"},
                                         {"tagged.csv", "pos_tagging_train.csv"},
                                         {"other_tagged.csv", "pos_tagging_test.csv"},
                                         {"sentences.csv", "pos_tagging_test.csv"},
                                         {"stories.csv", "stories_train.csv"},
                                         {"other_stories.csv", "stories_test.csv"},
                                         {"book.txt", "harbour_year.txt"}})
      file(name, std::string(tasks::embedded(built_in)));
    file("other_book.txt", content_of(*this / "book.txt").substr(0, 2000));
  }

  /// By a shell, as a person does; a training is of one epoch.
  void run(std::string line) const {
    const std::string program = line.substr(0, line.find(' '));
    if (line.starts_with(program + " train")) line.insert(program.size() + 6, " --epochs 1");
    const std::string command = "(cd '" + path.string() + "' && PATH='" +
                                (build_dir() / "tasks").string() + "':\"$PATH\" && " + line +
                                "\n) > '" + *this / "out" + "' 2> '" + *this / "err" + "'";
    const int status = std::system(command.c_str());
    BOOST_TEST(status == 0, line << ": " << content_of(*this / "err"));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(examples)

BOOST_AUTO_TEST_CASE(of_help) {
  for (const std::string& program : kPrograms) {
    const Ran help = run(program, {"--help"});
    const std::size_t at = help.out.find("Examples:\n");
    BOOST_REQUIRE(at != help.out.npos);
    const Words lines = examples_of(help.out.substr(at), "  ");
    BOOST_TEST(lines.size() >= 4u);
    const Place place;
    for (const std::string& line : lines) place.run(line);
  }
}

BOOST_AUTO_TEST_CASE(of_the_readme) {
  const Words lines =
      examples_of(content_of(tests_dir().parent_path() / "tasks/README.md"), "    ");
  BOOST_TEST(lines.size() >= 30u);
  const Place place;
  for (const std::string& line : lines) place.run(line);
}

BOOST_AUTO_TEST_SUITE_END()
