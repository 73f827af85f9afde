// How the tests of the program sentiment_rating call it. What it should do is in
// sentiment_rating.cpp and sentiment_refused.cpp.
#pragma once

#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "program.hpp"

namespace sentiment_program {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

inline const std::string kProgram = "sentiment_rating";

inline Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline Json parsed(const Ran& ran) {
  BOOST_TEST_INFO(ran.err);
  BOOST_REQUIRE(ran.code == 0);
  return Json::parse(ran.out);
}

inline void check_refused(const Words& arguments, const std::string& expected) {
  BOOST_TEST_CONTEXT(expected) {
    const Ran ran = run(kProgram, arguments);
    BOOST_TEST_INFO(ran.code << " " << ran.out << " " << ran.err);
    BOOST_TEST(ran.refused());
    BOOST_TEST_INFO(ran.err);
    BOOST_TEST(ran.err.find(expected) != std::string::npos);
  }
}

// A network that learns the built-in reviews in a moment.
struct Small : Folder {
  std::string model = *this / "model.safetensors";
  Words arguments(const std::string& kind, const Words& more = {}) const {
    return with({"train", "--model", kind, "--save", model, "--batch", "8", "--epochs", "40",
                 "--min-freq", "2", "--hidden", "16", "--threads", "2", "--json"},
                more);
  }
  Ran train(const std::string& kind, const Words& more = {}) const {
    return run(kProgram, arguments(kind, more));
  }
  /// Of no use, but quickly there.
  void train_briefly() const { parsed(train("mlp-bow", {"--epochs", "1"})); }
};

inline double rating(const Small& small, const std::string& review) {
  return parsed(run(kProgram, {"predict", review, "--model", small.model, "--json"}))["ratings"]
      .at(0)
      .get<double>();
}

}  // namespace sentiment_program
