// Saved arrays and modules: what comes back, what is refused and with which words, and that a
// failed save leaves the old file. Broken headers are in save_refused.cpp, files broken at random
// in save_fuzz.cpp.
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unroll/layers/save.hpp>

#include "common/error_of.hpp"

using namespace unroll;
namespace fs = std::filesystem;

namespace {

/// A folder that is gone after the test.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("unroll_save_" + std::to_string(::getpid()));
  Folder() { fs::create_directory(path); }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), {}));
  }
};

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A file with that header and data, of any length.
std::string file_of(std::string header, std::size_t data_bytes) {
  std::uint64_t length = header.size();
  return std::string(reinterpret_cast<char*>(&length), 8) + header + std::string(data_bytes, '\0');
}

NamedArrays example() {
  return {{"weights", values({{1, 2}, {3, 4}})},
          {"précis", values({0.1, -1e300}, float64)},
          {"indices", indices({1, -2, Size{1} << 60})},
          {"none", zeros({0, 3})},
          {"scalar", full({}, 7, float64)},
          {"transposed", values({{1, 2, 3}, {4, 5, 6}}).transposed()}};
}

void check_equal(const NamedArrays& found, const NamedArrays& expected) {
  BOOST_TEST_REQUIRE(found.size() == expected.size());
  for (const auto& [name, array] : expected) {
    BOOST_TEST_REQUIRE(found.contains(name));
    BOOST_TEST(identical(found.at(name), array), name);
  }
}

struct Net : Module {
  struct Part : Module {
    Parameter W = parameter("W", {3, 2}), b = parameter("b", {3});
  };
  Part encoder = submodule("encoder", Part()), decoder = submodule("decoder", Part());
  Parameter scale = parameter("scale", {}, init::ones);
};

}  // namespace

BOOST_AUTO_TEST_SUITE(saving)

// ---- round trips ----

BOOST_AUTO_TEST_CASE(arrays_come_back) {
  Folder folder;
  const Metadata metadata{
      {"settings", "{\"hidden\": 3}"}, {"vocabulary", "a\n\"b\"\\ß\t€"}, {"", ""}};
  save_arrays(example(), metadata, folder / "a.safetensors");
  SafeTensors loaded = load_arrays(folder / "a.safetensors");
  check_equal(loaded.arrays, example());
  BOOST_TEST((loaded.metadata == metadata));
  BOOST_TEST((load_metadata(folder / "a.safetensors") == metadata));
  BOOST_TEST(folder.files() == 1);
  BOOST_TEST((content(folder / "a.safetensors") == to_safetensors(example(), metadata)));
  check_equal(from_safetensors(to_safetensors({})).arrays, {});
}

BOOST_AUTO_TEST_CASE(layout_is_that_of_safetensors) {
  std::string bytes = to_safetensors(
      {{"b", values({1})}, {"c", values({2}, float64)}, {"a", values({3})}}, {{"k", "v"}});
  std::uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  BOOST_TEST(length % 8 == 0);
  std::string header = bytes.substr(8, length);
  header.erase(header.find_last_not_of(' ') + 1);
  std::size_t sum = header.find("\"unroll.checksum\":\"");
  BOOST_TEST_REQUIRE(sum != std::string::npos);
  header.replace(sum + 19, 16, "0");
  BOOST_TEST(header == R"({"__metadata__":{"k":"v","unroll.checksum":"0"},)"
                       R"("c":{"data_offsets":[0,8],"dtype":"F64","shape":[1]},)"
                       R"("a":{"data_offsets":[8,12],"dtype":"F32","shape":[1]},)"
                       R"("b":{"data_offsets":[12,16],"dtype":"F32","shape":[1]}})");
  BOOST_TEST(bytes.size() == 8 + length + 16);
  float three;
  std::memcpy(&three, bytes.data() + 8 + length + 8, 4);
  BOOST_TEST(three == 3);
}

BOOST_AUTO_TEST_CASE(files_of_others_are_read) {
  // No padding, no checksum, null-size arrays anywhere, spaces and another order of keys.
  std::string bytes =
      file_of(R"({"e":{"shape":[2,0],"dtype":"F32","data_offsets":[8,8]},  "x":{"dtype"
    :"F64", "shape":[], "data_offsets":[0,8]}}   )",
              8);
  SafeTensors file = from_safetensors(bytes);
  BOOST_TEST((file.arrays.at("e").shape() == Shape{2, 0}));
  BOOST_TEST(file.arrays.at("x").item() == 0);
  BOOST_TEST(file.metadata.empty());
  BOOST_TEST(from_safetensors(file_of("{}", 0)).arrays.empty());
}

BOOST_AUTO_TEST_CASE(modules_come_back) {
  Folder folder;
  Net net, other;
  Generator generator(5);
  other.initialise(generator);
  other.to(float64);
  BOOST_TEST(!identical(net.encoder.W.value(), other.encoder.W.value().to(float32)));
  save(net, folder / "net.safetensors", {{"epoch", "3"}});
  Metadata metadata = load(other, folder / "net.safetensors");
  BOOST_TEST((metadata == Metadata{{"epoch", "3"}}));
  for (const auto& [name, p] : other.named_parameters()) BOOST_TEST((p.type() == float64), name);
  for (std::size_t k = 0; k < net.parameters().size(); ++k)
    BOOST_TEST(identical(net.parameters()[k].value(), other.parameters()[k].value().to(float32)));
  NamedArrays arrays = load_arrays(folder / "net.safetensors").arrays;
  BOOST_TEST(arrays.size() == 5);
  BOOST_TEST(identical(arrays.at("decoder.b"), net.decoder.b.value()));
}

