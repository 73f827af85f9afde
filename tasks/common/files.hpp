// Files of the programs: read whole, and asked about before they are written. What is in them is
// the business of others (text.hpp, model_file.hpp).
#pragma once

#include <fstream>
#include <string>

#include "common/bad_input.hpp"

namespace tasks {

/// The bytes of a file. Throws BadInput "book.txt: no such file", and so on for a folder, an empty
/// file, one that may not be read.
std::string read_file(const std::string& path);

/// A file at its first byte, to be read in pieces. Throws what read_file throws.
std::ifstream open_file(const std::string& path);

/// Throws BadInput for a file that begins as no safetensors file does, and what read_file throws.
void require_safetensors(const std::string& path);

/// Throws BadInput if no file could be written there: better before an hour of training than after.
/// Leaves nothing behind and touches no file that is there already.
void require_writable(const std::string& path);

/// The same, and throws BadInput if there is a file that begins otherwise: what no program of ours
/// has written stays.
void require_replaceable(const std::string& path, const std::string& start);

/// Writes a file in one move: whoever looks sees the old one or the new one. Throws BadInput if it
/// cannot be written, and then has changed nothing.
void write_file(const std::string& path, const std::string& bytes);

/// Removes what killed programs left half-written beside it: PATH.PID-N.tmp of processes that are
/// no more (layers/new_file.hpp).
void remove_leftovers(const std::string& path);

/// What the library says of a file, without its "[load] " or "[save] "; "" if it speaks of no file.
inline std::string complaint_of_file(const unroll::Error& error) {
  const std::string text = error.what();
  for (const std::string op : {"[load] ", "[save] "})
    if (text.starts_with(op)) return text.substr(op.size());
  return "";
}

/// f(), which reads or writes files: what the library has against them is bad input.
template <class F>
auto as_bad_input(F&& f) {
  try {
    return f();
  } catch (const unroll::Error& error) {
    const std::string complaint = complaint_of_file(error);
    throw BadInput(complaint.empty() ? error.what() : complaint);
  }
}

}  // namespace tasks
