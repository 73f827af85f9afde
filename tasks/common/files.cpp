// What can be wrong with a file that a user names, in sentences. Of what it
// finds, only the leftovers of killed programs are removed.
#include "common/files.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>

#include <unroll/layers/new_file.hpp>

#include "common/bad_input.hpp"

namespace tasks {
namespace {

namespace fs = std::filesystem;

std::string reason() { return errno == ENOENT ? "no such file" : std::strerror(errno); }

}  // namespace

std::ifstream open_file(const std::string& path) {
  std::error_code none;
  if (path.empty()) bad_input("the name of the file to read is empty");
  if (fs::is_directory(path, none)) bad_input(path, ": is a folder, not a file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) bad_input(path, ": ", reason());
  const bool is_empty = in.peek() == std::ifstream::traits_type::eof();
  if (in.bad()) bad_input(path, ": cannot be read");
  if (is_empty) bad_input(path, ": the file is empty");
  return in;
}

std::string read_file(const std::string& path) {
  std::ifstream in = open_file(path);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) bad_input(path, ": cannot be read");
  return bytes;
}

void require_safetensors(const std::string& path) {
  constexpr std::size_t kLength = 8;  // of what says how long the header is
  std::string start(kLength + 1, '\0');
  std::ifstream in = open_file(path);
  if (!in.read(start.data(), static_cast<std::streamsize>(start.size())) || start[kLength] != '{')
    bad_input(path, ": is not a safetensors file");
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

void require_replaceable(const std::string& path, const std::string& start) {
  require_writable(path);
  std::ifstream in(path, std::ios::binary);
  std::string found(start.size(), '\0');
  if (in && (!in.read(found.data(), static_cast<std::streamsize>(found.size())) || found != start))
    bad_input(path, " exists and was not written by this program; choose another name");
}

void write_file(const std::string& path, const std::string& bytes) {
  as_bad_input([&] {
    unroll::detail::NewFile file(path);
    file.write(bytes.data(), bytes.size());
    file.commit();
  });
}

void remove_leftovers(const std::string& path) {
  const fs::path place(path);
  const std::string start = place.filename().string() + ".";
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::absolute(place).parent_path(), none)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(start) || !name.ends_with(".tmp")) continue;
    int process = 0, count = 0, end = 0;
    std::sscanf(name.c_str() + start.size(), "%d-%d.tmp%n", &process, &count, &end);
    if (end != static_cast<int>(name.size() - start.size()) || process <= 0) continue;
    if (kill(process, 0) != 0 && errno == ESRCH) fs::remove(entry.path(), none);
  }
}

}  // namespace tasks
