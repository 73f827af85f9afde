// The program pos_tagging: train, evaluate and tag. What it refuses is in
// pos_tagging_bad_input.cpp.
#include "pos_tagging.hpp"

#include "common/lexicon.hpp"
#include "common/metrics.hpp"

using namespace pos_tagging_tests;

BOOST_AUTO_TEST_SUITE(pos_tagging)

BOOST_AUTO_TEST_CASE(learns_evaluates_and_tags) {
  for (const Words& kind : kKinds) {
    const Small small;
    const Ran trained = small.train(with(kind, {"--json"}));
    BOOST_TEST_INFO(trained.err);
    BOOST_TEST(trained.code == 0);
    BOOST_TEST(Json::parse(trained.out)["valid"]["accuracy"] == 1);
    const bool has_beams = kind[1] == "tag-fed";
    BOOST_TEST(
        small.evaluate(small.data, has_beams ? Words{"--beams", "1"} : Words{})["accuracy"] == 1);
    const Ran tagged = run(kProgram, {"tag", "The walk lasted.", "--model", small.model});
    BOOST_TEST(tagged.code == 0);
    BOOST_TEST(tagged.out == "The/DET walk/NOUN lasted/VERB ./.\n");
    const Json json =
        Json::parse(run(kProgram, {"tag", "They talk.", "--model", small.model, "--json"}).out);
    BOOST_TEST(json ==
               (Json{{"sentences",
                      {{{"words", {"They", "talk", "."}}, {"tags", {"PRON", "VERB", "."}}}}}}));
  }
}

BOOST_AUTO_TEST_CASE(learns_from_the_built_in_sentences) {
  const Folder folder;
  const std::string model = folder / "model.safetensors";
  const Ran trained = run(kProgram, {"train", "--save", model, "--batch", "4", "--epochs", "8"});
  BOOST_TEST(trained.code == 0);
  BOOST_TEST(trained.out.find("saved in " + model) != std::string::npos);
  const Json scores = Json::parse(run(kProgram, {"evaluate", "--model", model, "--json"}).out);
  BOOST_TEST(scores["sentences"] == 100);
  BOOST_TEST(scores["accuracy"].get<double>() > 0.75);  // always NOUN: 0.20
}

BOOST_AUTO_TEST_CASE(scores_are_those_of_the_tags_it_gives) {
  const Small small;
  BOOST_TEST(small.train({"--epochs", "2"}).code == 0);
  const Words rows{"The\ttalk\tended\t.,DET\tNOUN\tVERB\t.", "They\tended\t.,PRON\tVERB\t.",
                   "The\tzebra\tslept\t,DET\tNOUN\tVERB\t.", ",",
                   "Work\tcall\tthey\t!,NOUN\tVERB\tPRON\t."};
  Words given = rows;
  given[2] = "The\tzebra\tslept\t?,DET\tNOUN\tVERB\t.";
  const std::string file = small.file("given.csv", csv(given));
  const Json scores = small.evaluate(file);
  const Json found =
      Json::parse(run(kProgram, {"tag", "--file", file, "--model", small.model, "--json"}).out);

  tasks::Lexicon tags;
  for (const auto& [tag, of_tag] : scores["tags"].items()) tags.add(tag);
  BOOST_TEST(tags.size() == 5);
  tasks::Confusion confusion(tags.size());
  tasks::Size unknown = 0, unknown_right = 0;
  const Words truth{"DET",  "NOUN", "VERB", ".",    "PRON", "VERB", ".", "DET",
                    "NOUN", "VERB", ".",    "NOUN", "VERB", "PRON", "."};
  std::size_t k = 0;
  for (const Json& sentence : found["sentences"])
    for (std::size_t w = 0; w < sentence["words"].size(); ++w, ++k) {
      const std::string word = sentence["words"][w], tag = sentence["tags"][w];
      confusion.add(tags.find(truth[k]), tags.find(tag));
      if (word != "zebra" && word != "slept" && word != "?" && word != "!") continue;
      ++unknown;
      unknown_right += tag == truth[k];
    }
  BOOST_TEST(k == truth.size());
  BOOST_TEST(scores["sentences"] == 5);
  BOOST_TEST(scores["words"] == 15);
  BOOST_TEST(scores["unknown_words"] == unknown);
  BOOST_TEST(scores["unknown_accuracy"].get<double>() == double(unknown_right) / double(unknown));
  BOOST_TEST(scores["accuracy"].get<double>() == confusion.accuracy());
  BOOST_TEST(confusion.accuracy() < 1);
  const auto check = [](const Json& said, const tasks::ClassScores& s) {
    BOOST_TEST(said["precision"].get<double>() == s.precision);
    BOOST_TEST(said["recall"].get<double>() == s.recall);
    BOOST_TEST(said["f1"].get<double>() == s.f1);
  };
  check(scores["weighted"], confusion.weighted());
  check(scores["macro"], confusion.macro());
  for (tasks::Size t = 0; t < tags.size(); ++t) {
    check(scores["tags"][tags[t]], confusion.of(t));
    BOOST_TEST(scores["tags"][tags[t]]["support"] == confusion.support(t));
    for (tasks::Size p = 0; p < tags.size(); ++p)
      BOOST_TEST(scores["confusion"][tags[t]][tags[p]] == confusion.count(t, p));
  }
}

