// The programs that learn, what each reads, and a small trained model of each: for the tests that
// ask all of them the same.
#pragma once

#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "program.hpp"

namespace every_program {

using Words = std::vector<std::string>;

/// A verb that reads a model and a file, and the column that it asks for first.
struct Verb {
  Words words;
  std::string column;
};

struct Program {
  std::string name, header, row;
  Words options;  // of a small network
  std::string column;
  std::vector<Verb> verbs;
};

inline const std::vector<Program> kPrograms{
    {"sentiment_rating",
     "Rating,Review",
     "7,Good",
     {"--model", "mlp-bow", "--min-freq", "1", "--hidden", "4"},
     "Rating",
     {{{"evaluate"}, "Rating"}, {{"predict", "--file"}, "Review"}}},
    {"language_modeling",
     "Id,Story",
     "1,The cat slept",
     {"--tokens", "words", "--hidden", "4", "--embedding", "4"},
     "Story",
     {{{"evaluate"}, "Story"}, {{"score"}, "Story"}}},
    {"pos_tagging",
     "Tokenized_Sentence,Tagged_Sentence",
     "The\tcat,DET\tNOUN",
     {"--hidden", "4", "--embedding", "4", "--letter-hidden", "4"},
     "Tokenized_Sentence",
     {{{"evaluate"}, "Tokenized_Sentence"}, {{"tag", "--file"}, "Tokenized_Sentence"}}}};

inline Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// A folder with a file to learn from and the model that came of it.
struct Trained : Folder {
  explicit Trained(const Program& program) : program(program) {
    const Ran ran = run(program.name, train());
    BOOST_TEST_INFO(ran.err);
    BOOST_REQUIRE(ran.code == 0);
    learned = content_of(model);
  }
  Words train(const Words& more = {}) const { return train(data, more); }
  Words train(const std::string& path, const Words& more) const {
    return with(with({"train", path, "--save", model, "--epochs", "1", "--threads", "1"},
                     with(program.options, {"--valid", data})),
                more);
  }
  static Words ask(const Verb& verb, const std::string& path, const std::string& of) {
    return with(verb.words, {path, "--model", of});
  }
  std::ptrdiff_t files() const {
    return std::distance(std::filesystem::directory_iterator(path), {});
  }
  void check_unharmed(std::ptrdiff_t files_before) const {
    BOOST_TEST((content_of(model) == learned));
    BOOST_TEST(files() == files_before);
  }

  const Program& program;
  std::string data = file("data.csv", program.header + '\n' + rows(20));
  std::string model = *this / "model.safetensors";
  std::string learned;

 private:
  std::string rows(int count) const {
    std::string text;
    for (int k = 0; k < count; ++k) text += program.row + '\n';
    return text;
  }
};

/// One line that is exactly this, after the program's name.
inline void check_says(const Program& program, const Words& arguments, const std::string& line) {
  const Ran ran = run(program.name, arguments);
  BOOST_TEST_CONTEXT(program.name << ' ' << arguments[0]) {
    BOOST_TEST(ran.err == program.name + ": " + line + '\n');
    BOOST_TEST(ran.code == 2);
    BOOST_TEST(ran.out.empty());
  }
}

/// One line that speaks of this.
inline void check_refused(const Program& program, const Words& arguments,
                          const std::string& expected) {
  const Ran ran = run(program.name, arguments);
  BOOST_TEST_CONTEXT(program.name << ' ' << arguments[0] << ": " << ran.err) {
    BOOST_TEST(ran.refused());
    BOOST_TEST(ran.err.find(expected) != std::string::npos);
  }
}

}  // namespace every_program
