// Headers that are wrong are refused, each with its own words. Files broken at random are in
// save_fuzz.cpp.
#include <boost/test/unit_test.hpp>

#include <cstdint>

#include <unroll/layers/save.hpp>

#include "common/error_of.hpp"

using namespace unroll;

namespace {

/// A file with that header and data, of any length.
std::string file_of(std::string header, std::size_t data_bytes) {
  std::uint64_t length = header.size();
  return std::string(reinterpret_cast<char*>(&length), 8) + header + std::string(data_bytes, '\0');
}

/// What is said about that header and data.
std::string refusal(const std::string& header, std::size_t data_bytes = 0) {
  return error_of([&] { from_safetensors(file_of(header, data_bytes), "f"); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(save_refused)

BOOST_AUTO_TEST_CASE(header_length) {
  BOOST_TEST(
      error_of([] { from_safetensors("12345", "f"); }) ==
      "[load] f: is 5 bytes long; a safetensors file begins with 8 bytes that hold the length "
      "of its header.");
  BOOST_TEST(
      error_of([] { from_safetensors(std::string(8, '\xff') + "{}", "f"); }) ==
      "[load] f: its header would be 18446744073709551615 bytes long, in a file of 10; it is "
      "cut short, or no safetensors file.");
  BOOST_TEST(error_of([] { from_safetensors(file_of("{}", 0).substr(0, 9), "f"); }) ==
             "[load] f: its header would be 2 bytes long, in a file of 9; it is cut short, or no "
             "safetensors file.");
  BOOST_TEST(refusal("") ==
             "[load] f: its header does not begin with '{'; it is no safetensors file.");
  BOOST_TEST(refusal(" {}") ==
             "[load] f: its header does not begin with '{'; it is no safetensors file.");
}

BOOST_AUTO_TEST_CASE(header_json) {
  BOOST_TEST(refusal("{\"a\":}") == "[load] f: its header is not JSON, at byte 6.");
  BOOST_TEST(refusal("{} x") == "[load] f: its header is not JSON, at byte 4.");
  BOOST_TEST(refusal("{\"\xff\":1}") == "[load] f: its header is not JSON, at byte 3.");
  BOOST_TEST(refusal(std::string("{}\0 ", 4)) == "[load] f: its header is not JSON, at byte 3.");
  BOOST_TEST(refusal("{\"a\":1e999}") == "[load] f: its header has a number that is out of range.");
  BOOST_TEST(refusal("{\"a\":" + std::string(100000, '[')) ==
             "[load] f: its header is nested too deeply.");
  BOOST_TEST(refusal("{\"__metadata__\":[]}") ==
             "[load] f: its __metadata__ is not an object of strings.");
  BOOST_TEST(refusal("{\"__metadata__\":{\"a\":1}}") ==
             "[load] f: the metadata 'a' is not a string.");
}

BOOST_AUTO_TEST_CASE(entries) {
  const std::string good = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  BOOST_TEST(refusal("{\"a\":" + good + "}", 4) == "");
  BOOST_TEST(refusal("{\"a\":" + good + ",\"a\":" + good + "}", 4) ==
             "[load] f: its header has the name 'a' twice.");
  BOOST_TEST(refusal(R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})", 4) ==
             "[load] f: its header has the name 'shape' twice.");
  const std::string described = "[load] f: 'a' is not described by dtype, shape and data_offsets.";
  BOOST_TEST(refusal(R"({"a":3})") == described);
  BOOST_TEST(refusal(R"({"a":{"dtype":"F32","shape":[1]}})") == described);
  BOOST_TEST(refusal(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}})") ==
             described);
  BOOST_TEST(refusal(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", 4) ==
             "[load] f: 'a' has elements 'BF16'; expected F32, F64 or I64.");
  BOOST_TEST(refusal(R"({"a":{"dtype":1,"shape":[2],"data_offsets":[0,4]}})", 4) ==
             "[load] f: the dtype of 'a' is not a string.");
  BOOST_TEST(refusal(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4) ==
             "[load] f: the shape of 'a' is not a list of at most 64 sizes.");
  BOOST_TEST(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4) ==
             "[load] f: the data_offsets of 'a' are not two numbers.");
  for (const char* size : {"-1", "1.0", "\"1\"", "9223372036854775808", "99999999999999999999"})
    BOOST_TEST(refusal(R"({"a":{"dtype":"F32","shape":[)" + std::string(size) +
                           R"(],"data_offsets":[0,4]}})",
                       4) ==
               "[load] f: 'a' has a size or offset that is not a whole number from 0 to 2^63 - 1.");
}

BOOST_AUTO_TEST_CASE(offsets) {
  auto entry = [](const char* name, const char* shape, int begin, int end) {
    return join("\"", name, "\":{\"dtype\":\"F32\",\"shape\":", shape, ",\"data_offsets\":[", begin,
                ",", end, "]}");
  };
  BOOST_TEST(refusal("{" + entry("a", "[2]", 0, 4) + "}", 4) ==
             "[load] f: 'a' float32 (2,) does not fill bytes 0 to 4.");
  BOOST_TEST(refusal("{" + entry("a", "[1]", 4, 0) + "}", 4) ==
             "[load] f: 'a' float32 (1,) does not fill bytes 4 to 0.");
  BOOST_TEST(refusal("{" + entry("a", "[4611686018427387904,4]", 0, 0) + "}") ==
             "[load] f: 'a' float32 (4611686018427387904, 4) does not fill bytes 0 to 0.");
  BOOST_TEST(refusal("{" + entry("a", "[0,4611686018427387904,4]", 0, 0) + "}") ==
             "[load] f: 'a' float32 (0, 4611686018427387904, 4) does not fill bytes 0 to 0.");
  BOOST_TEST(refusal("{" + entry("a", "[2]", 0, 8) + "," + entry("b", "[1]", 4, 8) + "}", 8) ==
             "[load] f: 'b' overlaps the array before it.");
  BOOST_TEST(refusal("{" + entry("a", "[1]", 0, 4) + "," + entry("b", "[1]", 8, 12) + "}", 12) ==
             "[load] f: 4 bytes before 'b' belong to no array.");
  BOOST_TEST(refusal("{" + entry("a", "[1]", 0, 4) + "}", 3) ==
             "[load] f: 'a' ends at byte 4 of the data, which has 3; the file is cut short.");
  BOOST_TEST(refusal("{" + entry("a", "[1]", 0, 4) + "}", 9) ==
             "[load] f: 5 bytes follow the last array.");
  BOOST_TEST(refusal("{}", 1) == "[load] f: 1 bytes follow the last array.");
}

BOOST_AUTO_TEST_SUITE_END()
