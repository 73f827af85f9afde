// CSV as RFC 4180 has it and as people write it; every complaint names file and line.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

#include "common/bad_input.hpp"
#include "common/csv.hpp"
#include "program.hpp"

using namespace tasks;
using Texts = std::vector<std::string>;

namespace {

std::string refusal(const std::string& bytes) {
  try {
    Csv::parse(bytes, "f.csv");
  } catch (const BadInput& error) {
    return error.what();
  }
  return "accepted";
}

std::string number_refusal(const std::string& field) {
  try {
    Csv::parse("n\n1\n" + field + "\n", "f.csv").numbers("n");
  } catch (const BadInput& error) {
    return error.what();
  }
  return "accepted";
}

void check_column(const std::string& bytes, const std::string& name, const Texts& expected) {
  BOOST_TEST(Csv::parse(bytes, "f.csv").column(name) == expected, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(columns_by_name) {
  const Csv file = Csv::parse("Rating,Review\n7,good\n1.5,\n", "f.csv");
  BOOST_TEST(file.rows() == 2);
  BOOST_TEST(file.names() == (Texts{"Rating", "Review"}), boost::test_tools::per_element());
  BOOST_TEST(file.column("Review") == (Texts{"good", ""}), boost::test_tools::per_element());
  BOOST_TEST(file.numbers("Rating") == (std::vector<double>{7, 1.5}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(quotes) {
  check_column("a,b\n\"1,2\",x\n", "a", {"1,2"});
  check_column("a,b\n\"say \"\"no\"\"\",x\n", "a", {"say \"no\""});
  check_column("a,b\n\"\"\"\",x\n", "a", {"\""});
  check_column("a,b\n\"\",x\n", "a", {""});
  check_column("a,b\n\"one\ntwo\r\n\nthree\",x\n", "a", {"one\ntwo\r\n\nthree"});
  check_column("\"a, really\",b\n1,2\n", "a, really", {"1"});
  check_column("a,b\n5,a \"word\" here\n", "b", {"a \"word\" here"});
  check_column("a,b\n1, \"x\" \n", "b", {" \"x\" "});  // spaces belong to a field
}

BOOST_AUTO_TEST_CASE(line_ends) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    check_column("a,b" + end + "1,2" + end + "3,4" + end, "b", {"2", "4"});
    check_column("a,b" + end + "1,2" + end + "3,4", "b", {"2", "4"});
    check_column("a,b" + end + "1,2" + end + "3,", "b", {"2", ""});
    check_column("a,b" + end + end + "1,2" + end + end + end, "b", {"2"});  // empty lines
  }
  check_column("a\nx\n\"\"\n", "a", {"x", ""});  // an empty field of one column is written so
}

BOOST_AUTO_TEST_CASE(byte_order_mark) {
  check_column("\xEF\xBB\xBFRating,b\n1,2\n", "Rating", {"1"});
  check_column("\xEF\xBB\xBF\"Rating\",b\n1,2\n", "Rating", {"1"});
}

BOOST_AUTO_TEST_CASE(complaints_name_the_line) {
  BOOST_TEST(refusal("a,b\n1,2\n1,2,3\n") == "f.csv: line 3: 3 fields; expected 2 (a, b)");
  BOOST_TEST(refusal("a,b\n1\n") == "f.csv: line 2: 1 field; expected 2 (a, b)");
  // Lines inside a field count, and a row is where it starts.
  BOOST_TEST(refusal("a,b\n\"x\ny\r\nz\",2\n\n\"\n\"\n") ==
             "f.csv: line 6: 1 field; expected 2 (a, b)");
  BOOST_TEST(refusal("a,b\n1,2\n1,\"x\ny\n") ==
             "f.csv: line 3: a quoted field begins here and never ends");
  BOOST_TEST(refusal("a,b\n1,\"x\ny\"z\n") ==
             "f.csv: line 3: text after the quote that ends a field; "
             "a quote inside a quoted field is written twice");
  BOOST_TEST(refusal("a,b\n1,2\n1,gr\xFC\xDF\n") == "f.csv: line 3: not UTF-8 at byte 4 (0xFC)");
  BOOST_TEST(refusal("a,b\n1,\"\xC3\"\n") == "f.csv: line 2: not UTF-8 at byte 4 (0x22)");
  BOOST_TEST(refusal("\xFF\xFE") == "f.csv: line 1: not UTF-8 at byte 0 (0xFF)");
}

BOOST_AUTO_TEST_CASE(files_without_rows_are_refused) {
  BOOST_TEST(refusal("a,b\n") == "f.csv: holds a header but no rows");
  BOOST_TEST(refusal("a,b") == "f.csv: holds a header but no rows");
  BOOST_TEST(refusal("") == "f.csv: holds neither a header nor rows");
  BOOST_TEST(refusal("\xEF\xBB\xBF\r\n\r\n") == "f.csv: holds neither a header nor rows");
  const Folder folder;
  BOOST_CHECK_THROW(Csv::read(folder / "none.csv"), BadInput);
  BOOST_CHECK_THROW(Csv::read(folder.file("empty.csv", "")), BadInput);
}

BOOST_AUTO_TEST_CASE(a_missing_column_is_refused_with_those_that_are_there) {
  const auto says = [](const std::string& text) {
    return [text](const BadInput& error) { return error.what() == text; };
  };
  const Csv file = Csv::parse("\nrating,Text,Text\n1,2,3\n", "f.csv");
  BOOST_CHECK_EXCEPTION(
      file.column("Rating"), BadInput,
      says("f.csv: line 2: no column 'Rating'; the header names rating, Text, Text"));
  BOOST_CHECK_EXCEPTION(
      file.column("Text"), BadInput,
      says("f.csv: line 2: more than one column 'Text'; the header names rating, Text, Text"));
  BOOST_CHECK_EXCEPTION(file.refuse(0, "odd"), BadInput, says("f.csv: line 3: odd"));
}

BOOST_AUTO_TEST_CASE(numbers) {
  BOOST_TEST(number_refusal(" -2.5e1\t") == "accepted");
  BOOST_TEST(number_refusal("ten") == "f.csv: line 3: n is 'ten'; expected a number");
  for (const std::string field : {"\"\"", "\" \"", "7/10", "1 2", "nan", "inf", "1e999", "0x10"})
    BOOST_TEST(number_refusal(field).starts_with("f.csv: line 3: n is '"), field);
  // One short line, whatever the field is.
  BOOST_TEST(number_refusal("\"a\nb\"") == "f.csv: line 3: n is 'a\\nb'; expected a number");
  BOOST_TEST(number_refusal(std::string(1000, 'x')).size() < 100u);
  BOOST_CHECK_EXCEPTION(
      Csv::parse("\"a\nb\"\nx\n", "f.csv").numbers("a\nb"), BadInput, [](const BadInput& error) {
        return error.what() == std::string("f.csv: line 3: a\\nb is 'x'; expected a number");
      });
}

BOOST_AUTO_TEST_CASE(a_field_of_ten_megabytes) {
  std::string text;
  while (text.size() < 10'000'000) text += "Lines, \"quotes\"\nand commas. ";
  std::string quoted;
  for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  const Folder folder;
  const std::string file = folder.file("large.csv", "a,b\n\"" + quoted + "\",1\n2,3\n");
  const Csv csv = Csv::read(file);
  BOOST_TEST((csv.column("a")[0] == text));
  BOOST_TEST(csv.column("b")[1] == "3");
}

BOOST_AUTO_TEST_SUITE_END()
