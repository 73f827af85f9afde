// One Boost test case for each row of the op table, and the test that no public op is without a
// row. That the runner finds mistakes is tested in op_runner_test.cpp.
#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include <boost/test/unit_test.hpp>

#include "common/paths.hpp"
#include "op_table.hpp"

namespace {

namespace utf = boost::unit_test;

/// Boost takes no signs in names: operator* is called "operator multiply".
std::string title_of(const op_table::Row& row) {
  static const std::map<std::string, std::string> words = {
      {"+", "plus"},     {"-", "minus"},
      {"*", "multiply"}, {"/", "divide"},
      {"<", "less"},     {"<=", "less or equal"},
      {">", "greater"},  {">=", "greater or equal"},
      {"&&", "and"},     {"||", "or"},
      {"!", "not"}};
  std::string title = row.name;
  if (title.starts_with("operator")) title = "operator " + words.at(title.substr(8));
  return row.variant.empty() ? title : title + " " + row.variant;
}

void test_row(const op_table::Row& row) {
  const op_table::Outcome outcome = op_table::check(row);
  BOOST_TEST(outcome.checks >= 5);
  for (const std::string& complaint : outcome.complaints) BOOST_ERROR(complaint);
}

/// Makes the test cases when Boost asks for them, after all static rows have registered.
class RowTests : public utf::test_unit_generator {
 public:
  utf::test_unit* next() const override {
    const auto& rows = op_table::all_rows();
    if (at_ >= rows.size()) return nullptr;
    const op_table::Row& row = rows[at_++];
    const std::string title = title_of(row);
    return utf::make_test_case([&row] { test_row(row); }, title, __FILE__, __LINE__);
  }

 private:
  mutable std::size_t at_ = 0;
};

std::set<std::string> row_names() {
  std::set<std::string> names;
  for (const auto& row : op_table::all_rows()) names.insert(row.name);
  return names;
}

/// Names of functions that a header declares at the left margin and that return Variables.
std::set<std::string> declared_in(const std::filesystem::path& header) {
  static const std::regex declaration(
      R"(^(?:inline )?(?:Variable|Sorted|Attended|CrfMarginals|CrfPaths|std::vector<Variable>|)"
      R"(std::array<Variable, N>|auto|decltype\(auto\)) (operator[^ (]+|[a-z][a-z0-9_]*)\()");
  std::set<std::string> names;
  bool hidden = false;  // within namespace detail
  for (const std::string& line : lines_of(header)) {
    if (line.starts_with("namespace detail") || line.starts_with("namespace kernel")) hidden = true;
    if (line.starts_with("}  // namespace")) hidden = false;
    std::smatch match;
    if (!hidden && std::regex_search(line, match, declaration)) names.insert(match[1]);
  }
  return names;
}

// What has no row, and where it is tested instead.
const std::set<std::string> kElsewhere = {
    "categorical", "dropout",  // random: random.cpp
    "fuse",                    // takes a lambda: fuse.cpp
    "affine_of",               // the list form of affine
};

}  // namespace

BOOST_AUTO_TEST_SUITE(op_table_rows)
static utf::ut_detail::auto_test_unit_registrar
    row_registrar(boost::shared_ptr<utf::test_unit_generator>(new RowTests),
                  utf::decorator::collector_t::instance());
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(op_table_coverage)

// ops.hpp includes the public headers and no others.
BOOST_AUTO_TEST_CASE(every_public_op_has_a_row) {
  const auto folder = tests_dir().parent_path() / "ops";
  const std::regex include(R"(^#include <unroll/ops/(\w+\.hpp)>)");
  const auto rows = row_names();
  int headers = 0;
  std::size_t ops = 0;
  for (const std::string& line : lines_of(folder / "ops.hpp")) {
    std::smatch match;
    if (!std::regex_search(line, match, include)) continue;
    ++headers;
    const auto declared = declared_in(folder / match[1].str());
    ops += declared.size();
    for (const std::string& name : declared)
      if (!kElsewhere.contains(name))
        BOOST_TEST(rows.contains(name), match[1] << " declares " << name << ", which has no row");
  }
  BOOST_TEST(headers >= 10);
  BOOST_TEST(ops >= 100);
}

BOOST_AUTO_TEST_CASE(names_are_unique) {
  std::map<std::string, int> titles;
  for (const auto& row : op_table::all_rows()) ++titles[row.name + " " + row.variant];
  for (const auto& [title, n] : titles)
    BOOST_TEST(n == 1, title << " stands in the table " << n << " times");
}

BOOST_AUTO_TEST_SUITE_END()
