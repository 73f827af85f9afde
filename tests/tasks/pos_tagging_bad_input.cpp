// What the program pos_tagging refuses, and that nothing is lost then.
#include "pos_tagging.hpp"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include <unroll/layers/save.hpp>

using namespace pos_tagging_tests;

BOOST_AUTO_TEST_SUITE(pos_tagging_bad_input)

BOOST_AUTO_TEST_CASE(bad_files_are_refused_and_nothing_is_written_over) {
  const Small small;
  BOOST_TEST(small.train({"--epochs", "1"}).code == 0);
  const std::string before = content_of(small.model);
  const auto everywhere = [&](const std::string& file, const std::string& expected) {
    check_refused({"train", file, "--save", small.model}, expected);
    check_refused({"train", small.data, "--valid", file, "--save", small.model}, expected);
    check_refused({"evaluate", file, "--model", small.model}, expected);
  };
  everywhere(small / "missing.csv", "missing.csv: no such file");
  everywhere(small.file("empty.csv", ""), "empty.csv: the file is empty");
  everywhere(small.file("header.csv", csv({})), "header.csv: holds a header but no rows");
  everywhere(small.file("columns.csv", "Tokenized_Sentence,Tags\na,N\n"),
             "columns.csv: line 1: no column 'Tagged_Sentence'");
  everywhere(small.file("counts.csv", csv({"a,NOUN", "a\tb,NOUN"})),
             "counts.csv: line 3: 2 words but 1 tag");
  everywhere(small.file("latin.csv", csv({"gr\xFC\xDF,NOUN"})), "latin.csv: line 2: not UTF-8");
  const std::string other = small.file("tags.csv", csv({"a,NOUN", "a,PROPN"}));
  check_refused({"evaluate", other, "--model", small.model},
                "tags.csv: line 3: the tag 'PROPN' is none of the model's: ");
  check_refused({"train", small.data, "--valid", other, "--save", small.model}, "'PROPN'");
  check_refused({"train", other, "--save", small.model}, "tags.csv: too few sentences to hold out");
  check_refused({"train", small.file("none.csv", csv({","})), "--save", small.model},
                "none.csv: holds no words");
  check_refused({"tag", "--file", small.file("no.csv", "Text\na\n"), "--model", small.model},
                "no.csv: line 1: no column 'Tokenized_Sentence'");
  check_refused({"tag", "gr\xFC\xDF", "--model", small.model}, "the sentence: not UTF-8");
  BOOST_TEST((content_of(small.model) == before));
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused) {
  const Small small;
  const auto train = [&](const Words& more) {
    return with({"train", small.data, "--save", small.model}, more);
  };
  check_refused(train({"--model", "hmm"}), "--model");
  check_refused(train({"--cell", "transformer"}), "--cell");
  check_refused(train({"--model", "tag-fed", "--crf"}), "--crf has no part in tag-fed");
  check_refused(train({"--lookahead", "2"}), "--lookahead has no part in bilstm");
  check_refused(train({"--tag-embedding", "2"}), "--tag-embedding has no part in bilstm");
  check_refused(train({"--layers", "5"}), "--layers");
  check_refused(train({"--word-dropout", "1"}), "--word-dropout");
  check_refused(train({"--save", small / "no/such/model"}), "no such folder");
  check_refused(train({"--save", small.data}), "lessons.csv exists and is not a model");
  check_refused({"tag", "a", "--beams", "0", "--model", small.model}, "--beams");
  for (const Words& verb : {Words{"tag", "a"}, Words{"evaluate"}})
    check_refused(with(verb, {"--beams", "4", "--model", "pretrained"}),
                  "--beams has no part in pretrained, a bilstm");
  check_refused({"tag", "a", "--file", small.data}, "--file");
  check_refused({}, "expected a verb: train, evaluate, tag");
}

