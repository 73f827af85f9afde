// The verb inspect of the three programs: layers, weights, nearest words, files, and what is
// refused.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>
#include <unroll/autograd/array.hpp>

#include "common/csv.hpp"
#include "program.hpp"

namespace {

using Words = std::vector<std::string>;
using Json = nlohmann::json;
using Row = std::vector<double>;

const std::string kReviews = "sentiment_rating", kTags = "pos_tagging",
                  kTexts = "language_modeling";

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// A model that has learned the built-in data a little.
struct Trained : Folder {
  explicit Trained(std::string name, const Words& more = {}) : program(std::move(name)) {
    const Ran ran = run(
        program,
        with({"train", "--save", model, "--epochs", "1", "--hidden", "6", "--threads", "2"}, more));
    BOOST_TEST_INFO(ran.err);
    BOOST_REQUIRE(ran.code == 0);
  }
  Ran ask(const Words& what) const { return run(program, with(what, {"--model", model})); }
  Json json(const Words& what) const {
    const Ran ran = ask(with(what, {"--json"}));
    BOOST_TEST_INFO(ran.err);
    BOOST_REQUIRE(ran.code == 0);
    return Json::parse(ran.out);
  }
  Json inspect(const Words& what) const { return json(with({"inspect"}, what)); }
  void check_refused(const Words& what, const std::string& expected) const {
    const Ran ran = ask(with({"inspect"}, what));
    BOOST_TEST_INFO(ran.code << " " << ran.out << " " << ran.err);
    BOOST_TEST(ran.refused());
    BOOST_TEST_INFO(ran.err);
    BOOST_TEST(ran.err.find(expected) != std::string::npos);
  }

