// The texts of tasks/data, built into the programs so that they run from anywhere without a file.
// CMake turns every .csv and .txt there into a string; what they are is told in tasks/README.md.
#pragma once

#include <string>
#include <string_view>

namespace tasks {

/// The content of tasks/data/NAME. Throws Error if there is none of that name.
///
///     embedded("harbour_year.txt")
std::string_view embedded(const std::string& name);

}  // namespace tasks