BOOST_AUTO_TEST_CASE(scores_for_people) {
  const Small small;
  BOOST_TEST(small.train().code == 0);
  const Ran ran = run(kProgram, {"evaluate", small.data, "--model", small.model});
  BOOST_TEST(ran.out.starts_with("100.00 % of 140 words are right\n"));
  BOOST_TEST(ran.out.find("  NOUN                100.00    100.00  100.00     20\n") !=
             std::string::npos);
  BOOST_TEST(ran.out.find("true \\ found") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(threads_and_seeds) {
  const Small one, two;
  const Words again{"--epochs", "2", "--threads", "2"};
  BOOST_TEST(one.train(again).code == 0);
  BOOST_TEST(two.train(again).code == 0);
  BOOST_TEST((content_of(one.model) == content_of(two.model)));
  BOOST_TEST(two.train(with(again, {"--seed", "2"})).code == 0);
  BOOST_TEST((content_of(one.model) != content_of(two.model)));
}

BOOST_AUTO_TEST_CASE(a_resumed_training_is_the_one_that_was_not_stopped) {
  const Small small;
  const std::string point = small / "point", other = small / "other.safetensors";
  // The cosine is that of all epochs, so a constant rate is compared.
  const Words constant{"--schedule", "constant"};
  BOOST_TEST(small.train(with(constant, {"--epochs", "3", "--save", other})).code == 0);
  BOOST_TEST(small.train(with(constant, {"--epochs", "1", "--checkpoint", point})).code == 0);
  BOOST_TEST(
      small.train(with(constant, {"--epochs", "3", "--checkpoint", point, "--resume"})).code == 0);
  BOOST_TEST((content_of(small.model) == content_of(other)));
  BOOST_TEST(small.train({"--epochs", "4", "--checkpoint", point, "--resume"}).refused());
}

BOOST_AUTO_TEST_CASE(sentences_of_any_length) {
  for (const Words& kind : {kKinds[1], kKinds[2]}) {
    const Small small;
    BOOST_TEST(small.train(with(kind, {"--epochs", "2"})).code == 0);
    std::string words = "They", tags = "PRON";
    for (int k = 1; k < 100000; ++k) words += "\twork", tags += "\tVERB";
    const std::string file = small.file("long.csv", csv({",", words + ',' + tags, "a,NOUN", ","}));
    const Json scores = small.evaluate(file);
    BOOST_TEST(scores["words"] == 100001);
    BOOST_TEST(scores["sentences"] == 4);
    BOOST_TEST(run(kProgram, {"tag", "", "--model", small.model}).out == "\n");
    BOOST_TEST(run(kProgram, {"tag", " \t", "--model", small.model, "--json"}).out ==
               "{\"sentences\":[{\"words\":[],\"tags\":[]}]}\n");
    const Ran unknown = run(kProgram, {"tag", "Ωμέγα 日本 <PAD>", "--model", small.model});
    BOOST_TEST(unknown.code == 0);
    const Json nothing = small.evaluate(small.file("nothing.csv", csv({",", ","})));
    BOOST_TEST(nothing["words"] == 0);
  }
}

BOOST_AUTO_TEST_CASE(learns_from_a_sentence_of_a_hundred_thousand_words) {
  const Small small;
  std::string words = "They", tags = "PRON";
  for (int k = 1; k < 100000; ++k) words += "\twork", tags += "\tVERB";
  const std::string valid = small.file("valid.csv", csv({"They\twork,PRON\tVERB"}));
  const std::string file =
      small.file("long.csv", csv({words + ',' + tags, "They\twork,PRON\tVERB"}));
  const Ran ran =
      run(kProgram, {"train", file, "--valid", valid, "--save", small.model, "--hidden", "1",
                     "--embedding", "1", "--letter-hidden", "1", "--letter-embedding", "1",
                     "--epochs", "1", "--threads", "1", "--json"});
  BOOST_TEST_INFO(ran.err);
  BOOST_REQUIRE(ran.code == 0);
  BOOST_TEST(Json::parse(ran.out)["words"] == 100002);
}

BOOST_AUTO_TEST_CASE(a_word_of_ten_megabytes) {
  const Small small;
  BOOST_TEST(small.train({"--epochs", "1"}).code == 0);
  const std::string word(10'000'000, 'a');
  BOOST_TEST(small.evaluate(small.file("big.csv", csv({word + ",NOUN"})))["words"] == 1);
}

BOOST_AUTO_TEST_SUITE_END()
