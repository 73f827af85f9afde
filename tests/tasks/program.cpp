// Programs started as a shell would, with what they say in files. Nothing of the user's is touched.
#include "program.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include "common/paths.hpp"

extern char** environ;

namespace fs = std::filesystem;

bool Ran::refused() const {
  return code == 2 && out.empty() && std::count(err.begin(), err.end(), '\n') == 1 &&
         err.back() == '\n';
}

Started::Started(const std::string& name, std::vector<std::string> arguments,
                 const std::string& path) {
  const std::string out = *folder_ / "out", err = *folder_ / "err";
  arguments.insert(arguments.begin(), build_dir() / "tasks" / name);
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);

  const std::string path_setting = "PATH=" + path;
  std::vector<char*> settings;
  for (char** setting = environ; *setting != nullptr; ++setting)
    if (path.empty() || !std::string_view(*setting).starts_with("PATH="))
      settings.push_back(*setting);
  if (!path.empty()) settings.push_back(const_cast<char*>(path_setting.c_str()));
  settings.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&files, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  const int failed = posix_spawn(&child_, words[0], &files, nullptr, words.data(), settings.data());
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) throw std::runtime_error("cannot run " + arguments[0] + "; is it built?");
}

Started::~Started() {
  if (child_ == 0) return;
  signal(SIGKILL);
  wait();
}

bool Started::is_running() const {
  siginfo_t info = {};
  waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
  return info.si_pid == 0;
}

void Started::signal(int number) const { kill(child_, number); }

Ran Started::wait() {
  int status = 0;
  waitpid(child_, &status, 0);
  child_ = 0;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, content_of(*folder_ / "out"), content_of(*folder_ / "err")};
}

Started start(const std::string& name, std::vector<std::string> arguments) {
  return Started(name, std::move(arguments), "");
}

Ran run(const std::string& name, std::vector<std::string> arguments, const std::string& path) {
  return Started(name, std::move(arguments), path).wait();
}

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "unroll-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  path = name;
}

Folder::~Folder() {
  std::error_code none;
  fs::remove_all(path, none);
}

std::string Folder::file(const std::string& name, const std::string& content) const {
  std::ofstream out(path / name, std::ios::binary);
  if (!(out << content << std::flush)) throw std::runtime_error("cannot write " + name);
  return path / name;
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
