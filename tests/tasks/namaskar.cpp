// The program namaskar: what it predicts, that it cannot do without memory, and what it refuses.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

#include "common/cells.hpp"
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

// Options that would be ignored: none of them may be.
BOOST_AUTO_TEST_CASE(the_network_is_the_one_that_was_asked_for) {
  const auto weights = [](const std::string& option, const std::string& value) {
    return line_of(run("namaskar", {"--epochs", "2", option, value}).out, "weights");
  };
  const auto check = [](const Words& found, const Words& expected) {
    BOOST_TEST(found == expected, boost::test_tools::per_element());
  };
  check(weights("--order", "1"),
        {"W_xh", "(12,", "6)", "W_hh", "(12,", "12)", "W_hy", "(6,", "12)"});
  check(weights("--order", "2"), {"W_xh", "(12,", "6)", "W_hh1", "(12,", "12)", "W_hh2", "(12,",
                                  "12)", "W_hy", "(6,", "12)"});
  check(weights("--cell", "none"), {"W_xh", "(12,", "6)", "W_hy", "(6,", "12)"});
  check(weights("--cell", "lstm"),
        {"W", "(48,", "6)", "U", "(48,", "12)", "b", "(48,)", "W_hy", "(6,", "12)"});
  check(weights("--cell", "gru"),
        {"W", "(36,", "6)", "U", "(36,", "12)", "b", "(36,)", "bh", "(36,)", "W_hy", "(6,", "12)"});
}

// The mean over seven steps is a seventh of their sum; no gradient of the first step is clipped.
BOOST_AUTO_TEST_CASE(the_mean_is_a_seventh_of_the_sum) {
  const auto loss = [](const std::string& aggregate, const std::string& rate) {
    return learned({"--epochs", "2", "--aggregate", aggregate, "--learning-rate", rate})["loss"]
        .get<double>();
  };
  BOOST_TEST(loss("mean", "0.7") == loss("sum", "0.1"), boost::test_tools::tolerance(1e-6));
  BOOST_TEST(loss("sum", "0.7") < loss("mean", "0.7") - 0.05);
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
  Words cells = tasks::cell_names();
  cells.push_back("none");
  BOOST_TEST(cells.size() == 14u);
  for (const std::string& cell : cells) {
    const Ran ran = run("namaskar", {"--cell", cell, "--epochs", "3"});
    BOOST_TEST(ran.code == 0, cell << ": " << ran.err);
    const Words sums = line_of(ran.out, "sum of the steps"), tape = line_of(ran.out, "tape's own");
    BOOST_REQUIRE(sums.size() == tape.size());
    for (std::size_t k = 0; k < sums.size(); ++k)  // six digits, the last one rounded up or down
      BOOST_TEST(std::abs(std::stod(sums[k]) - std::stod(tape[k])) < 1.5e-6, cell);
    for (const char* simple : {"elman", "lstm", "gru", "none"})
      if (cell == simple) BOOST_TEST(sums == tape, boost::test_tools::per_element());
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

BOOST_AUTO_TEST_CASE(bad_input_is_refused_word_for_word) {
  const Folder folder;
  const std::string kept = folder.file("kept.txt", "mine"), none = folder / "no/such/folder.svg";
  std::string cells;
  for (const std::string& cell : tasks::cell_names()) cells += cell + ",";
  const std::string help = " (see --help)",
                    drawing = ": the name of a drawing ends in .svg, .png, .pdf or .dot";
  const std::pair<Words, std::string> cases[] = {
      {{"--word", "n"}, "--word 'n': has one letter; there is a next letter to learn from two on"},
      {{"--word", ""}, "--word '': has no letter; there is a next letter to learn from two on"},
      {{"--word", "na\xFFm"}, "--word: not UTF-8 at byte 2 (0xFF)"},
      {{"--cell", "rnn"}, "--cell: rnn not in {" + cells + "none}" + help},
      {{"--aggregate", "max"}, "--aggregate: max not in {sum,mean}" + help},
      {{"--epochs", "0"}, "--epochs: Value 0 not in range 1 to 1e+06" + help},
      {{"--epochs", "many"}, "--epochs: Value many not in range 1 to 1e+06" + help},
      {{"--hidden", "0"}, "--hidden: Value 0 not in range 1 to 1024" + help},
      {{"--order", "0"}, "--order: Value 0 not in range 1 to 64" + help},
      {{"--learning-rate", "-1"}, "--learning-rate: Value -1 not in range 1e-09 to 1000" + help},
      {{"--no-such-option"}, "The following argument was not expected: --no-such-option" + help},
      {{"extra"}, "The following argument was not expected: extra" + help},
      {{"--graph", kept}, kept + drawing},
      {{"--graph", none}, none + ": cannot be written: no such folder"},
      {{"--graph", folder.path}, folder.path.string() + drawing},
      {{"--seed", "-1"}, "--seed: Value -1 not in range 0 to 1.8e+19" + help},
      {{"--seed", "1.5"}, "Could not convert: --seed = 1.5" + help},
      {{"--cell", "lstm", "--order", "2"}, "--order is for --cell elman, not for lstm"},
      {{"--cell", "gru", "--order", "1"}, "--order is for --cell elman, not for gru"},
      {{"--cell", "none", "--order", "2"}, "--order is for --cell elman, not for none"}};
  for (const auto& [arguments, line] : cases) {
    const Ran ran = run("namaskar", arguments);
    BOOST_TEST(ran.err == "namaskar: " + line + "\n");
    BOOST_TEST(ran.code == 2);
    BOOST_TEST(ran.out.empty());
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