BOOST_AUTO_TEST_CASE(broken_models_are_refused) {
  const Small small;
  BOOST_TEST(small.train({"--epochs", "1"}).code == 0);
  const std::string whole = content_of(small.model);
  const auto both = [&](const std::string& path, const std::string& expected) {
    check_refused({"tag", "a", "--model", path}, expected);
    check_refused({"evaluate", small.data, "--model", path}, expected);
  };
  both(small / "missing.safetensors", "no such file");
  both(small.data, "lessons.csv");
  for (std::size_t bytes : {std::size_t{5}, std::size_t{100}, whole.size() / 2, whole.size() - 1})
    both(small.file("cut.safetensors", whole.substr(0, bytes)), "cut.safetensors");
  std::string flipped = whole;
  flipped[whole.size() - 3] = static_cast<char>(flipped[whole.size() - 3] ^ 16);
  both(small.file("flipped.safetensors", flipped), "flipped.safetensors");
}

BOOST_AUTO_TEST_CASE(models_that_do_not_fit_together_are_refused) {
  const Small small;
  BOOST_TEST(small.train({"--epochs", "1"}).code == 0);
  const auto refused = [&](const std::string& key, auto change, const std::string& expected) {
    unroll::SafeTensors file = unroll::load_arrays(small.model);
    Json value = Json::parse(file.metadata.at(key));
    change(value);
    file.metadata[key] = value.dump();
    unroll::save_arrays(file.arrays, file.metadata, small / "altered");
    check_refused({"tag", "a", "--model", small / "altered"}, expected);
  };
  refused(
      "vocabulary", [](Json& words) { words.push_back("kraken"); }, "embed");
  refused(
      "vocabulary", [](Json& words) { words.erase(0); }, "incomplete");
  refused(
      "settings", [](Json& s) { s["letters"].push_back("Ж"); }, "letters.W");
  refused(
      "settings", [](Json& s) { s["letters"].push_back("a"); }, "twice");
  refused(
      "settings", [](Json& s) { s["tags"].push_back("ADJ"); }, "readout");
  refused(
      "settings", [](Json& s) { s["tags"] = Json::array(); }, "incomplete");
  refused(
      "settings", [](Json& s) { s["tags"] = 12; }, "no list");
  refused(
      "settings", [](Json& s) { s["hidden"] = 9; }, "rnn");
  refused(
      "settings", [](Json& s) { s["hidden"] = 1e9; }, "out of range");
  refused(
      "settings", [](Json& s) { s["cell"] = "gru"; }, "rnn");
  refused(
      "settings", [](Json& s) { s["model"] = "tag-fed"; }, "altered");
  refused(
      "settings", [](Json& s) { s.erase("crf"); }, "incomplete");
}

BOOST_AUTO_TEST_CASE(a_full_disk_keeps_the_model_that_is_there) {
  const Small small;
  BOOST_TEST(small.train({"--epochs", "1"}).code == 0);
  const std::string before = content_of(small.model);
  rlimit whole{};
  getrlimit(RLIMIT_FSIZE, &whole);
  const rlimit full{4096, whole.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // a full disk, as far as write() can tell
  setrlimit(RLIMIT_FSIZE, &full);
  const Ran ran = small.train({"--epochs", "2"});
  setrlimit(RLIMIT_FSIZE, &whole);
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(ran.code == 2);
  BOOST_TEST_INFO(ran.err);
  BOOST_TEST(ran.err.find("model.safetensors: File too large; nothing was changed") !=
             std::string::npos);
  BOOST_TEST((content_of(small.model) == before));
  const std::filesystem::directory_iterator files(small.path);
  BOOST_TEST(std::distance(begin(files), end(files)) == 2);  // lessons and model
}

BOOST_AUTO_TEST_CASE(places_that_may_not_be_written) {
  const Small small;
  check_refused({"train", small.data, "--save", "/dev/full"}, "/dev/full: ");
  check_refused({"train", small.data, "--save", "/proc/model.safetensors"},
                "/proc/model.safetensors");
}

BOOST_AUTO_TEST_SUITE_END()
