// What can be wrong with a file that a user names, in sentences. Nothing here changes one.
#include "common/files.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <unroll/layers/new_file.hpp>

#include "common/bad_input.hpp"

namespace tasks {
namespace {

namespace fs = std::filesystem;

std::string reason() { return errno == ENOENT ? "no such file" : std::strerror(errno); }

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
  try {
    unroll::detail::NewFile probe(path);
  } catch (const unroll::Error&) {
    bad_input(path, ": cannot be written: ", errno == ENOENT ? "no such folder" : reason());
  }
}

}  // namespace tasks
