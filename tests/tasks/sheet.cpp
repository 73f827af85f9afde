// Arrays with names for their rows and columns: what is written, and over which files.
#include <boost/test/unit_test.hpp>

#include "common/bad_input.hpp"
#include "common/csv.hpp"
#include "common/sheet.hpp"
#include "program.hpp"

using namespace tasks;

namespace {

Sheet words() {
  return {.title = "output of embed",
          .values = unroll::values({{0.1, -2}, {1e-9, 3.14159265}}).expanded(1),
          .rows = {"a,\"b\"", "\n"},
          .columns = {"left", "right"}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sheet)

BOOST_AUTO_TEST_CASE(text) {
  BOOST_TEST(words().text() == "# output of embed (2, 1, 2)\n"
                               "             left       right\n"
                               "a,\"b\"         0.1          -2\n"
                               "\\n          1e-09      3.1416\n");
  const Sheet numbered{.title = "w", .values = unroll::zeros({2, 3, 1})};
  BOOST_TEST(numbered.text() == "# w (2, 3, 1)\n"
                                "              0\n"
                                "0 0           0\n"
                                "0 1           0\n"
                                "0 2           0\n"
                                "1 0           0\n"
                                "1 1           0\n"
                                "1 2           0\n");
}

BOOST_AUTO_TEST_CASE(any_number_of_axes) {
  BOOST_TEST((Sheet{.title = "b", .values = unroll::values({7., 8.})}.csv()) ==
             "row of b,value\n0,7\n1,8\n");
  BOOST_TEST((Sheet{.title = "n", .values = unroll::zeros({})}.csv()) == "row of n,value\n,0\n");
  BOOST_TEST((Sheet{.title = "none", .values = unroll::zeros({0, 2})}.csv()) ==
             "row of none,0,1\n");
}

BOOST_AUTO_TEST_CASE(csv_gives_the_same_numbers_again) {
  const Csv csv = Csv::parse(words().csv(), "a sheet");
  BOOST_TEST(csv.names() == (std::vector<std::string>{"row of output of embed", "left", "right"}),
             boost::test_tools::per_element());
  BOOST_TEST(csv.column("row of output of embed") == words().rows,
             boost::test_tools::per_element());
  const auto left = csv.numbers("left"), right = csv.numbers("right");
  BOOST_TEST(float(left[0]) == 0.1f);
  BOOST_TEST(float(left[1]) == 1e-9f);
  BOOST_TEST(float(right[1]) == 3.14159265f);
}

BOOST_AUTO_TEST_CASE(json) {
  BOOST_TEST(words().json().dump() ==
             R"({"title":"output of embed","shape":[2,1,2],"rows":["a,\"b\"","\n"],)"
             R"("columns":["left","right"],"values":[[0.1,-2.0],[1e-09,3.1415927]]})");
}

BOOST_AUTO_TEST_CASE(files_by_their_ending) {
  const Folder folder;
  for (const std::string name : {"a.csv", "a.npy", "a.txt"})
    for (int time = 0; time < 2; ++time) {  // over its own file too
      Sheet::require_place(folder / name);
      words().save(folder / name);
    }
  BOOST_TEST(content_of(folder / "a.csv") == words().csv());
  BOOST_TEST(content_of(folder / "a.txt") == words().text());
  const unroll::Array back = unroll::load_npy(folder / "a.npy");
  BOOST_TEST((back.shape() == unroll::Shape{2, 1, 2}));
  BOOST_TEST(back.to_vector<float>() == words().values.to_vector<float>(),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(npy_as_the_library_writes_it) {
  using namespace unroll;
  const Folder folder;
  for (const Array& values : {zeros({}), zeros({7}), ones({0, 2}), full({2, 3, 4}, 7),
                              full({3, 2}, 0.1, float64), full({2}, 5, int64)}) {
    Sheet{.title = "w", .values = values}.save(folder / "a.npy");
    const Array back = load_npy(folder / "a.npy");
    BOOST_TEST_CONTEXT(values.shape().text()) {
      BOOST_TEST((back.type() == values.type()));
      BOOST_TEST(identical(back, values));
    }
    save_npy(values, folder / "b.npy");
    BOOST_TEST((content_of(folder / "a.npy").size() == content_of(folder / "b.npy").size()));
  }
}

BOOST_AUTO_TEST_CASE(files_of_others_stay) {
  const Folder folder;
  for (const std::string name : {"a.csv", "a.npy", "a.txt"}) {
    BOOST_CHECK_THROW(Sheet::require_place(folder.file(name, "a,b\n1,2\n")), BadInput);
    BOOST_CHECK_THROW(Sheet::require_place(folder.file("empty" + name, "")), BadInput);
  }
  BOOST_CHECK_THROW(Sheet::require_place(folder / "a.json"), BadInput);
  BOOST_CHECK_THROW(Sheet::require_place(folder / "missing/a.csv"), BadInput);
  BOOST_CHECK_THROW(words().save(folder / "missing/a.csv"), BadInput);
  BOOST_CHECK_THROW(words().save(folder / "missing/a.npy"), BadInput);
}

BOOST_AUTO_TEST_SUITE_END()
