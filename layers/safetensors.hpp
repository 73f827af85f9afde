// The header of a safetensors file, written and read; where its bytes come from is the caller's.
// Internal: save.hpp is for users.
#pragma once

#include <string_view>

#include <unroll/layers/named_arrays.hpp>

namespace unroll::safetensors {

/// One array in a file; offsets count from the end of the header.
struct Entry {
  std::string name;
  Type type = float32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

struct Header {
  std::vector<Entry> entries;  ///< in the order of their numbers in the file
  Metadata metadata;
};

/// The metadata key under which checksum() is kept.
inline constexpr const char* kChecksum = "unroll.checksum";
/// 16 hexadecimal digits that change with any name, number or text, kChecksum's own aside. Arrays
/// are contiguous.
std::string checksum(const NamedArrays& arrays, const Metadata& metadata);

/// A name in quotes for messages: one short line, however hostile.
std::string shown(const std::string& name);

/// Where arrays will lie: those of 8-byte elements first, so that all are aligned, then by name.
std::vector<Entry> place(const NamedArrays& arrays);
/// The 8 bytes that hold the header's length, and the header, padded to a multiple of 8. Throws
/// Error for texts that are not UTF-8; `where` stands in errors.
std::string format(const std::string& where, const std::vector<Entry>& entries,
                   const Metadata& metadata);

/// The header's length from the first bytes of a file of that size. Throws Error if it cannot be.
std::uint64_t header_length(const std::string& where, std::string_view first_bytes,
                            std::uint64_t file_bytes);
/// Throws Error unless the header is one, and its arrays fill `data_bytes` without hole or overlap.
Header parse(const std::string& where, std::string_view header, std::uint64_t data_bytes);

}  // namespace unroll::safetensors
