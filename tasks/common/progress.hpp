// Progress: what a training says while it runs. On a terminal one line that is written over, else
// plain lines now and then.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

namespace tasks {

class Progress {
 public:
  /// To stderr when stdout belongs to a machine (--json).
  explicit Progress(std::FILE* out);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// What stands above all else. Shown with the first thing that follows, and not at all if nothing
  /// does: a training that is refused says only why.
  void opening(const std::string& text);
  /// The state of things; may be dropped if the last one is too fresh to read.
  void update(const std::string& text);
  /// A line that stays.
  void line(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;
  void clear();
  void open();

  std::FILE* out_;
  std::string opening_;
  bool terminal_, pending_ = false;
  Clock::time_point shown_;
};

/// "0:07", "12:34", "1:02:03".
std::string clock_text(double seconds);
/// Three digits: "873", "45.2 k", "1.23 M".
std::string count_text(double count);
/// As printf's "%.*f".
std::string fixed(double number, int digits);

}  // namespace tasks
