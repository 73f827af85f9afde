#include "common/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/bad_input.hpp"

namespace tasks {
namespace {

namespace fs = std::filesystem;

std::string reason() { return errno == ENOENT ? "no such file" : std::strerror(errno); }

// In the same folder, as a move must not cross file systems; with the process in its name, as two
// programs may write the same model.
std::string temporary_for(const std::string& path) {
  return path + ".part" + std::to_string(getpid());
}

// The data must be on the disk before the name points to it.
void sync(const std::string& path, const std::string& name) {
  const int file = open(path.c_str(), O_RDONLY);
  const bool ok = file >= 0 && fsync(file) == 0;
  const std::string why = reason();
  if (file >= 0) close(file);
  if (!ok) bad_input(name, ": cannot be written: ", why);
}

}  // namespace

std::string read_file(const std::string& path) {
  std::error_code none;
  if (fs::is_directory(path, none)) bad_input(path, ": is a folder, not a file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) bad_input(path, ": ", reason());
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) bad_input(path, ": cannot be read");
  if (bytes.empty()) bad_input(path, ": the file is empty");
  return bytes;
}

void require_writable(const std::string& path) {
  std::error_code none;
  if (path.empty()) bad_input("the name of the file to write is empty");
  // Moving a file over /dev/null would replace the device.
  if (fs::is_directory(path, none)) bad_input(path, ": cannot be written: it is a folder");
  if (fs::exists(path, none) && !fs::is_regular_file(path, none))
    bad_input(path, ": cannot be written: it is not a plain file");
  if (fs::exists(path, none) && access(path.c_str(), W_OK) != 0)
    bad_input(path, ": cannot be written: ", reason());
  const std::string temporary = temporary_for(path);
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (file < 0)
    bad_input(path, ": cannot be written: ", errno == ENOENT ? "no such folder" : reason());
  close(file);
  unlink(temporary.c_str());
}

void replace_file(const std::string& path, const std::function<void(const std::string&)>& write) {
  const std::string temporary = temporary_for(path);
  try {
    write(temporary);
    sync(temporary, path);
    if (std::rename(temporary.c_str(), path.c_str()) != 0)
      bad_input(path, ": cannot be written: ", reason());
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
}

}  // namespace tasks
