// What the program sentiment_rating refuses, in one line, without losing anything.
#include <sys/wait.h>

#include <cstdlib>

#include "common/paths.hpp"
#include "sentiment_program.hpp"
#include "sentiment_rating/model.hpp"

using namespace sentiment_program;

BOOST_AUTO_TEST_SUITE(sentiment_rating_refuses)

BOOST_AUTO_TEST_CASE(bad_reviews_are_refused) {
  const Small small;
  small.train_briefly();
  const std::string before = content_of(small.model);
  const auto all_verbs = [&](const std::string& content, const std::string& expected) {
    const std::string file = small.file("bad.csv", content);
    check_refused({"train", file, "--save", small.model, "--epochs", "1"}, expected);
    check_refused({"train", "--valid", file, "--save", small.model, "--epochs", "1"}, expected);
    check_refused({"evaluate", file, "--model", small.model}, expected);
  };
  all_verbs("", "bad.csv: the file is empty");
  all_verbs("Rating,Review\n", "bad.csv: holds a header but no rows");
  all_verbs("Rating,Text\n1,Bad\n", "bad.csv: line 1: no column 'Review'");
  all_verbs("Rating,Review\n1,Bad\nten,Good\n",
            "bad.csv: line 3: Rating is 'ten'; expected a number");
  all_verbs("Rating,Review\n11,Good\n", "bad.csv: line 2: Rating is 11; expected 1 to 10");
  all_verbs("Rating,Review\n0.5,Bad\n", "bad.csv: line 2: Rating is 0.5; expected 1 to 10");
  all_verbs("Rating,Review\n1,Gr\xFC\xDF\n", "bad.csv: line 2: not UTF-8 at byte 4 (0xFC)");
  all_verbs("Rating,Review\n1,\"Bad\n", "never ends");
  check_refused({"predict", "--file", small.file("bad.csv", "Rating\n1\n"), "--model", small.model},
                "bad.csv: line 1: no column 'Review'");
  check_refused({"predict", "gr\xFC\xDF", "--model", small.model},
                "the review: not UTF-8 at byte 2 (0xFC)");
  check_refused({"train", small.file("one.csv", "Rating,Review\n1,Bad\n"), "--save", small.model},
                "one.csv: one review; expected at least two, or a --valid");
  BOOST_TEST((content_of(small.model) == before));
}

BOOST_AUTO_TEST_CASE(options_that_do_not_fit_are_refused) {
  const Small small;
  check_refused(small.arguments("mlp-bow", {"--cell", "gru"}), "--cell has no part in mlp-bow");
  check_refused(small.arguments("mlp-bow", {"--embedding", "8"}), "--embedding has no part");
  check_refused(small.arguments("rnn", {"--ngrams", "2"}), "--ngrams has no part in rnn");
  check_refused(small.arguments("rnn", {"--cell", "GRU"}), "--cell");
  check_refused(small.arguments("rnn", {"--directions", "3"}), "--directions");
  check_refused(small.arguments("transformer"), "--model");
  check_refused(small.arguments("rnn", {"--dropout", "1"}), "--dropout");
  check_refused(small.arguments("rnn", {"--hidden", "lots"}), "--hidden");
  check_refused({"predict", "Good.", "--file", "reviews.csv"}, "--file");
  check_refused({"predict"}, "review");
  check_refused({}, "expected a verb: train, evaluate, predict");
}

BOOST_AUTO_TEST_CASE(unwritable_models_are_refused_before_training) {
  const Small small;
  const auto save = [](const std::string& path) { return Words{"train", "--save", path}; };
  check_refused(save(small / "no/such/model"), "no such folder");
  check_refused(save(small.path), "it is a folder");
  check_refused(save("/dev/full"), "not a plain file");
  check_refused(save("/proc/model"), "/proc/model: cannot be written");  // root writes elsewhere
  const std::string notes = small.file("notes", "my notes");
  check_refused(save(notes), "notes exists and is not a model");
  BOOST_TEST(content_of(notes) == "my notes");
}

BOOST_AUTO_TEST_CASE(broken_models_are_refused) {
  const Small small;
  small.train_briefly();
  const std::string whole = content_of(small.model);
  const auto both = [&](const std::string& path, const std::string& expected) {
    check_refused({"predict", "Good.", "--model", path}, expected);
    check_refused({"evaluate", "--model", path}, expected);
  };
  both(small / "missing.safetensors", "no such file");
  for (std::size_t bytes :
       {std::size_t{0}, std::size_t{5}, std::size_t{100}, whole.size() / 2, whole.size() - 1})
    both(small.file("cut.safetensors", whole.substr(0, bytes)), "cut.safetensors");
  both(small.file("longer.safetensors", whole + "x"), "longer.safetensors");
  for (std::size_t byte = 0; byte < whole.size(); byte += whole.size() / 25) {
    std::string flipped = whole;
    flipped[byte] = static_cast<char>(flipped[byte] ^ 4);
    both(small.file("flipped.safetensors", flipped), "flipped.safetensors");
  }
}

BOOST_AUTO_TEST_CASE(models_whose_parts_do_not_fit_are_refused) {
  const Small small;
  small.train_briefly();
  const auto model = tasks::sentiment_rating::TrainedModel::load(small.model);
  const tasks::ModelCard card = tasks::load_card(kProgram, small.model);
  const auto check = [&](const tasks::ModelCard& changed, const std::string& program,
                         const std::string& expected) {
    tasks::save_model(*model.net, changed, program, small / "changed.safetensors");
    check_refused({"predict", "Good.", "--model", small / "changed.safetensors"}, expected);
  };
  tasks::ModelCard changed = card;
  changed.lexicon.add("one more");
  check(changed, kProgram, "changed.safetensors");
  changed.lexicon = tasks::Lexicon({"a", "b"});
  check(changed, kProgram, "changed.safetensors: its vocabulary is not one of words");
  changed = card;
  changed.settings["hidden"] = 17;
  check(changed, kProgram, "changed.safetensors");
  changed.settings["hidden"] = 0;
  check(changed, kProgram, "changed.safetensors: its settings are out of range");
  check(card, "language_modeling", "changed.safetensors: is not a model of sentiment_rating");
}

// A limit on the size of files stands for a disk that becomes full.
BOOST_AUTO_TEST_CASE(a_full_disk_costs_nothing) {
  const Small small;
  small.train_briefly();
  const std::string before = content_of(small.model);
  const auto shell = [&](const std::string& limit, const Words& arguments,
                         const std::string& redirect) {
    std::string line = limit + "exec '" + std::string(build_dir() / "tasks" / kProgram) + "'";
    for (const std::string& argument : arguments) line += " '" + argument + "'";
    const int status = std::system((line + redirect + " 2> '" + (small / "err") + "'").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  BOOST_TEST(shell("ulimit -f 4; trap '' XFSZ; ", small.arguments("mlp-bow"), " > /dev/null") == 2);
  const std::string complaint = content_of(small / "err");
  BOOST_TEST_INFO(complaint);
  BOOST_TEST(complaint.find("model.safetensors") != std::string::npos);
  BOOST_TEST((content_of(small.model) == before));
  for (const auto& entry : std::filesystem::directory_iterator(small.path))
    BOOST_TEST(entry.path().extension() != ".tmp");

  BOOST_TEST(shell("", {"predict", "Good.", "--model", small.model}, " > /dev/full") == 2);
  BOOST_TEST(content_of(small / "err") ==
             "sentiment_rating: the output cannot be written: No space left on device\n");
}

BOOST_AUTO_TEST_SUITE_END()
