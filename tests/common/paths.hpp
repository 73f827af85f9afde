// Where a test finds files of the project, and their lines. Defined in main.cpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

std::filesystem::path tests_dir();  // tests/ of the source tree: golden values, data
std::filesystem::path build_dir();  // programs are in build_dir() / "tasks"
std::vector<std::string> lines_of(const std::filesystem::path& file);  // fails the test without it
