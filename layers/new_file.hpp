// Files that are there whole or not at all: written beside their place, synced, and renamed.
// What is in them is the business of others. Internal.
#pragma once

#include <string>

#include <unroll/autograd/error.hpp>

namespace unroll::detail {

/// What the system says about the call that failed last.
std::string system_reason();

/// An open file that is closed in any case.
class Descriptor {
 public:
  /// As open(2); number() is -1 if it failed.
  Descriptor(const char* path, int flags, unsigned mode = 0);
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int number() const { return number_; }
  bool close();

 private:
  int number_;
};

/// A file beside its final place, which it takes in commit(); without that it disappears. Throws
/// Error naming the path, and then has changed no file.
class NewFile {
 public:
  /// Links stay links; what is no file, such as a device, is not replaced by one.
  explicit NewFile(const std::string& path);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  void write(const void* data, std::size_t bytes);
  /// Where it is until commit(), for other programs to write into.
  const std::string& temporary() const { return temporary_; }
  /// Syncs the file and puts it in its place; what was there is gone.
  void commit();

 private:
  [[noreturn]] void give_up() const;

  std::string path_, place_, temporary_;
  Descriptor file_;
  bool committed_ = false;
};

}  // namespace unroll::detail