  std::string program, model = *this / "model.safetensors";
};

/// "name (2, 3)" for each.
Words listed(const Json& list) {
  Words names;
  for (const Json& one : list)
    names.push_back(one["name"].get<std::string>() + " " + one["shape"].dump());
  return names;
}

bool contains(const Words& list, const std::string& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

std::size_t argmax(const Json& row) {
  const Row numbers = row;
  return std::max_element(numbers.begin(), numbers.end()) - numbers.begin();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(inspect)

BOOST_AUTO_TEST_CASE(all_there_is) {
  const Trained trained(kReviews, {"--model", "rnn", "--min-freq", "1", "--embedding", "5"});
  const Json all = trained.inspect({"A quiet film"});
  const Words weights = listed(all["weights"]), layers = listed(all["layers"]);
  BOOST_TEST(contains(weights, "readout.W [1,24]"));
  BOOST_TEST(layers == (Words{"embed [3,1,5]", "rnn.layer0 [3,1,6]", "rnn.layer0_reverse [3,1,6]",
                              "rnn [3,1,12]", "pooled [1,24]", "readout [1,1]", "rating [1]"}),
             boost::test_tools::per_element());
  BOOST_TEST(trained.inspect({})["layers"].size() == layers.size());
  const std::string text = trained.ask({"inspect"}).out;
  for (const char* part : {"weights\n", "\nlayers\n", "  rnn.layer0.W ", "  pooled "})
    BOOST_TEST(text.find(part) != text.npos);
}

BOOST_AUTO_TEST_CASE(layers_of_the_networks_for_reviews) {
  const std::string review = "A quiet, quiet film";
  for (const std::string kind : {"mlp-bow", "mlp-cbow", "rnn"}) {
    BOOST_TEST_CONTEXT(kind) {
      const Trained trained(kReviews, {"--model", kind, "--min-freq", "1"});
      const double rating = trained.json({"predict", review})["ratings"][0];
      const Json layer = trained.inspect({review, "--layer", "rating"});
      BOOST_TEST(layer["title"] == "output of rating");
      BOOST_TEST(layer["values"][0][0].get<double>() == rating, boost::test_tools::tolerance(1e-6));
      const std::string first = kind == "mlp-bow" ? "bag" : "embed";
      const Json read = trained.inspect({review, "--layer", first});
      if (kind != "mlp-bow")
        BOOST_TEST(read["rows"] == Json({"a", "quiet", ",", "quiet", "film"}));
      else
        BOOST_TEST(read["rows"].size() == read["shape"][0].get<std::size_t>());
      // The vectors of the words that were read are rows of the weight.
      if (kind == "mlp-bow") continue;
      const Json weight = trained.inspect({"--weight", "embed"});
      const Words words = weight["rows"];
      const auto film = std::find(words.begin(), words.end(), "film") - words.begin();
      BOOST_TEST(read["values"][4] == weight["values"][film]);
    }
  }
}

BOOST_AUTO_TEST_CASE(scores_of_tags_are_those_that_decide) {
  const std::string sentence = "The old boat turned slowly.";
  for (const std::string kind : {"bilstm", "tag-fed"}) {
    BOOST_TEST_CONTEXT(kind) {
      const Trained trained(kTags, {"--model", kind, "--embedding", "5"});
      Words ask{"tag", sentence};
      if (kind == "tag-fed") ask.insert(ask.end(), {"--beams", "1"});
      const Json found = trained.json(ask)["sentences"][0];
      const Json scores = trained.inspect({sentence, "--layer", "readout"});
      BOOST_TEST(scores["rows"] == found["words"]);
      for (std::size_t k = 0; k < found["words"].size(); ++k)
        BOOST_TEST(scores["columns"][argmax(scores["values"][k])] == found["tags"][k]);
      const Words layers = listed(trained.inspect({sentence})["layers"]);
      BOOST_TEST(contains(layers, "encode.embed [6,1,5]"));
      BOOST_TEST(contains(layers, "encode.spell.layer0_reverse [7,32]"));  // words, and none
      BOOST_TEST(trained.inspect({"", "--layer", "readout"})["shape"][0] == 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_comes_next_is_the_likeliest) {
  for (const Words& kind :
       {Words{}, Words{"--tied"}, Words{"--adaptive"}, Words{"--layers", "2"}}) {
    const Trained trained(kTexts, kind);
    const std::string output = kind == Words{"--adaptive"} ? "softmax" : "readout";
    const Json scores = trained.inspect({"The sea", "--layer", output});
    BOOST_TEST(scores["rows"] == Json({"T", "h", "e", " ", "s", "e", "a"}));
    const Json next = trained.json(
        {"generate", "--prompt", "The sea", "--temperature", "0", "--length", "1"})["text"];
    BOOST_TEST(scores["columns"][argmax(scores["values"][6])] == next);
  }
}

BOOST_AUTO_TEST_CASE(nearest_words_by_cosine) {
  const Trained trained(kReviews, {"--model", "mlp-cbow", "--min-freq", "1"});
  const Json weight = trained.inspect({"--weight", "embed"});
  const Words words = weight["rows"];
  const auto film =
      static_cast<std::size_t>(std::find(words.begin(), words.end(), "film") - words.begin());
  const auto cosine = [&](std::size_t k) {
    const Row a = weight["values"][k], b = weight["values"][film];
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
    return ab / std::sqrt(aa * bb);
  };
  std::vector<std::pair<double, std::string>> all;
  for (std::size_t k = 2; k < words.size(); ++k)  // without <PAD> and <UNK>
    if (k != film) all.emplace_back(-cosine(k), words[k]);
  std::sort(all.begin(), all.end());
  const Json nearest = trained.inspect({"--nearest", "Film", "--count", "3"});
  BOOST_TEST(nearest["rows"] == Json({all[0].second, all[1].second, all[2].second}));
  for (std::size_t k = 0; k < 3; ++k)
    BOOST_TEST(nearest["values"][k][0].get<double>() == -all[k].first,
               boost::test_tools::tolerance(1e-5));
  BOOST_TEST(trained.inspect({"--nearest", "film"})["rows"].size() == 10u);
  trained.check_refused({"--nearest", "xylophonist"}, "does not know 'xylophonist'");
  trained.check_refused({"--nearest", "film", "--weight", "hidden.W"},
                        "the rows of hidden.W are no vectors of words; those of embed are");
}

BOOST_AUTO_TEST_CASE(nearest_in_a_weight_that_is_named) {
  const Trained trained(kTexts, {"--tokens", "words"});
  const Json one = trained.inspect({"--nearest", "the"}),
             other = trained.inspect({"--nearest", "the", "--weight", "readout.W"});
  BOOST_TEST(one["title"] == "nearest to the in embedding");
  BOOST_TEST(other["title"] == "nearest to the in readout.W");
  BOOST_TEST(one["values"] != other["values"]);
}

BOOST_AUTO_TEST_CASE(into_files) {
  const Trained trained(kTexts);
  const Words what{"The sea", "--layer", "rnn"};
  const Json shown = trained.inspect(what);
  for (const std::string name : {"states.npy", "states.csv", "states.txt"}) {
    const Json said = trained.inspect(with(what, {"--output", trained / name}));
    BOOST_TEST(said["output"] == trained / name);
    BOOST_TEST(said["shape"] == Json({7, 1, 6}));
  }
  const unroll::Array states = unroll::load_npy(trained / "states.npy");
  BOOST_TEST((states.shape() == unroll::Shape{7, 1, 6}));
  const tasks::Csv csv = tasks::Csv::read(trained / "states.csv");
  for (unroll::Size t = 0; t < 7; ++t) {
    const double number = shown["values"][static_cast<std::size_t>(t)][5];
    BOOST_TEST(states.at({t, 0, 5}) == number, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(csv.numbers("5")[static_cast<std::size_t>(t)] == number);
  }
  BOOST_TEST(content_of(trained / "states.txt") == trained.ask(with({"inspect"}, what)).out);
}

BOOST_AUTO_TEST_CASE(refused) {
  const Trained trained(kTags);
  trained.check_refused(
      {"A boat", "--layer", "redout"},
      "no layer is named 'redout'; there are encode.letters, encode.spell.layer0");
  trained.check_refused({"--weight", "W"}, "no weight is named 'W'; there are encode.embed, ");
  trained.check_refused({"--layer", "readout"}, "--layer needs a sentence to read");
  trained.check_refused({"--output", "x.npy"}, "--output needs a --layer");
  trained.check_refused({"A boat", "--layer", "rnn", "--weight", "encode.embed"}, "excludes");
  trained.check_refused({"A \xFF", "--layer", "rnn"}, "the sentence: not UTF-8 at byte 2");
  trained.check_refused({"--weight", "readout.W", "--output", "x.json"}, "ends in .csv, .npy or");
  const std::string mine = trained.file("mine.csv", "name,age\n");
  trained.check_refused({"--weight", "readout.W", "--output", mine},
                        "mine.csv exists and was not written by this program");
  BOOST_TEST(content_of(mine) == "name,age\n");
  const Ran other = run(kTexts, {"inspect", "--model", trained.model});
  BOOST_TEST(other.refused());
  BOOST_TEST(other.err.find("is not a model of language_modeling") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
