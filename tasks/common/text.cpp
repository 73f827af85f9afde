// UTF-8 read strictly and written back, and how wide it is on a terminal. Broken text is
// never mended.
#include "common/text.hpp"

#include <wchar.h>

#include <algorithm>
#include <clocale>
#include <cstdio>

#include "common/bad_input.hpp"

namespace tasks {
namespace {

[[noreturn]] void not_utf8(const std::string& name, std::size_t position, unsigned char byte) {
  char hex[8];
  std::snprintf(hex, sizeof hex, "0x%02X", byte);
  bad_input(name, ": not UTF-8 at byte ", position, " (", hex, ")");
}

// Length of the character that starts with this byte; 0 if none does (Unicode 15, table 3-7).
int length_of(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;  // a continuation byte, or an overlong two-byte form
  if (first < 0xE0) return 2;
  if (first < 0xF0) return 3;
  return first < 0xF5 ? 4 : 0;
}

// The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF.
bool second_fits(unsigned char first, unsigned char second) {
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  return low <= second && second <= high;
}

int column_count(char32_t c) {
  // wcwidth follows the locale; every glibc has this one, whatever the user's is.
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (utf8 == nullptr) return 1;
  const locale_t before = uselocale(utf8);
  const int width = wcwidth(static_cast<wchar_t>(c));
  uselocale(before);
  return std::max(width, 0);
}

}  // namespace

std::u32string decode_utf8(std::string_view bytes, const std::string& name) {
  std::u32string characters;
  characters.reserve(bytes.size());
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (std::size_t i = bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0; i < bytes.size();) {
    const int length = length_of(byte(i));
    if (length == 0) not_utf8(name, i, byte(i));
    char32_t c = length == 1 ? byte(i) : byte(i) & (0x7Fu >> length);
    for (int k = 1; k < length; ++k) {
      if (i + k >= bytes.size())
        bad_input(name, ": not UTF-8: cut off in the character at byte ", i);
      const unsigned char next = byte(i + k);
      if ((next & 0xC0) != 0x80 || (k == 1 && !second_fits(byte(i), next)))
        not_utf8(name, i + k, next);
      c = c << 6 | (next & 0x3Fu);
    }
    characters.push_back(c);
    i += length;
  }
  return characters;
}

std::string encode_utf8(char32_t c) {
  std::string bytes;
  const auto rest = [&](int shift) { bytes += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    bytes += static_cast<char>(c);
  } else if (c < 0x800) {
    bytes += static_cast<char>(0xC0 | c >> 6);
    rest(0);
  } else if (c < 0x10000) {
    bytes += static_cast<char>(0xE0 | c >> 12);
    rest(6), rest(0);
  } else {
    bytes += static_cast<char>(0xF0 | c >> 18);
    rest(12), rest(6), rest(0);
  }
  return bytes;
}

std::string encode_utf8(std::u32string_view characters) {
  std::string bytes;
  for (char32_t c : characters) bytes += encode_utf8(c);
  return bytes;
}

int display_width(std::string_view utf8) {
  int width = 0;
  for (char32_t c : decode_utf8(utf8, "text")) width += column_count(c);
  return width;
}

std::string pad_right(std::string_view utf8, int columns) {
  return std::string(utf8) + std::string(std::max(0, columns - display_width(utf8)), ' ');
}

std::string pad_left(std::string_view utf8, int columns) {
  return std::string(std::max(0, columns - display_width(utf8)), ' ') + std::string(utf8);
}

std::string visible(char32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (c == ' ') return "' '";
  if (c < 0x20 || c == 0x7F) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\x%02X", static_cast<unsigned>(c));
    return hex;
  }
  return column_count(c) == 0 ? "\u25CC" + encode_utf8(c) : encode_utf8(c);
}

std::string excerpt(std::string_view utf8, std::size_t longest) {
  const std::u32string characters = decode_utf8(utf8, "text");
  std::string line;
  for (char32_t c : characters.substr(0, longest))
    line += c < 0x20 || c == 0x7F ? visible(c) : encode_utf8(c);
  return characters.size() > longest ? line + "..." : line;
}

}  // namespace tasks
