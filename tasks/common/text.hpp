// Text as Unicode characters: strict UTF-8 in and out, and how wide a character is on a terminal.
// Files are read in files.hpp; characters become numbers in lexicon.hpp.
#pragma once

#include <string>
#include <string_view>

namespace tasks {

/// The characters of UTF-8 bytes, a byte order mark at the start left out. Throws BadInput
/// "NAME: not UTF-8 at byte 17 (0xC3)" for anything RFC 3629 forbids; the first byte is byte 0.
std::u32string decode_utf8(std::string_view bytes, const std::string& name);

std::string encode_utf8(char32_t character);
std::string encode_utf8(std::u32string_view characters);

/// Columns the text takes on a terminal: 0 for combining marks, 2 for wide characters.
int display_width(std::string_view utf8);

/// Filled up with spaces to that many columns, at the right or at the left end.
std::string pad_right(std::string_view utf8, int columns);
std::string pad_left(std::string_view utf8, int columns);

/// A character as a person can see it: line breaks as \n, a space as ' ', and a combining mark
/// on a dotted circle.
std::string visible(char32_t character);

/// The first characters of a text on one line, for complaints: control characters as \x07, "..."
/// where something is left out.
std::string excerpt(std::string_view utf8, std::size_t longest = 40);

}  // namespace tasks
