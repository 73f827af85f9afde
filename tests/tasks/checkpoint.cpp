// A program that is killed or interrupted while it trains: the last good checkpoint always loads,
// and the training that goes on from it is the one that was not stopped.
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <thread>

#include <nlohmann/json.hpp>

#include <unroll/layers/save.hpp>

#include "program.hpp"

namespace {

using Words = std::vector<std::string>;

const std::string kProgram = "language_modeling";

struct Tiny : Folder {
  std::string text, checkpoint = *this / "checkpoint", model = *this / "model.safetensors";

  Tiny() {
    std::string some;
    for (int k = 0; k < 40; ++k) some += "the sea was there again. ";
    text = file("text.txt", some);
  }
  Words train(const std::string& epochs, const Words& more = {}) const {
    Words words{"train",           text,   "--save",    model, "--hidden",   "8",
                "--embedding",     "4",    "--steps",   "4",   "--batch",    "8",
                "--epochs",        epochs, "--threads", "1",   "--patience", "1000000",
                "--learning-rate", "0.01"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  /// Goes on from the checkpoint if there is one.
  Words go_on(const std::string& epochs) const {
    Words words = train(epochs, {"--checkpoint", checkpoint, "--checkpoint-every", "1"});
    if (std::filesystem::exists(checkpoint)) words.push_back("--resume");
    return words;
  }
  /// Of the checkpoint; 0 if there is none. Throws if it is not whole.
  std::int64_t step() const {
    if (!std::filesystem::exists(checkpoint)) return 0;
    const auto metadata = unroll::load_arrays(checkpoint).metadata;
    return nlohmann::json::parse(metadata.at("checkpoint")).at("step");
  }
  void wait_for_progress(const Started& program, std::int64_t before) const {
    while (program.is_running() && step() == before)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoint)

BOOST_AUTO_TEST_CASE(killed_at_any_moment_the_last_good_checkpoint_loads) {
  constexpr int kKills = 100;
  const Tiny tiny;
  std::int64_t last = 0;
  for (int k = 0; k < kKills; ++k) {
    Started program = start(kProgram, tiny.go_on("1000000"));
    tiny.wait_for_progress(program, last);
    std::this_thread::sleep_for(std::chrono::microseconds(97 * k % 3000));
    program.signal(SIGKILL);
    BOOST_TEST(program.wait().code == 128 + SIGKILL);
    const std::int64_t step = tiny.step();  // throws if it is not whole
    BOOST_TEST(step > last);
    last = step;
  }
  // What the killed ones left half-written is swept away by the next one.
  Started program = start(kProgram, tiny.go_on("1000000"));
  tiny.wait_for_progress(program, last);
  program.signal(SIGINT);
  BOOST_TEST(program.wait().code == 130);
  for (const auto& entry : std::filesystem::directory_iterator(tiny.path))
    BOOST_TEST(entry.path().extension() != ".tmp");
}

BOOST_AUTO_TEST_CASE(interrupted_again_and_again_the_model_is_the_same) {
  const Tiny whole, parts;
  BOOST_TEST(run(kProgram, whole.train("12")).code == 0);
  int stops = 0;
  for (bool done = false; !done;) {
    const std::int64_t before = parts.step();
    Started program = start(kProgram, parts.go_on("12"));
    // As soon as it has done something new.
    parts.wait_for_progress(program, before);
    program.signal(SIGINT);
    const Ran ran = program.wait();
    // It may have ended before the signal came, or while it did.
    done = ran.code == 0 || (ran.code == 130 && ran.err.empty());
    if (done) break;
    ++stops;
    BOOST_REQUIRE(ran.code == 130);
    BOOST_TEST(ran.err == kProgram + ": stopped; the best network so far is in " + parts.model +
                              ", and --resume goes on from " + parts.checkpoint + "\n");
    BOOST_TEST(std::filesystem::exists(parts.model));
  }
  BOOST_TEST(stops > 1);
  BOOST_TEST((content_of(parts.model) == content_of(whole.model)));
}

// --save may name another model of the program by then, or nothing yet.
BOOST_AUTO_TEST_CASE(the_best_network_is_where_it_is_said_to_be) {
  const Tiny tiny;
  const auto train = [&](const std::string& save, const Words& more) {
    Words words = tiny.train("2", more);
    words.insert(words.end(), {"--save", save});
    const Ran ran = run(kProgram, words);
    BOOST_TEST_INFO(ran.err);
    BOOST_TEST(ran.code == 0);
    BOOST_TEST(ran.out.find("saved in " + save) != std::string::npos);
  };
  const std::string first = tiny / "a1.safetensors", later = tiny / "a2.safetensors",
                    other = tiny / "a3.safetensors";
  train(first, {"--checkpoint", tiny.checkpoint});
  train(other, {"--cell", "elman", "--hidden", "4"});
  for (const std::string& save : {later, other}) {
    train(save, {"--checkpoint", tiny.checkpoint, "--resume"});
    BOOST_TEST((content_of(save) == content_of(first)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
