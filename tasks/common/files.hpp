// Files of the programs: read whole, written whole or not at all.
// What is in them is the business of others: text.hpp, model_file.hpp.
#pragma once

#include <functional>
#include <string>

namespace tasks {

/// The bytes of a file. Throws BadInput "book.txt: no such file", and so on for a folder, an empty
/// file, one that may not be read.
std::string read_file(const std::string& path);

/// Throws BadInput if no file could be written there: better before an hour of training than after.
/// Leaves nothing behind and touches no file that is there already.
void require_writable(const std::string& path);

/// Calls write(temporary path), then puts the result in place of `path` in one move, so that
/// whoever looks sees the old file or the new one. If anything fails the old file stays.
void replace_file(const std::string& path, const std::function<void(const std::string&)>& write);

}  // namespace tasks
