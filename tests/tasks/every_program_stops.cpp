// What each program that learns does when it cannot go on: a full disk, a folder for reading only,
// Ctrl-C. What was there is there still, and what was learned is saved.
#include "every_program.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <nlohmann/json.hpp>

#include "common/bad_input.hpp"
#include "common/onnx_file.hpp"
#include "common/paths.hpp"
#include "common/report.hpp"

using namespace every_program;

namespace {

/// While one is alive, files of this process and its children end after 512 bytes: as far as
/// write() can tell, a full disk.
class FullDisk {
 public:
  FullDisk() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit full{512, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

/// Until the program has written the file once more.
void wait_until_written(const std::string& path, const Started& program) {
  std::error_code none;
  const auto before = std::filesystem::last_write_time(path, none);
  while (program.is_running() && std::filesystem::last_write_time(path, none) == before)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

std::string largest_weight(const Program& program, const std::string& model) {
  const Ran ran = run(program.name, {"inspect", "--model", model, "--json"});
  BOOST_REQUIRE(ran.code == 0);
  std::string name;
  std::int64_t most = 0;
  const auto listed = nlohmann::json::parse(ran.out);
  for (const auto& weight : listed.at("weights")) {
    std::int64_t size = 1;
    for (const std::int64_t n : weight.at("shape")) size *= n;
    if (size > most) most = size, name = weight.at("name");
  }
  return name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(every_program_stops)

BOOST_AUTO_TEST_CASE(a_full_disk_costs_nothing) {
  for (const Program& program : kPrograms) {
    const Trained trained(program);
    const std::string checkpoint = trained / "checkpoint", other = trained / "new";
    const auto check = [&](const std::string& path, const Words& more) {
      const FullDisk disk;
      const Ran ran = run(program.name, trained.train(more));
      BOOST_TEST(ran.code == 2);
      BOOST_TEST(ran.err ==
                 program.name + ": " + path + ": File too large; nothing was changed.\n");
    };
    check(trained.model, {});
    check(other, {"--save", other});
    check(checkpoint, {"--checkpoint", checkpoint, "--checkpoint-every", "1"});
    trained.check_unharmed(2);
    for (const Verb& verb : program.verbs)
      for (const char* json : {"", " --json"}) {
        std::string line = "'" + (build_dir() / "tasks" / program.name).string() + "'";
        for (const auto& word : Trained::ask(verb, trained.data, trained.model))
          line += " '" + word + "'";
        line += json;
        line += " > /dev/full 2> '" + trained / "err" + "'";
        BOOST_TEST(WEXITSTATUS(std::system(line.c_str())) == 2);
        BOOST_TEST(content_of(trained / "err") ==
                   program.name + ": the output cannot be written: No space left on device\n");
      }
  }
}

BOOST_AUTO_TEST_CASE(a_full_disk_costs_nothing_when_a_network_is_written_down) {
  for (const Program& program : kPrograms) {
    const Trained trained(program);
    BOOST_REQUIRE(run(program.name, trained.train({"--hidden", "64"})).code == 0);
    const std::string weight = largest_weight(program, trained.model);
    const auto files = trained.files();
    const auto check = [&](const std::string& path, const Words& arguments) {
      for (const std::string before : {"", "old"}) {
        if (!before.empty()) {
          BOOST_REQUIRE(run(program.name, arguments).code == 0);
        }
        const std::string old = content_of(path);
        {
          const FullDisk disk;
          check_says(program, arguments, path + ": File too large; nothing was changed.");
        }
        BOOST_TEST((content_of(path) == old));
        BOOST_TEST(trained.files() == files + !before.empty());
      }
      std::filesystem::remove(path);
    };
    for (const std::string name : {"w.npy", "w.csv", "w.txt"})
      check(trained / name,
            {"inspect", "--weight", weight, "--model", trained.model, "--output", trained / name});
    if (tasks::onnx::writes_files())
      check(trained / "m.onnx", {"export", trained.model, "--onnx", trained / "m.onnx"});
    if (program.name != "pos_tagging")  // it has no import
      check(trained / "new",
            {"import", trained.model, "--model", trained.model, "--save", trained / "new"});
  }
}

BOOST_AUTO_TEST_CASE(a_full_disk_costs_nothing_when_a_page_or_a_drawing_is_written) {
  const Folder folder;
  const std::string page = folder.file("index.html", "old");
  const FullDisk disk;
  BOOST_CHECK_EXCEPTION(tasks::Report("a page").save(folder.path), tasks::BadInput,
                        [&](const tasks::BadInput& error) {
                          return error.what() == page + ": File too large; nothing was changed.";
                        });
  BOOST_TEST(content_of(page) == "old");
  for (const std::string name : {"g.dot", "g.svg"}) {
    const Ran ran = run("namaskar", {"--epochs", "2", "--graph", folder / name});
    BOOST_TEST(ran.code == 2);
    BOOST_TEST(ran.err ==
               "namaskar: " + folder / name + ": File too large; nothing was changed.\n");
  }
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

BOOST_AUTO_TEST_CASE(a_folder_for_reading_only) {
  const Folder locked;
  std::filesystem::permissions(locked.path, std::filesystem::perms(0555));
  // Root may write where others may not, but not there.
  const std::string place = geteuid() == 0 ? "/proc/unroll" : locked / "unroll";
  for (const Program& program : kPrograms) {
    const Trained trained(program);
    for (const char* option : {"--save", "--checkpoint"})
      check_refused(program, trained.train({option, place}), place + ": cannot be written: ");
    check_refused(program, trained.train({"--report", place}),
                  place + ": no such folder, and none");
    const std::string weight = largest_weight(program, trained.model);
    for (const std::string end : {".npy", ".csv", ".txt"})
      check_refused(
          program,
          {"inspect", "--weight", weight, "--model", trained.model, "--output", place + end},
          place + end + ": cannot be written: ");
    if (tasks::onnx::writes_files())
      check_refused(program, {"export", trained.model, "--onnx", place},
                    place + ": cannot be written: ");
    trained.check_unharmed(2);
  }
}

BOOST_AUTO_TEST_CASE(ctrl_c_saves_and_says_so) {
  for (const Program& program : kPrograms) {
    for (const bool has_checkpoint : {false, true}) {
      const Trained trained(program);
      const std::string model = trained / "new", checkpoint = trained / "checkpoint";
      Words arguments = trained.train(
          {"--save", model, "--epochs", "1000000", "--patience", "1000000", "--batch", "1"});
      std::string says = program.name + ": stopped; the best network so far is in " + model;
      if (has_checkpoint) {
        arguments = with(arguments, {"--checkpoint", checkpoint, "--checkpoint-every", "1"});
        says += ", and --resume goes on from " + checkpoint;
      }
      for (const int signal : {SIGINT, SIGTERM}) {
        Started started = start(program.name, arguments);
        wait_until_written(has_checkpoint ? checkpoint : model, started);
        started.signal(signal);
        const Ran ran = started.wait();
        BOOST_TEST(ran.code == 128 + signal);
        BOOST_TEST(ran.err == says + '\n');
        const Ran ask = run(program.name, Trained::ask(program.verbs[0], trained.data, model));
        BOOST_TEST(ask.code == 0);
        if (!has_checkpoint) break;
        arguments.push_back("--resume");
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
