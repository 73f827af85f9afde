// The texts that are built into the programs, so that they run from anywhere without a file.
// They lie in tasks/data; CMake turns them into strings.
#pragma once

#include <string_view>

namespace tasks {

/// "The Harbour Year", written for this project: a town by the sea in twelve months, in prose and
/// verse; English, ASCII, 23,000 characters.
extern const std::string_view kHarbourYear;

}  // namespace tasks