BOOST_AUTO_TEST_CASE(a_module_that_does_not_fit_is_not_changed) {
  Folder folder;
  Net net;
  NamedArrays arrays;
  for (const auto& [name, p] : net.named_parameters()) arrays[name] = full(p.shape(), 9);
  arrays.erase("scale");
  arrays["new\nname"] = zeros({1});
  arrays["decoder.b"] = zeros({4});
  arrays["decoder.W"] = zeros({3, 2}, int64);
  save_arrays(arrays, {}, folder / "f");
  BOOST_TEST(
      error_of([&] { load(net, folder / "f"); }) ==
      "[load] " + folder / "f" +
          ": does not fit the module: decoder.W is int64 (3, 2), "
          "expected float32 (3, 2); decoder.b is float32 (4,), expected float32 (3,); scale () is "
          "missing; 'new?name' (1,) is unexpected.");
  for (const auto& [name, p] : net.named_parameters())
    for (double x : p.value().to_vector<double>()) BOOST_TEST(x != 9);
}

// ---- writing ----

BOOST_AUTO_TEST_CASE(a_failed_save_leaves_the_old_file) {
  Folder folder;
  const std::string path = folder / "model";
  save_arrays(example(), {}, path);
  const std::string before = content(path);

  struct rlimit old;
  ::getrlimit(RLIMIT_FSIZE, &old);
  struct rlimit small = old;
  small.rlim_cur = 5000;
  auto handler = std::signal(SIGXFSZ, SIG_IGN);  // a full disk, as far as write() can tell
  ::setrlimit(RLIMIT_FSIZE, &small);
  std::string error = error_of([&] { save_arrays({{"big", zeros({10000})}}, {}, path); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(error == "[save] " + path + ": File too large; nothing was changed.");
  BOOST_TEST((content(path) == before));

  BOOST_TEST(error_of([&] {
               save_arrays({}, {{"text", "\xff"}}, path);
             }) == "[save] " + path + ": a name or a metadata text is not UTF-8.");
  BOOST_TEST(error_of([&] {
               save_arrays({{"__metadata__", zeros({1})}}, {}, path);
             }) == "[save] " + path + ": no array can be named __metadata__.");
  BOOST_TEST((content(path) == before));
  BOOST_TEST(folder.files() == 1);
}

BOOST_AUTO_TEST_CASE(places_that_cannot_be_written) {
  Folder folder;
  BOOST_TEST(error_of([&] { save_arrays({}, {}, folder / "no/such"); }) ==
             "[save] " + folder / "no/such" + ": No such file or directory.");
  BOOST_TEST(error_of([&] { save_arrays({}, {}, folder.path.string()); }) ==
             "[save] " + folder.path.string() +
                 ": exists, and is not a file that could be replaced.");
  BOOST_TEST(error_of([&] { save_arrays({}, {}, "/dev/null"); }) ==
             "[save] /dev/null: exists, and is not a file that could be replaced.");
  BOOST_TEST(folder.files() == 0);
}

BOOST_AUTO_TEST_CASE(links_stay_links_and_permissions_stay) {
  Folder folder;
  write(folder / "real", "old");
  fs::permissions(folder / "real", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real", folder / "link");
  save_arrays(example(), {}, folder / "link");
  BOOST_TEST(fs::is_symlink(folder / "link"));
  check_equal(load_arrays(folder / "real").arrays, example());
  BOOST_TEST((fs::status(folder / "real").permissions() ==
              (fs::perms::owner_read | fs::perms::owner_write)));
}

// ---- refusals ----

BOOST_AUTO_TEST_CASE(no_file) {
  Folder folder;
  BOOST_TEST(error_of([&] { load_arrays(folder / "none"); }) ==
             "[load] " + folder / "none" + ": No such file or directory.");
  BOOST_TEST(error_of([&] { load_arrays(folder.path.string()); }) ==
             "[load] " + folder.path.string() + ": is not a file.");
  write(folder / "empty", "");
  BOOST_TEST(error_of([&] { load_arrays(folder / "empty"); }) ==
             "[load] " + folder / "empty" +
                 ": is 0 bytes long; a safetensors file begins with 8 "
                 "bytes that hold the length of its header.");
}

BOOST_AUTO_TEST_CASE(damage_within_numbers) {
  std::string bytes = to_safetensors(example());
  bytes[bytes.size() - 3] ^= 4;
  BOOST_TEST(error_of([&] { from_safetensors(bytes, "f"); }) ==
             "[load] f: its content does not fit its checksum; the file is damaged, or was edited "
             "without removing unroll.checksum from its metadata.");
}

BOOST_AUTO_TEST_SUITE_END()
