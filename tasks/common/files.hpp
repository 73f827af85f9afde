// Files of the programs: read whole, and asked about before they are written. What is in them is
// the business of others (text.hpp, model_file.hpp); writing is the library's
// (layers/new_file.hpp).
#pragma once

#include <fstream>
#include <string>

namespace tasks {

/// The bytes of a file. Throws BadInput "book.txt: no such file", and so on for a folder, an empty
/// file, one that may not be read.
std::string read_file(const std::string& path);

/// A file at its first byte, to be read in pieces. Throws what read_file throws.
std::ifstream open_file(const std::string& path);

/// Throws BadInput if no file could be written there: better before an hour of training than after.
/// Leaves nothing behind and touches no file that is there already.
void require_writable(const std::string& path);

/// The same, and throws BadInput if there is a file that begins otherwise: what no program of ours
/// has written stays.
void require_replaceable(const std::string& path, const std::string& start);

/// Removes what killed programs left half-written beside it: PATH.PID-N.tmp of processes that are
/// no more (layers/new_file.hpp).
void remove_leftovers(const std::string& path);

}  // namespace tasks
