// The loss of a training on texts, against one that reads them without cutting them into windows.
// How windows are cut is in batches.cpp; what the program says of it in language_modeling.cpp.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <nlohmann/json.hpp>
#include <unroll/unroll.hpp>

#include "language_modeling/tokens.hpp"
#include "language_modeling/training.hpp"
#include "program.hpp"

using namespace tasks;
using namespace unroll;

namespace {

constexpr Size kTokens = 7;

TrainedModel model_of(bool stories) {
  const Settings settings{.dropout = 0,
                          .embedding = 4,
                          .hidden = 5,
                          .layers = 2,
                          .stories = stories,
                          .tokens = stories ? "words" : "characters"};
  std::vector<std::string> tokens{"<PAD>", "<UNK>", kEndOfStory, "c", "d", "e", "f"};
  if (!stories) tokens = {"a", "b", "c", "d", "e", "f", "g"};
  TrainedModel model{settings, Lexicon(tokens), {settings, kTokens}};
  Generator generator(3);
  model.net.initialise(generator);
  return model;
}

std::vector<Size> text_of(Size length) {
  Generator generator(4);
  std::vector<Size> text;
  for (Size k = 0; k < length; ++k) text.push_back(3 + static_cast<Size>(generator.below(4)));
  return text;
}

/// The sum of the losses of all windows of an epoch, in order.
double windows_loss(const TrainedModel& model, const Corpus& corpus, Size batch, Size steps) {
  LanguageTraining training(model, corpus,
                            {.batch = batch, .steps = steps, .threads = 1, .path = ""});
  Generator generator(1);
  const std::vector<BatchSize> sizes = training.begin_epoch(generator);
  BOOST_TEST(sizes.size() > 3u);
  double sum = 0;
  for (std::size_t w = 0; w < sizes.size(); ++w)
    sum += training.loss(static_cast<Size>(w), {0, 0, sizes[w].rows}).item();
  return sum;
}

/// The same texts read in one window, from an empty state.
double whole_loss(const TrainedModel& model, const Corpus& corpus, Size batch, Size steps) {
  Generator generator(1);
  const auto windows = make_windows(model, corpus.train, batch, steps, &generator);
  Variables x, y;
  for (Size w = 0; w < windows->count(); ++w) {
    const Window window = windows->at(w, 0, windows->rows(w));
    x.push_back(window.x), y.push_back(window.y);
  }
  return model.net.loss(model.net(concat(x, 0), {}).h, concat(y, 0), {.reduction = Reduction::sum})
      .item();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(language_training)

BOOST_AUTO_TEST_CASE(a_running_text_carries_its_state_from_window_to_window) {
  const TrainedModel model = model_of(false);
  const Corpus corpus{{text_of(203)}, {text_of(20)}};
  const double found = windows_loss(model, corpus, 3, 8);
  BOOST_TEST(found == whole_loss(model, corpus, 3, 8), boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(a_long_story_carries_it_too_and_the_next_one_does_not) {
  const TrainedModel model = model_of(true);
  const auto loss = [&](const std::vector<std::vector<Size>>& stories, Size steps) {
    return windows_loss(model, {stories, stories}, 1, steps);
  };
  // Cut or not, and alone or after another: minus log p of a story is the same.
  const double long_story = loss({text_of(99), text_of(3), text_of(2), text_of(1)}, 200);
  BOOST_TEST(loss({text_of(99), text_of(3), text_of(2), text_of(1)}, 8) == long_story,
             boost::test_tools::tolerance(1e-5));
  double alone = 0;
  for (const Size length : {99, 3, 2, 1})
    alone += loss(std::vector<std::vector<Size>>(4, text_of(length)), 200) / 4;
  BOOST_TEST(alone == long_story, boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(learns_from_a_story_of_a_hundred_thousand_words) {
  const Folder folder;
  std::string story = "once";
  for (int k = 1; k < 100000; ++k) story += k % 2 ? " there" : " was";
  const std::string file = folder.file("long.csv", "Story\n" + story + "\nonce there was\n");
  const Ran ran = run("language_modeling",
                      {"train", file, "--valid", file, "--tokens", "words", "--hidden", "4",
                       "--embedding", "4", "--steps", "1000", "--epochs", "1", "--threads", "1",
                       "--save", folder / "model.safetensors", "--json"});
  BOOST_TEST_INFO(ran.err);
  BOOST_REQUIRE(ran.code == 0);
  const auto json = nlohmann::json::parse(ran.out);
  BOOST_TEST(json["tokens"] == 100005);  // with their ends
  BOOST_TEST(json["valid"].get<double>() < std::log(5));
}

BOOST_AUTO_TEST_SUITE_END()
