// Runs the built programs as a user does and keeps what they say.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct Ran {
  int code = -1;  // 128 + signal if one killed it
  std::string out, err;
  /// True for one line of complaint, exit code 2 and nothing on stdout.
  bool refused() const;
};

/// A folder of its own for each test, removed afterwards.
struct Folder {
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path / name; }
  /// Writes a file and returns its path.
  std::string file(const std::string& name, const std::string& content) const;
  std::filesystem::path path;
};

/// A program that runs beside the test; killed if nobody waits for it.
class Started {
 public:
  Started(const std::string& name, std::vector<std::string> arguments, const std::string& path);
  ~Started();
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;

  bool is_running() const;
  void signal(int number) const;
  /// Until it has ended.
  Ran wait();

 private:
  std::unique_ptr<Folder> folder_ = std::make_unique<Folder>();  // for what it says
  int child_ = 0;
};
Started start(const std::string& name, std::vector<std::string> arguments);

/// Calls build/tasks/NAME with these arguments; programs that it starts are looked for in `path`,
/// if that is not empty.
Ran run(const std::string& name, std::vector<std::string> arguments, const std::string& path = "");

std::string content_of(const std::string& path);
