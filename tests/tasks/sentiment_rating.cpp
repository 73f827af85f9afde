// The program sentiment_rating: train, evaluate, predict. What it refuses is in
// sentiment_refused.cpp.
#include <algorithm>

#include "common/csv.hpp"
#include "common/embedded.hpp"
#include "common/metrics.hpp"
#include "sentiment_program.hpp"

using namespace sentiment_program;

BOOST_AUTO_TEST_SUITE(sentiment_rating)

BOOST_AUTO_TEST_CASE(learns_evaluates_and_predicts) {
  for (const std::string kind : {"mlp-bow", "mlp-cbow", "rnn"}) {
    BOOST_TEST_CONTEXT(kind) {
      const Small small;
      const Json trained = parsed(small.train(kind));
      const Json evaluated = parsed(run(kProgram, {"evaluate", "--model", small.model, "--json"}));
      BOOST_TEST(evaluated["reviews"] == 100);
      BOOST_TEST(evaluated["r2"].get<double>() > 0.2);  // 0 for the mean of all ratings
      BOOST_TEST(evaluated["accuracy"].get<double>() > 0.65);
      BOOST_TEST(rating(small, "A wonderful, beautiful and very funny film. Excellent!") >
                 rating(small, "Boring, awful and stupid, a terrible waste of money.") + 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(scores_are_the_metrics_of_the_predictions) {
  const Small small;
  const Json trained = parsed(small.train("mlp-cbow", {"--epochs", "8"}));
  const std::string file =
      small.file("reviews.csv", std::string(tasks::embedded("reviews_test.csv")));
  const Json found = parsed(
      run(kProgram, {"predict", "--file", file, "--model", small.model, "--json"}))["ratings"];
  const auto truth = tasks::Csv::read(file).numbers("Rating");
  const auto expected = tasks::regression_scores(truth, found.get<std::vector<double>>());
  const auto close = boost::test_tools::tolerance(1e-9);
  for (const std::string threads : {"1", "2"}) {
    const Json scores = parsed(
        run(kProgram, {"evaluate", file, "--model", small.model, "--threads", threads, "--json"}));
    BOOST_TEST(scores["r2"].get<double>() == expected.r2, close);
    BOOST_TEST(scores["mse"].get<double>() == expected.mean_squared_error, close);
    BOOST_TEST(scores["mae"].get<double>() == expected.mean_absolute_error, close);
  }
  // What training says of its best network is what evaluate finds in the file.
  const Json again = parsed(small.train("mlp-cbow", {"--epochs", "8", "--valid", file}));
  const Json scores = parsed(run(kProgram, {"evaluate", file, "--model", small.model, "--json"}));
  for (const char* name : {"r2", "mse", "mae", "accuracy"})
    BOOST_TEST(scores[name].get<double>() == again["valid"][name].get<double>(), close);
}

BOOST_AUTO_TEST_CASE(plain_output) {
  const Small small;
  small.train_briefly();
  const Ran evaluated = run(kProgram, {"evaluate", "--model", small.model});
  BOOST_TEST(evaluated.out.find("mean squared error") != std::string::npos);
  const std::string file = small.file("two.csv", "Review\nGood.\n\"Bad,\nvery bad\"\n");
  const Ran predicted = run(kProgram, {"predict", "--file", file, "--model", small.model});
  BOOST_TEST_INFO(predicted.out);
  BOOST_TEST(std::count(predicted.out.begin(), predicted.out.end(), '\n') == 2);
  BOOST_TEST(predicted.out.find("  Good.\n") != std::string::npos);
  for (const char* verb : {"train", "evaluate", "predict"}) {
    const Ran help = run(kProgram, {verb, "--help"});
    BOOST_TEST(help.code == 0);
    BOOST_TEST(help.out.find("Examples:") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(runs_repeat_byte_for_byte) {
  const Small one, two;
  const Words brief{"--epochs", "2"};
  parsed(one.train("rnn", brief));
  parsed(two.train("rnn", brief));
  BOOST_TEST((content_of(one.model) == content_of(two.model)));
  parsed(two.train("rnn", with(brief, {"--seed", "2"})));
  BOOST_TEST((content_of(one.model) != content_of(two.model)));
}

BOOST_AUTO_TEST_CASE(a_training_goes_on_from_its_checkpoint) {
  const Small one, two;
  const Words plain{"--schedule", "constant", "--epochs"};
  parsed(one.train("mlp-cbow", with(plain, {"6"})));
  const std::string checkpoint = two / "checkpoint";
  parsed(two.train("mlp-cbow", with(plain, {"3", "--checkpoint", checkpoint})));
  parsed(two.train("mlp-cbow", with(plain, {"6", "--checkpoint", checkpoint, "--resume"})));
  BOOST_TEST((content_of(one.model) == content_of(two.model)));
  const Words arguments = two.arguments("mlp-cbow", {"--checkpoint", checkpoint, "--resume"});
  check_refused(arguments, "checkpoint: is of another training: its schedule is ");
}

BOOST_AUTO_TEST_CASE(a_report_of_the_run) {
  const Small small;
  for (const std::string kind : {"mlp-bow", "rnn"}) {
    parsed(small.train(kind, {"--epochs", "2", "--report", small / kind}));
    const std::string page = content_of(small / kind + "/index.html");
    for (const char* heading : {"Predicted against true", "Loss while learning", "Lengths",
                                "Validation: r2", "Layers", "Settings", "Samples"})
      BOOST_TEST(page.find(std::string("<h2>") + heading) != std::string::npos);
    BOOST_TEST((page.find("gradient through time") != std::string::npos) == (kind == "rnn"));
  }
  check_refused(small.arguments("rnn", {"--report", small.model}), "is not a folder");
}

BOOST_AUTO_TEST_CASE(vectors_of_others) {
  const Small small;
  const std::string vectors =
      small.file("vectors.txt", "wonderful 2 0 0\nawful -2 0 0\nfilm 0 1 0\n");
  const Json trained = parsed(small.train("mlp-cbow", {"--epochs", "1", "--vectors", vectors}));
  BOOST_TEST(trained["parameters"] ==
             parsed(small.train("mlp-cbow", {"--epochs", "1", "--embedding", "3"}))["parameters"]);
  check_refused(small.arguments("mlp-bow", {"--vectors", vectors}),
                "--vectors has no part in mlp-bow");
  check_refused(small.arguments("rnn", {"--vectors", vectors, "--embedding", "4"}),
                "vectors.txt: its vectors are of 3 numbers, and --embedding says 4");
  check_refused(small.arguments("rnn", {"--vectors", small / "missing"}), "missing: no such file");
}

BOOST_AUTO_TEST_CASE(odd_reviews_are_rated_too) {
  const Small small;
  std::string long_review;
  for (int k = 0; k < 1000000; ++k) long_review += "good bad! ";  // 10 MB
  const std::string file = small.file("odd.csv", "Rating,Review\n1,\n10,\"" + long_review +
                                                     "\"\n5,zzyzx qwfp\n7, \n4,\xF0\x9F\x98\x80\n");
  for (const std::string kind : {"mlp-bow", "mlp-cbow", "rnn"}) {
    BOOST_TEST_CONTEXT(kind) {
      parsed(small.train(kind, {"--epochs", "1"}));
      const Json scores =
          parsed(run(kProgram, {"evaluate", file, "--model", small.model, "--json"}));
      BOOST_TEST(scores["reviews"] == 5);
      BOOST_TEST(scores["mse"].get<double>() > 0);
      BOOST_TEST(rating(small, "") == rating(small, "zzyzx"));
    }
  }
  parsed(run(kProgram,
             {"train", file, "--model", "rnn", "--save", small.model, "--epochs", "1", "--json"}));
}

BOOST_AUTO_TEST_CASE(few_reviews_are_told_what_the_default_leaves_of_them) {
  const Small small;
  const auto said = [&](const Words& more) {
    return run(kProgram,
               with({"train", "--model", "mlp-bow", "--epochs", "1", "--save", small.model}, more))
        .out;
  };
  const std::string line =
      "few reviews: what occurs less than 5 times is unknown, --min-freq 1 would know all\n";
  BOOST_TEST(said({}).find(line) != std::string::npos);
  BOOST_TEST(said({"--min-freq", "1"}).find("few reviews") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
