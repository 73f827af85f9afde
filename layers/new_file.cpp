// The system calls behind files that are there whole or not at all. Who writes what into them is
// told in save.cpp.
#include <unroll/layers/new_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace unroll::detail {

namespace {

std::string place_of(const std::string& path) {
  std::error_code none;
  auto status = std::filesystem::status(path, none);
  if (!std::filesystem::exists(status)) return path;
  if (!std::filesystem::is_regular_file(status))
    fail("save", path, ": exists, and is not a file that could be replaced.");
  return std::filesystem::canonical(path).string();
}

// Distinct among processes and threads.
std::string temporary_name(const std::string& place) {
  static std::atomic<int> count{0};
  return join(place, ".", static_cast<int>(::getpid()), "-", ++count, ".tmp");
}

}  // namespace

std::string system_reason() { return std::generic_category().message(errno); }

Descriptor::Descriptor(const char* path, int flags, unsigned mode)
    : number_(::open(path, flags | O_CLOEXEC, static_cast<mode_t>(mode))) {}

bool Descriptor::close() {
  int n = std::exchange(number_, -1);
  return n < 0 || ::close(n) == 0;
}

NewFile::NewFile(const std::string& path)
    : path_(path), place_(place_of(path)), temporary_(temporary_name(place_)),
      file_(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666) {
  if (file_.number() < 0) fail("save", path_, ": ", system_reason(), ".");
}

NewFile::~NewFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void NewFile::write(const void* data, std::size_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    ssize_t n = ::write(file_.number(), from, std::min(bytes, std::size_t{1} << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) give_up();
    from += n;
    bytes -= static_cast<std::size_t>(n);
  }
}

void NewFile::commit() {
  struct stat old;
  if (::stat(place_.c_str(), &old) == 0) ::fchmod(file_.number(), old.st_mode & 07777);
  if (::fsync(file_.number()) != 0 || !file_.close()) give_up();
  if (::rename(temporary_.c_str(), place_.c_str()) != 0) give_up();
  committed_ = true;
  // The new name is on the disk when its folder is; some file systems have no such call.
  std::string folder = std::filesystem::path(place_).parent_path().string();
  Descriptor d(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (d.number() >= 0) ::fsync(d.number());
}

void NewFile::give_up() const {
  fail("save", path_, ": ", system_reason(), "; nothing was changed.");
}

}  // namespace unroll::detail
