// The one main() of all Boost.Test programs. Paths are compiled in here and nowhere else, so that the
// compiler cache serves the tests themselves to any clone.
#define BOOST_TEST_MODULE unroll
#include <boost/test/unit_test.hpp>

#include "paths.hpp"

std::filesystem::path tests_dir() { return UNROLL_TESTS_DIR; }
std::filesystem::path build_dir() { return UNROLL_BUILD_DIR; }
