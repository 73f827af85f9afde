// Runs the built programs as a user does and keeps what they say.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

struct Ran {
  int code = -1;  // 128 + signal if one killed it
  std::string out, err;
  /// True for one line of complaint, exit code 2 and nothing on stdout.
  bool refused() const;
};

/// Calls build/tasks/NAME with these arguments; programs that it starts are looked for in `path`,
/// if that is not empty.
Ran run(const std::string& name, std::vector<std::string> arguments, const std::string& path = "");

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

std::string content_of(const std::string& path);
