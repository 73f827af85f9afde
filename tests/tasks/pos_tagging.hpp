// A small tagger and its lessons, for the tests of the program pos_tagging.
#pragma once

#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "program.hpp"

namespace pos_tagging_tests {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

inline const std::string kProgram = "pos_tagging";

inline Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline std::string csv(const Words& rows) {
  std::string text = "Tokenized_Sentence,Tagged_Sentence\n";
  for (const std::string& row : rows) text += row + '\n';
  return text;
}

/// Words after The are nouns, the same words after They are verbs.
inline std::string lessons() {
  Words rows;
  for (const char* noun : {"walk", "talk", "call", "help", "work"})
    for (const char* verb : {"lasted", "ended", "started", "failed"}) {
      rows.push_back(std::string("The\t") + noun + '\t' + verb + "\t.,DET\tNOUN\tVERB\t.");
      rows.push_back(std::string("They\t") + noun + "\t.,PRON\tVERB\t.");
    }
  return csv(rows);
}

// A small network that learns these lessons in a moment.
struct Small : Folder {
  std::string data = file("lessons.csv", lessons());
  std::string model = *this / "model.safetensors";
  Ran train(const Words& more = {}) const {
    return run(kProgram,
               with({"train",           data,   "--valid",     data,  "--save",          model,
                     "--hidden",        "8",    "--embedding", "6",   "--letter-hidden", "4",
                     "--batch",         "4",    "--epochs",    "15",  "--threads",       "1",
                     "--learning-rate", "0.03", "--dropout",   "0.1", "--patience",      "100"},
                    more));
  }
  Json evaluate(const std::string& sentences, const Words& more = {}) const {
    const Ran ran = run(kProgram, with({"evaluate", sentences, "--model", model, "--json"}, more));
    BOOST_TEST(ran.code == 0);
    return Json::parse(ran.out);
  }
};

inline const std::vector<Words> kKinds{
    {"--model", "bilstm"},
    {"--model", "bilstm", "--crf", "--layers", "2"},
    {"--model", "tag-fed"},
    {"--model", "tag-fed", "--cell", "lstm", "--lookahead", "0"}};

inline void check_refused(const Words& arguments, const std::string& expected) {
  BOOST_TEST_CONTEXT(expected) {
    const Ran ran = run(kProgram, arguments);
    BOOST_TEST_INFO(ran.code << " " << ran.out << " " << ran.err);
    BOOST_TEST(ran.refused());
    BOOST_TEST_INFO(ran.err);
    BOOST_TEST(ran.err.find(expected) != std::string::npos);
  }
}

}  // namespace pos_tagging_tests
