// The networks that come with the programs: found by --model pretrained, about as good on the
// built-in test rows as they were when they were put here, and with a card that says what they are.
#include <filesystem>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <unroll/layers/save.hpp>

#include "common/bad_input.hpp"
#include "common/paths.hpp"
#include "common/pretrained.hpp"
#include "program.hpp"

namespace {

using Json = nlohmann::json;

Json evaluated(const std::string& program, const std::string& model,
               const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"evaluate", "--model", model, "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Ran ran = run(program, arguments);
  BOOST_REQUIRE_MESSAGE(ran.code == 0, ran.err);
  return Json::parse(ran.out);
}

struct Network {
  std::string program, model, terms, options;
};
const Network kNetworks[] = {
    {"language_modeling", "pretrained", "CC BY", "--min-freq 3 --tied"},
    {"language_modeling", "pretrained:characters", "public domain", "--epochs 10"},
    {"pos_tagging", "pretrained", "non-commercial", "--embedding 48 --min-freq 3"},
    {"sentiment_rating", "pretrained", "research and teaching", "--model rnn --min-freq 8"}};

}  // namespace

BOOST_AUTO_TEST_SUITE(pretrained)

BOOST_AUTO_TEST_CASE(scores_on_the_built_in_rows) {
  BOOST_TEST(evaluated("sentiment_rating", "pretrained")["r2"].get<double>() > 0.7);
  BOOST_TEST(evaluated("pos_tagging", "pretrained")["accuracy"].get<double>() > 0.97);
  BOOST_TEST(evaluated("language_modeling", "pretrained")["perplexity"].get<double>() < 85);
}

BOOST_AUTO_TEST_CASE(characters_expect_what_shakespeare_wrote) {
  const Folder folder;
  const std::string text = folder.file("sonnet.txt", "Shall I compare thee to a summer's day?\n"
                                                     "Thou art more lovely and more temperate:\n");
  const Json scores = evaluated("language_modeling", "pretrained:characters", {text});
  BOOST_TEST(scores["nats_per_character"].get<double>() < 1.6);  // nats; 4.2 if it knew nothing
}

BOOST_AUTO_TEST_CASE(a_card_says_data_terms_and_scores) {
  for (const Network& network : kNetworks) {
    BOOST_TEST_CONTEXT(network.program << " " << network.model) {
      const std::string path = tasks::model_path(network.program, network.model);
      BOOST_TEST(std::filesystem::file_size(path) < 8'000'000u);
      const auto metadata = unroll::load_metadata(path);
      const Json said = Json::parse(metadata.at("scores"));
      BOOST_TEST(!said["valid"].empty());
      BOOST_TEST(said["training"]["data"].get<std::string>().size() > 10);
      const std::string note = said["training"]["note"].get<std::string>();
      const auto says = [&](const std::string& what) { return note.find(what) != note.npos; };
      BOOST_TEST(says(network.terms), note);
      BOOST_TEST(says(network.program + " train $DATA/"), note);
      BOOST_TEST(says(network.options), note);
    }
  }
}

BOOST_AUTO_TEST_CASE(it_is_called_as_it_was_asked_for) {
  const Folder folder;
  const std::string text = folder.file("a.txt", "Say \"when\".\n");
  const auto says = [](const std::string& program, const std::vector<std::string>& arguments) {
    const Ran ran = run(program, arguments);
    BOOST_TEST(ran.refused());
    return ran.err;
  };
  BOOST_TEST(says("language_modeling", {"score", "--model", "pretrained:characters"}) ==
             "language_modeling: pretrained:characters: knows a running text; expected a model of "
             "stories\n");
  BOOST_TEST(says("sentiment_rating", {"inspect", "--nearest", "xyzzy", "--model", "pretrained"}) ==
             "sentiment_rating: pretrained: does not know 'xyzzy'\n");
  BOOST_TEST(
      says("sentiment_rating", {"train", "--save", "pretrained"}) ==
      "sentiment_rating: pretrained: is what a network that came with the program is called; "
      "choose another --save\n");
  const std::string unknown =
      says("language_modeling", {"evaluate", text, "--model", "pretrained:characters"});
  BOOST_TEST(unknown.find("tasks/pretrained/") == unknown.npos, unknown);
}

BOOST_AUTO_TEST_CASE(a_folder_beside_the_program_comes_first) {
  namespace fs = std::filesystem;
  const Folder folder;
  const std::string moved = folder / "pos_tagging";
  fs::copy_file(build_dir() / "tasks/pos_tagging", moved);
  fs::create_directory(folder / "pretrained");
  BOOST_TEST(run(moved, {"evaluate", "--model", "pretrained"}).refused());
  fs::copy_file(tasks::model_path("pos_tagging", "pretrained"),
                folder / "pretrained/pos_tagging.safetensors");
  const Ran ran = run(moved, {"tag", "Time flies.", "--model", "pretrained"});
  BOOST_TEST(ran.out == "Time/NOUN flies/VERB ./.\n");
}

BOOST_AUTO_TEST_CASE(other_names_are_refused_with_what_there_is) {
  BOOST_TEST(tasks::model_path("pos_tagging", "pretrained.safetensors") ==
             "pretrained.safetensors");
  const Ran ran = run("language_modeling", {"evaluate", "--model", "pretrained:../x"});
  BOOST_TEST(ran.refused());
  BOOST_TEST(ran.err == "language_modeling: pretrained:../x: there is no such network; expected "
                        "pretrained, pretrained:characters\n");
}

BOOST_AUTO_TEST_CASE(train_keeps_the_name_of_the_data_and_a_note) {
  const Folder folder;
  const std::string model = folder / "m.safetensors";
  const auto card = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"train", "--epochs", "1", "--save", model};
    arguments.insert(arguments.end(), more.begin(), more.end());
    BOOST_TEST(run("sentiment_rating", arguments).code == 0);
    return Json::parse(unroll::load_metadata(model).at("scores"))["training"];
  };
  const Json plain = card({"--model", "mlp-bow"});
  BOOST_TEST(plain["data"] == "built-in");
  BOOST_TEST(plain["note"] == "");
  BOOST_TEST(plain["seed"] == 1);
  const std::string file = folder.file("mine.csv", "Rating,Review\n1,bad\n9,good\n8,good film\n");
  BOOST_TEST(card({file, "--model", "mlp-bow", "--min-freq", "1"})["data"] == "mine.csv");
  const Json named = card({"--model", "mlp-bow", "--data-name", "Notes", "--note", "CC0"});
  BOOST_TEST(named["data"] == "Notes");
  BOOST_TEST(named["note"] == "CC0");
}

BOOST_AUTO_TEST_SUITE_END()
