// Broken safetensors files at random, from a fixed seed: each is refused by an Error, or holds what
// was saved. Single refusals and their words are in save.cpp.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/generator.hpp>
#include <unroll/layers/save.hpp>

using namespace unroll;

namespace {

const NamedArrays kArrays{{"a", values({{1, 2}, {3, 4}})},
                          {"b", values({0.5}, float64)},
                          {"c", indices({7, 8, 9})},
                          {"none", zeros({0})}};
const Metadata kMetadata{{"settings", "hidden 3"}, {"vocabulary", "a b c"}};

bool is_what_was_saved(const SafeTensors& file) {
  if (file.arrays.size() != kArrays.size()) return false;
  for (const auto& [name, array] : kArrays)
    if (!file.arrays.contains(name) || !identical(file.arrays.at(name), array)) return false;
  // A checksum whose own name was hit is not recognised, and stands among the metadata.
  for (const auto& [name, text] : kMetadata)
    if (!file.metadata.contains(name) || file.metadata.at(name) != text) return false;
  return file.metadata.size() <= kMetadata.size() + 1;
}

enum class Outcome { refused, identical, wrong };

Outcome outcome(const std::string& bytes) {
  try {
    return is_what_was_saved(from_safetensors(bytes)) ? Outcome::identical : Outcome::wrong;
  } catch (const Error& e) {
    std::string what = e.what();
    bool one_line = what.starts_with("[load] bytes: ") && what.find('\n') == std::string::npos &&
                    what.size() < 400;
    return one_line ? Outcome::refused : Outcome::wrong;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(save_fuzz)

BOOST_AUTO_TEST_CASE(cut_at_every_length) {
  const std::string bytes = to_safetensors(kArrays, kMetadata);
  BOOST_TEST((outcome(bytes) == Outcome::identical));
  for (std::size_t n = 0; n < bytes.size(); ++n)
    BOOST_TEST((outcome(bytes.substr(0, n)) == Outcome::refused), "cut at " << n);
}

BOOST_AUTO_TEST_CASE(every_single_bit) {
  const std::string bytes = to_safetensors(kArrays, kMetadata);
  int identical = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    Outcome found = outcome(changed);
    BOOST_TEST((found != Outcome::wrong), "bit " << bit);
    identical += found == Outcome::identical;
  }
  BOOST_TEST(identical < 8 * 16);  // within the name of the checksum
}

BOOST_AUTO_TEST_CASE(random_damage) {
  const std::string bytes = to_safetensors(kArrays, kMetadata);
  const std::string often = "{}[]\",:0123456789.-eE\\ \n\0FI";
  Generator generator(2024);
  int refused = 0, unverified = 0;
  for (int k = 0; k < 20000; ++k) {
    std::string changed = bytes;
    for (std::uint64_t hits = 1 + generator.below(4); hits > 0; --hits) {
      std::size_t at = generator.below(changed.size());
      switch (generator.below(4)) {
      case 0:
        changed[at] = static_cast<char>(generator.bits());
        break;
      case 1:
        changed[at] = often[generator.below(often.size())];
        break;
      case 2:
        changed.erase(at, 1 + generator.below(9));
        break;
      default:
        changed.insert(at, changed.substr(generator.below(changed.size()), 8));
      }
    }
    Outcome found = outcome(changed);
    // If the name of the checksum is hit too, it is a file of others, which have none.
    bool verified = changed.find("\"unroll.checksum\":") != std::string::npos;
    BOOST_TEST_REQUIRE((found != Outcome::wrong || !verified), "case " << k);
    unverified += !verified;
    refused += found == Outcome::refused;
  }
  BOOST_TEST(refused > 15000);
  BOOST_TEST(unverified < 3000);
}

BOOST_AUTO_TEST_CASE(random_headers) {
  const std::vector<std::string> parts{"{",
                                       "}",
                                       "[",
                                       "]",
                                       ",",
                                       ":",
                                       "\"a\"",
                                       "\"__metadata__\"",
                                       "\"dtype\"",
                                       "\"F32\"",
                                       "\"I64\"",
                                       "\"shape\"",
                                       "\"data_offsets\"",
                                       "0",
                                       "4",
                                       "8",
                                       "4294967296",
                                       "-1",
                                       "1e5",
                                       "null",
                                       R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})",
                                       R"("b":)"};
  Generator generator(7);
  for (int k = 0; k < 20000; ++k) {
    std::string header = "{";
    for (std::uint64_t n = generator.below(12); n > 0; --n)
      header += parts[generator.below(parts.size())];
    header += "}";
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(header.size());
    bytes[1] = static_cast<char>(header.size() >> 8);
    bytes += header + std::string(generator.below(3) * 4, '\0');
    try {
      for (const auto& [name, array] : from_safetensors(bytes).arrays)
        BOOST_TEST(array.size() * bytes_of(array.type()) <= 8);
    } catch (const Error&) {}
  }
}

BOOST_AUTO_TEST_SUITE_END()
