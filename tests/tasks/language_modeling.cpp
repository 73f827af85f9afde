// The program language_modeling: train, evaluate, generate, and what they refuse.
#include <boost/test/unit_test.hpp>

#include <regex>
#include <sstream>

#include <nlohmann/json.hpp>

#include "program.hpp"

namespace {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

const std::string kProgram = "language_modeling";

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int k = 0; k < times; ++k) all += text;
  return all;
}

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// A small network that learns a small text in a moment.
struct Small : Folder {
  std::string text = file("text.txt", repeated("the sea was there again. ", 40));
  std::string model = *this / "model.safetensors";
  Ran train(const Words& more = {}) const {
    return run(kProgram, with({"train",       text, "--save",    model, "--hidden",        "24",
                               "--embedding", "8",  "--steps",   "16",  "--batch",         "8",
                               "--epochs",    "12", "--threads", "2",   "--learning-rate", "0.02",
                               "--dropout",   "0.1"},
                              more));
  }
};

void check_refused(const Words& arguments, const std::string& expected) {
  BOOST_TEST_CONTEXT(expected) {
    const Ran ran = run(kProgram, arguments);
    BOOST_TEST_INFO(ran.code << " " << ran.out << " " << ran.err);
    BOOST_TEST(ran.refused());
    BOOST_TEST_INFO(ran.err);
    BOOST_TEST(ran.err.find(expected) != std::string::npos);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(language_modeling)

BOOST_AUTO_TEST_CASE(learns_evaluates_and_writes) {
  for (const std::string cell : {"lstm", "gru", "elman"}) {
    BOOST_TEST_CONTEXT(cell) {
      const Small small;
      const Ran trained = small.train({"--cell", cell, "--layers", "2", "--json"});
      BOOST_TEST_INFO(trained.err);
      BOOST_TEST(trained.code == 0);
      BOOST_TEST(Json::parse(trained.out)["valid"].get<double>() < 1.5);  // blindly: 2.4

      const Ran evaluated =
          run(kProgram, {"evaluate", small.text, "--model", small.model, "--json"});
      BOOST_TEST(evaluated.code == 0);
      const Json scores = Json::parse(evaluated.out);
      BOOST_TEST(scores["characters"] == 999);
      BOOST_TEST(scores["nats_per_character"].get<double>() < 1.5);

      const Words ask{"generate", "--model",       small.model, "--prompt", "the sea", "--length",
                      "40",       "--temperature", "0.5",       "--top-k",  "5",       "--json"};
      const Ran written = run(kProgram, ask);
      BOOST_TEST(written.code == 0);
      BOOST_TEST(Json::parse(written.out)["text"].get<std::string>().size() == 40u);
      BOOST_TEST(run(kProgram, ask).out == written.out);
    }
  }
}

BOOST_AUTO_TEST_CASE(plain_output) {
  const Small small;
  const Ran trained = small.train({"--epochs", "2"});
  BOOST_TEST(trained.code == 0);
  BOOST_TEST(trained.out.find("epoch   2.0") != std::string::npos);
  BOOST_TEST(trained.out.find('\r') == std::string::npos);  // not a terminal
  const Ran written =
      run(kProgram, {"generate", "--model", small.model, "--prompt", "sea ", "--length", "9"});
  BOOST_TEST(written.out.starts_with("sea "));
  BOOST_TEST(written.out.size() == 4 + 9 + 1u);
}

// What an hour of training says of itself.
BOOST_AUTO_TEST_CASE(lines_of_progress) {
  const Small small;
  const Ran trained = small.train({"--epochs", "2"});
  const std::regex line(R"(epoch +[12]\.0  train \d\.\d{3}  valid nats \d\.\d{4} +[\d.]+ ?[kM]? )"
                        R"(characters/s  \d+:\d\d gone, (\d+:\d\d) left  saved)");
  std::istringstream in(trained.out);
  Words left;
  for (std::string text; std::getline(in, text);)
    if (std::smatch match; std::regex_match(text, match, line)) left.push_back(match[1]);
  BOOST_REQUIRE(left.size() == 2u);
  BOOST_TEST(left[1] == "0:00");
}

BOOST_AUTO_TEST_CASE(runs_repeat_byte_for_byte) {
  const Small one, two;
  BOOST_TEST(one.train({"--epochs", "3"}).code == 0);
  BOOST_TEST(two.train({"--epochs", "3"}).code == 0);
  BOOST_TEST((content_of(one.model) == content_of(two.model)));
  BOOST_TEST(two.train({"--epochs", "3", "--seed", "2"}).code == 0);
  BOOST_TEST((content_of(one.model) != content_of(two.model)));
}

BOOST_AUTO_TEST_CASE(the_best_network_is_kept) {
  const Small small;
  // Far too fast: it gets worse again, but what was best is in the file.
  const Ran trained = small.train({"--learning-rate", "0.3", "--json"});
  BOOST_TEST(trained.code == 0);
  const std::string valid =
      small.file("valid.txt", repeated("the sea was there again. ", 40).substr(900));
  const Ran evaluated = run(kProgram, {"evaluate", valid, "--model", small.model, "--json"});
  BOOST_TEST(Json::parse(evaluated.out)["nats_per_character"].get<double>() ==
                 Json::parse(trained.out)["valid"].get<double>(),
             boost::test_tools::tolerance(1e-4));
}

BOOST_AUTO_TEST_CASE(training_stops_early) {
  const Small small;
  // So fast that it is soon as bad as at random.
  const Words wild{"--learning-rate", "2", "--epochs", "60", "--json", "--patience"};
  const auto epochs = [&](const std::string& patience) {
    return Json::parse(small.train(with(wild, {patience})).out)["epochs"].get<double>();
  };
  BOOST_TEST(epochs("100") == 60);
  BOOST_TEST(epochs("2") < 60);
}

BOOST_AUTO_TEST_CASE(minutes_end_a_training) {
  const Small small;
  const Json json = Json::parse(
      small.train({"--epochs", "1000000", "--patience", "1000000", "--minutes", "0.01", "--json"})
          .out);
  BOOST_TEST(json["seconds"].get<double>() > 0.4);
  BOOST_TEST(json["seconds"].get<double>() < 30);
  BOOST_TEST(json["epochs"].get<double>() < 1000000);
  BOOST_TEST(run(kProgram, {"generate", "--model", small.model, "--length", "5"}).code == 0);
}

BOOST_AUTO_TEST_CASE(layers_stand_on_each_other) {
  const Small small;
  std::vector<double> parameters{0};
  for (const char* layers : {"1", "2", "3"}) {
    const Ran ran = small.train({"--layers", layers, "--epochs", "1", "--json"});
    parameters.push_back(Json::parse(ran.out)["parameters"].get<double>());
    const Ran evaluated = run(kProgram, {"evaluate", small.text, "--model", small.model});
    BOOST_TEST(evaluated.code == 0);
  }
  const double layer = parameters[2] - parameters[1];
  BOOST_TEST(layer >= 4 * (24 * 24 + 24 * 24 + 24));  // an LSTM of 24 units on 24
  BOOST_TEST(parameters[3] - parameters[2] == layer);
}

BOOST_AUTO_TEST_CASE(drawing_from_a_nucleus) {
  const Small small;
  BOOST_TEST(small.train({"--epochs", "2"}).code == 0);  // still undecided
  const auto written = [&](const Words& more) {
    const Ran ran =
        run(kProgram, with({"generate", "--model", small.model, "--length", "60"}, more));
    BOOST_TEST(ran.code == 0);
    BOOST_TEST(ran.out.size() == 60 + 1u);
    return ran.out;
  };
  const std::string likeliest = written({"--temperature", "0"});
  BOOST_TEST(written({"--temperature", "3", "--nucleus", "1e-9"}) == likeliest);
  BOOST_TEST(written({"--temperature", "3", "--top-k", "1"}) == likeliest);
  BOOST_TEST(written({"--temperature", "3"}) != likeliest);
}

BOOST_AUTO_TEST_CASE(characters_of_zero_are_written) {
  const Small small;
  const std::string text = small.file("zeros.txt", repeated(std::string("ab\0", 3), 200));
  const Ran trained = run(kProgram, {"train", text, "--save", small / "zeros.safetensors",
                                     "--hidden", "16", "--epochs", "10", "--steps", "16"});
  BOOST_TEST(trained.code == 0);
  const Words ask{"generate", "--model", small / "zeros.safetensors", "--prompt", "a",
                  "--length", "30"};
  const std::string written = run(kProgram, ask).out;
  BOOST_TEST(written.size() == 1 + 30 + 1u);
  BOOST_TEST((written.find('\0') != std::string::npos));
  BOOST_TEST(Json::parse(run(kProgram, with(ask, {"--json"})).out)["text"].get<std::string>() ==
             written.substr(1, 30));
}

BOOST_AUTO_TEST_CASE(files_that_are_no_models_are_not_written_over) {
  const Small small;
  const std::string before = content_of(small.text);
  check_refused({"train", small.text, "--save", small.text, "--epochs", "1"},
                "text.txt exists and is not a model; choose another --save");
  BOOST_TEST(content_of(small.text) == before);
  BOOST_TEST(small.train({"--epochs", "1"}).code == 0);
  const std::string model = content_of(small.model);
  for (const std::string& other :
       {std::string("notes"), std::string(), model.substr(0, 2000),
        std::string(model).replace(model.find("language_mod"), 12, "language_pod")}) {
    const std::string path = small.file("other.safetensors", other);
    check_refused({"train", small.text, "--save", path, "--epochs", "1"},
                  "other.safetensors exists and is not a model; choose another --save");
    BOOST_TEST((content_of(path) == other));
  }
  BOOST_TEST(small.train({"--epochs", "2", "--cell", "gru"}).code == 0);  // a model may go
  BOOST_TEST((content_of(small.model) != model));
}

BOOST_AUTO_TEST_CASE(bad_texts_are_refused_and_nothing_is_written_over) {
  const Small small;
  const std::string model = small.file("model.safetensors", "an older model");
  const auto train = [&](const std::string& text, const Words& more = {}) {
    return with({"train", text, "--save", model}, more);
  };
  check_refused(train(small / "missing.txt"), "missing.txt: no such file");
  check_refused(train(small.file("empty.txt", "")), "empty.txt: the file is empty");
  check_refused(train(small.path), ": is a folder");
  check_refused(train(small.file("latin.txt", "gr\xFC\xDF")),
                "latin.txt: not UTF-8 at byte 2 (0xFC)");
  check_refused(
      train(small.file("short.txt", "ab")),
      "short.txt: is too short to learn from: 2 characters to train on, 0 for validation");
  check_refused(train(small.text, {"--valid", small / "missing.txt"}), "missing.txt: no such file");
  check_refused(train(small.text, {"--valid", small.file("one.txt", "t")}),
                "is too short to learn from: 1000 characters to train on, 1 for validation\n");
  check_refused(train(small.text, {"--cell", "transformer"}), "--cell");
  check_refused(train(small.text, {"--layers", "4"}), "--layers");
  check_refused(train(small.text, {"--dropout", "1"}), "--dropout");
  check_refused(train(small.text, {"--hidden", "lots"}), "--hidden");
  check_refused(train(small.text, {"--seed", "-1"}), "--seed");
  check_refused({"generate", "--seed", "-1"}, "--seed");
  check_refused({"dance"}, "expected a verb: train, evaluate, score, generate");
  check_refused({}, "expected a verb");
  BOOST_TEST(content_of(model) == "an older model");
}

BOOST_AUTO_TEST_CASE(unwritable_models_are_refused_before_training) {
  const Small small;
  check_refused({"train", small.text, "--save", small / "no/such/model"}, "no such folder");
  check_refused({"train", small.text, "--save", small.path}, "it is a folder");
  check_refused({"train", small.text, "--save", "/dev/null"}, "not a plain file");
  check_refused({"train", small.text, "--save", ""}, "empty");
}

BOOST_AUTO_TEST_CASE(broken_models_are_refused) {
  const Small small;
  BOOST_TEST(small.train({"--epochs", "1"}).code == 0);
  const std::string whole = content_of(small.model);
  const auto both = [&](const std::string& path, const std::string& expected) {
    check_refused({"generate", "--model", path}, expected);
    check_refused({"evaluate", small.text, "--model", path}, expected);
  };
  both(small / "missing.safetensors", "no such file");
  both(small.text, "text.txt");
  for (std::size_t bytes :
       {std::size_t{0}, std::size_t{5}, std::size_t{100}, whole.size() / 2, whole.size() - 1})
    both(small.file("cut.safetensors", whole.substr(0, bytes)), "cut.safetensors");
  both(small.file("longer.safetensors", whole + "x"), "longer.safetensors");

  const auto altered = [&](const std::string& from, const std::string& to) {
    std::string bytes = whole;
    bytes.replace(bytes.find(from), from.size(), to);
    return small.file("altered.safetensors", bytes);
  };
  both(altered("lstm", "lttm"), "out of range");
  both(altered("\\\"hidden\\\":24", "\\\"hidden\\\":25"), "altered.safetensors");
  both(altered("\\\"hidden\\\"", "\\\"hiddem\\\""), "incomplete");
  both(altered("\"language_modeling\"", "\"language_podeling\""), "is not a model of");
}

BOOST_AUTO_TEST_CASE(unknown_characters_are_refused) {
  const Small small;
  BOOST_TEST(small.train({"--epochs", "1"}).code == 0);
  check_refused({"generate", "--model", small.model, "--prompt", "sea\u00fcQ"},
                "the prompt holds characters the model does not know: \u00fc Q");
  check_refused({"generate", "--model", small.model, "--prompt", "\xFF"}, "not UTF-8");
  check_refused({"evaluate", small.file("other.txt", "the SEA"), "--model", small.model},
                "characters the model does not know: S E A");
}

BOOST_AUTO_TEST_SUITE_END()
