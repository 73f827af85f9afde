// The one main() of all Boost.Test programs. Paths are compiled in here and nowhere else, so that the
// compiler cache serves the tests themselves to any clone.
#define BOOST_TEST_MODULE unroll
#include <boost/test/unit_test.hpp>

#include <fstream>

#include "paths.hpp"

std::filesystem::path tests_dir() { return UNROLL_TESTS_DIR; }
std::filesystem::path build_dir() { return UNROLL_BUILD_DIR; }

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  BOOST_REQUIRE_MESSAGE(in, "cannot open " << file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}
