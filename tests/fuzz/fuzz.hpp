// What the fuzz targets share: a complaint must be a BadInput or an Error of one short line, and
// what must hold is checked also where assertions are off. What is fed in, libFuzzer decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Whether read() accepts its input. A Refusal begins with `start` and is one line that a person
/// can read; any other exception is a finding.
template <class Refusal, class F>
bool accepted(const std::string& start, F&& read) {
  try {
    read();
    return true;
  } catch (const Refusal& refusal) {
    const std::string_view line = refusal.what();
    must(line.starts_with(start), "a complaint begins with the name of the file");
    must(line.size() < 2000, "a complaint is short");
    for (const char c : line)
      must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "a complaint is one line");
    return false;
  }
}
