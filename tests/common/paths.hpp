#pragma once

#include <filesystem>

std::filesystem::path tests_dir();  // tests/ of the source tree: golden values, data
std::filesystem::path build_dir();  // programs are in build_dir() / "tasks"
