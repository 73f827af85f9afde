// The program namaskar: what it predicts, that it cannot do without memory, and what it refuses.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

#include "program.hpp"

namespace {

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

BOOST_AUTO_TEST_CASE(draws_the_unrolled_network) {
  const Folder folder;
  const Ran ran = run("namaskar", {"--epochs", "2", "--graph", folder / "unrolled.svg"});
  BOOST_TEST(ran.code == 0);
  // Without Graphviz there is the text of the graph, and a sentence that says so.
  const bool has_dot = ran.out.find("not installed") == std::string::npos;
  const std::string drawing = content_of(folder / (has_dot ? "unrolled.svg" : "unrolled.dot"));
  BOOST_TEST(drawing.find(has_dot ? "<svg" : "digraph") != std::string::npos);
  BOOST_TEST(drawing.find("W_hh") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_input_is_refused_in_one_line) {
  const Folder folder;
  const std::string kept = folder.file("kept.txt", "mine");
  for (const Words& arguments :
       {Words{"--word", "n"}, Words{"--word", ""}, Words{"--word", "na\xFFm"},
        Words{"--cell", "rnn"}, Words{"--aggregate", "max"}, Words{"--epochs", "0"},
        Words{"--epochs", "many"}, Words{"--hidden", "0"}, Words{"--order", "0"},
        Words{"--learning-rate", "-1"}, Words{"--no-such-option"}, Words{"extra"},
        Words{"--graph", kept}, Words{"--graph", folder / "no/such/folder.svg"},
        Words{"--graph", folder.path}}) {
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
