// Ctrl-C during a training: a request to come to an end, not the end. What is saved then is decided
// in fit.cpp.
#pragma once

#include <csignal>
#include <string>

namespace tasks {

/// While one is alive, SIGINT and SIGTERM are only remembered; the second one ends the program as
/// ever.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  /// The signal that came, 0 if none did.
  int signal() const;

 private:
  struct sigaction interrupt_, terminate_;  // as they were before
};

/// Thrown when all is saved; command_line.hpp prints what it says and exits with 128 + signal.
struct Interrupted {
  int signal;
  std::string message;
};

}  // namespace tasks
