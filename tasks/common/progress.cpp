// Lines on a terminal and elsewhere, and numbers as people read them. When there is something to
// say is up to the training loops.
#include "common/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace tasks {
namespace {

constexpr std::chrono::milliseconds kOnTerminal{100}, kElsewhere{15000};

}  // namespace

Progress::Progress(std::FILE* out)
    : out_(out), terminal_(isatty(fileno(out)) != 0), shown_(Clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (pending_) std::fputs("\r\033[K", out_);
  pending_ = false;
  std::fflush(out_);
}

void Progress::open() {
  std::fputs(std::exchange(opening_, {}).c_str(), out_);
  std::fflush(out_);
}

void Progress::opening(const std::string& text) { opening_ += text + '\n'; }

void Progress::update(const std::string& text) {
  open();
  const auto now = Clock::now();
  if (now - shown_ < (terminal_ ? kOnTerminal : kElsewhere)) return;
  shown_ = now;
  if (!terminal_) return line(text);
  std::fprintf(out_, "\r%s\033[K", text.c_str());
  std::fflush(out_);
  pending_ = true;
}

void Progress::line(const std::string& text) {
  clear();
  open();
  std::fprintf(out_, "%s\n", text.c_str());
  std::fflush(out_);
}

std::string fixed(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::string clock_text(double seconds) {
  const long s = std::max(0L, static_cast<long>(seconds + 0.5));
  char text[32];
  if (s < 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  }
  return text;
}

std::string count_text(double count) {
  const char* unit = "";
  for (const char* next : {" k", " M", " G"}) {
    if (count < 999.5) break;
    count /= 1000;
    unit = next;
  }
  const int digits = *unit == 0 || count >= 99.95 ? 0 : count >= 9.995 ? 1 : 2;
  return fixed(count, digits) + unit;
}

}  // namespace tasks
