// The signal handler, which sets one flag.
#include "common/interrupt.hpp"

namespace tasks {
namespace {

volatile std::sig_atomic_t came = 0;

}  // namespace

InterruptWatch::InterruptWatch() {
  came = 0;
  struct sigaction remember = {};
  remember.sa_handler = [](int signal) { came = signal; };
  // Restarting keeps a write to disk whole; the second signal is the system's.
  remember.sa_flags = SA_RESTART | SA_RESETHAND;
  sigaction(SIGINT, &remember, &interrupt_);
  sigaction(SIGTERM, &remember, &terminate_);
}

InterruptWatch::~InterruptWatch() {
  sigaction(SIGINT, &interrupt_, nullptr);
  sigaction(SIGTERM, &terminate_, nullptr);
}

int InterruptWatch::signal() const { return came; }

}  // namespace tasks
