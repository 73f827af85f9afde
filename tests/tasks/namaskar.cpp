// The program namaskar: what it predicts, that it cannot do without memory, and what it refuses.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

#include "program.hpp"

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Json = nlohmann::ordered_json;

Json learned(Words arguments) {
  arguments.push_back("--json");
  const Ran ran = run("namaskar", arguments);
  BOOST_TEST_INFO(ran.err);
  BOOST_TEST(ran.code == 0);
  return Json::parse(ran.out);
}

// The words after it of the last line that starts with this label.
Words line_of(const std::string& text, const std::string& label) {
  std::istringstream lines(text.substr(text.rfind("\n  " + label) + 3 + label.size()));
  std::string line, word;
  std::getline(lines, line);
  Words words;
  for (std::istringstream in(line); in >> word;) words.push_back(word);
  return words;
}

// The lines of the table under the line that starts with this title.
std::string part_of(const std::string& text, const std::string& title) {
  const std::size_t start = text.find("\n\n", text.find(title)) + 2;
  return text.substr(start, text.find("\n\n", start) + 1 - start);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(namaskar)

BOOST_AUTO_TEST_CASE(says_r_after_namaska) {
  const Json json = learned({});
  Words keys;
  for (const auto& item : json.items()) keys.push_back(item.key());
  BOOST_TEST(keys == (Words{"word", "prefix", "prediction", "probability", "loss", "epochs"}),
             boost::test_tools::per_element());
  BOOST_TEST(json["word"] == "namaskar");
  BOOST_TEST(json["prefix"] == "namaska");
  BOOST_TEST(json["prediction"] == "r");
  BOOST_TEST(json["probability"].get<double>() > 0.9);
  BOOST_TEST(json["loss"].get<double>() < 0.1);
}

BOOST_AUTO_TEST_CASE(any_cell_order_and_aggregate_learns_it) {
  for (const Words& arguments :
       {Words{"--cell", "lstm"}, Words{"--cell", "gru"}, Words{"--order", "2"},
        Words{"--order", "3"}, Words{"--aggregate", "mean", "--epochs", "2000"}}) {
    BOOST_TEST_CONTEXT(arguments[0] << " " << arguments[1]) {
      const Json json = learned(arguments);
      BOOST_TEST(json["prediction"] == "r");
      BOOST_TEST(json["probability"].get<double>() > 0.9);
    }
  }
}

// Three of seven steps read an a and cannot tell m, s and r apart: no network without memory gets
// below 3 ln 3 / 7 nats per letter.
BOOST_AUTO_TEST_CASE(without_memory_it_cannot_know) {
  const Json json = learned({"--cell", "none", "--epochs", "2000"});
  const double least = 3 * std::log(3.0) / 7;
  BOOST_TEST(json["loss"].get<double>() > least - 1e-6);
  BOOST_TEST(json["loss"].get<double>() < least + 0.05);
  BOOST_TEST(json["probability"].get<double>() < 0.5);
}

BOOST_AUTO_TEST_CASE(shares_of_the_steps_add_up_to_the_tapes_gradient) {
  for (const std::string cell : {"elman", "lstm", "gru", "none"}) {
    const Ran ran = run("namaskar", {"--cell", cell, "--epochs", "3"});
    BOOST_TEST(ran.code == 0);
    BOOST_TEST(line_of(ran.out, "sum of the steps") == line_of(ran.out, "tape's own"),
               boost::test_tools::per_element());
    const Words differences = line_of(ran.out, "largest difference");
    BOOST_TEST(!differences.empty());
    for (const std::string& difference : differences) BOOST_TEST(std::stod(difference) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(the_loss_of_every_epoch_is_printed) {
  const Words arguments{"--epochs", "34"};
  const std::string out = run("namaskar", arguments).out;
  std::istringstream words(part_of(out, "Loss in nats per letter"));
  std::vector<double> losses;
  std::string line;
  for (int lines = 0; std::getline(words, line); ++lines) {
    std::istringstream in(line);
    double number;
    BOOST_TEST(bool(in >> number));
    BOOST_TEST(number == 10 * lines + 1);  // the first epoch of the line
    while (in >> number) losses.push_back(number);
  }
  BOOST_REQUIRE(losses.size() == 34u);
  for (std::size_t epochs : {1, 10, 34}) {
    const Json json = learned({"--epochs", std::to_string(epochs)});
    BOOST_TEST(std::abs(losses[epochs - 1] - json["loss"].get<double>()) < 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(the_table_of_probabilities) {
  const Words arguments{};
  const std::string out = run("namaskar", arguments).out;
  std::istringstream lines(part_of(out, "Probability of each next letter"));
  std::string line, word, head;
  std::getline(lines, line);
  for (std::istringstream in(line); in >> word;) head += word;
  BOOST_TEST(head == "afternextnamskr");
  std::string letters;  // the next ones
  while (std::getline(lines, line)) {
    std::istringstream in(line);
    std::string after, next, cell;
    in >> after >> next;
    BOOST_TEST(after == std::string("namaskar").substr(0, letters.size() + 1));
    letters += next;
    double sum = 0, most = 0, starred = 0;
    for (std::string alphabet = "namskr"; in >> cell; alphabet.erase(0, 1)) {
      const double probability = std::stod(cell);
      sum += probability;
      most = std::max(most, probability);
      if (!cell.ends_with('*')) continue;
      starred = probability;
      BOOST_TEST(alphabet.substr(0, 1) == next);  // it has learned the word
    }
    BOOST_TEST(std::abs(sum - 1) < 0.004);
    BOOST_TEST((starred == most && starred > 0.9));
  }
  BOOST_TEST(letters == "amaskar");
}

BOOST_AUTO_TEST_CASE(any_word_in_any_script) {
  BOOST_TEST(learned({"--word", "karma"})["prediction"] == "a");
  const Json json = learned({"--word", "\u0928\u092e\u0938\u094d\u0915\u093e\u0930"});
  BOOST_TEST(json["prediction"] == "\u0930");
  BOOST_TEST(learned({"--word", "aa"})["prediction"] == "a");
  BOOST_TEST(run("namaskar", {"--word", "the quick brown fox jumps", "--epochs", "5"}).code == 0);
}

BOOST_AUTO_TEST_CASE(runs_repeat_byte_for_byte) {
  BOOST_TEST(run("namaskar", {}).out == run("namaskar", {}).out);
  BOOST_TEST(run("namaskar", {"--seed", "2"}).out != run("namaskar", {}).out);
}

// Without Graphviz there is the text of the graph, and a sentence that says so.
BOOST_AUTO_TEST_CASE(draws_the_unrolled_network_as_text_without_graphviz) {
  const Folder folder, nothing;
  const Words arguments{"--epochs", "2", "--graph", folder / "unrolled.svg"};
  const std::string sentence = "Graphviz is not installed (apt-get install graphviz), so the graph "
                               "is in " +
                               folder / "unrolled.dot" + " as text\n";
  const Ran ran = run("namaskar", arguments, nothing.path);
  BOOST_TEST(ran.code == 0);
  BOOST_TEST(ran.out.find(sentence) != std::string::npos);
  const std::string drawing = content_of(folder / "unrolled.dot");
  BOOST_TEST(drawing.starts_with("digraph"));
  BOOST_TEST(drawing.find("W_hh") != std::string::npos);
  BOOST_TEST(std::distance(fs::directory_iterator(folder.path), {}) == 1);  // and nothing else

  const Ran quiet = run("namaskar", {"--json", "--graph", folder / "unrolled.svg"}, nothing.path);
  BOOST_TEST(quiet.err == sentence);
  BOOST_TEST(Json::parse(quiet.out)["prediction"] == "r");
}

BOOST_AUTO_TEST_CASE(draws_the_unrolled_network_through_graphviz) {
  const Folder folder, programs;
  const std::string dot = programs.file("dot", "#!/bin/sh\necho \"drawn by dot $1\" > \"$3\"\n");
  fs::permissions(dot, fs::perms::owner_all);
  const Ran ran =
      run("namaskar", {"--epochs", "2", "--graph", folder / "unrolled.svg"}, programs.path);
  BOOST_TEST(ran.code == 0);
  BOOST_TEST(ran.out.find("drawn in " + folder / "unrolled.svg" + "\n") != std::string::npos);
  BOOST_TEST(content_of(folder / "unrolled.svg") == "drawn by dot -Tsvg\n");
  BOOST_TEST(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

BOOST_AUTO_TEST_CASE(a_drawing_that_fails_leaves_the_old_one) {
  const Folder folder, programs;
  const std::string dot = programs.file("dot", "#!/bin/sh\nexit 3\n");
  fs::permissions(dot, fs::perms::owner_all);
  const std::string old = folder.file("unrolled.svg", "old");
  const Ran ran = run("namaskar", {"--epochs", "2", "--graph", old}, programs.path);
  BOOST_TEST(ran.refused());
  BOOST_TEST(content_of(old) == "old");
  BOOST_TEST(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

BOOST_AUTO_TEST_CASE(bad_input_is_refused_in_one_line) {
  const Folder folder;
  const std::string kept = folder.file("kept.txt", "mine");
  for (const Words& arguments : {Words{"--word", "n"},
                                 Words{"--word", ""},
                                 Words{"--word", "na\xFFm"},
                                 Words{"--cell", "rnn"},
                                 Words{"--aggregate", "max"},
                                 Words{"--epochs", "0"},
                                 Words{"--epochs", "many"},
                                 Words{"--hidden", "0"},
                                 Words{"--order", "0"},
                                 Words{"--learning-rate", "-1"},
                                 Words{"--no-such-option"},
                                 Words{"extra"},
                                 Words{"--graph", kept},
                                 Words{"--graph", folder / "no/such/folder.svg"},
                                 Words{"--graph", folder.path},
                                 Words{"--seed", "-1"},
                                 Words{"--seed", "1.5"},
                                 Words{"--cell", "lstm", "--order", "2"},
                                 Words{"--cell", "gru", "--order", "1"},
                                 Words{"--cell", "none", "--order", "2"}}) {
    BOOST_TEST_CONTEXT(arguments.back()) {
      const Ran ran = run("namaskar", arguments);
      BOOST_TEST_INFO(ran.code << " " << ran.out << " " << ran.err);
      BOOST_TEST(ran.refused());
      BOOST_TEST(ran.err.starts_with("namaskar: "));
    }
  }
  BOOST_TEST(content_of(kept) == "mine");
}

BOOST_AUTO_TEST_CASE(numbers_that_are_none_are_refused) {
  for (const char* number : {"nan", "-nan", "inf", "-1", "1e99"}) {
    const Ran ran = run("namaskar", {"--learning-rate", number});
    BOOST_TEST_CONTEXT(number) {
      BOOST_TEST(ran.code == 2);
      BOOST_TEST(ran.out.empty());
      BOOST_TEST(ran.err.find("not in range 1e-09 to 1000") != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(help_has_examples) {
  const Ran ran = run("namaskar", {"--help"});
  BOOST_TEST(ran.code == 0);
  BOOST_TEST(ran.out.find("Examples:") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
