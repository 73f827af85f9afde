// xtensor in and out, NumPy files, and numbers from the Generator.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>

#include <unroll/autograd/generator.hpp>
#include <unroll/autograd/xtensor.hpp>

#include "errors.hpp"

using namespace unroll;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "unroll_test_npy";
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator()(const char* name) const { return (path / name).string(); }
};

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A NumPy file of version 1.0 with that header.
std::string npy(std::string header, const std::string& data) {
  while ((10 + header.size() + 1) % 64) header += ' ';
  header += '\n';
  std::string text = "\x93NUMPY";
  text += '\x01';
  text += '\0';
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  return text + header + data;
}
template <class T>
std::string bytes(std::initializer_list<T> numbers) {
  return {reinterpret_cast<const char*>(numbers.begin()), numbers.size() * sizeof(T)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(input_output)

BOOST_AUTO_TEST_CASE(xtensor_in_and_out) {
  xt::xarray<float> a = xt::ones<float>({3, 4});
  Array x = to_array(a * 2.f + 1.f);
  BOOST_TEST(x.type() == float32);
  BOOST_TEST(x.shape() == Shape({3, 4}));
  BOOST_TEST(x.at({2, 3}) == 3);
  BOOST_TEST(to_array(xt::arange<int>(5)).type() == int64);
  BOOST_TEST(to_array(xt::xarray<double>(4.5)).item() == 4.5);
  BOOST_TEST(to_array(xt::xarray<double>::from_shape({0, 2})).shape() == Shape({0, 2}));
  Array t = values({{1, 2, 3}, {4, 5, 6}}).transposed();
  xt::xarray<float> back = as_xt<float>(t);
  BOOST_TEST(back(2, 1) == 6);
  BOOST_TEST(back.dimension() == 2u);
  BOOST_TEST(as_xt<double>(full({}, 2, float64))() == 2);
  EXPECT_ERROR(as_xt<double>(t), "[array] elements are float32, read as float64.");
}

BOOST_AUTO_TEST_CASE(npy_round_trip) {
  Folder folder;
  std::string path = folder("a.npy");
  for (const Array& a : {values({{1, 2}, {3, 4.5}}), full({}, 7, float64), indices({1, -2, 3}),
                         zeros({2, 0, 3}), values({{1, 2, 3}, {4, 5, 6}}).transposed(),
                         values({INFINITY, 0.1, -0.0}, float64)}) {
    save_npy(a, path);
    BOOST_TEST(identical(load_npy(path), a.copy()), a.text());
  }
}

BOOST_AUTO_TEST_CASE(npy_of_others) {
  Folder folder;
  std::string path = folder("b.npy");
  auto header = [](const char* type, const char* order, const char* shape) {
    return std::string("{'descr': '") + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  };
  write(path, npy(header("<f8", "True", "(2, 3)"), bytes<double>({1, 4, 2, 5, 3, 6})));
  BOOST_TEST(identical(load_npy(path), values({{1, 2, 3}, {4, 5, 6}}, float64)));
  write(path, npy(header("<i4", "False", "(2,)"), bytes<std::int32_t>({-7, 8})));
  BOOST_TEST(identical(load_npy(path), indices({-7, 8})));
  write(path, npy(header("|u1", "False", "(3,)"), bytes<std::uint8_t>({0, 1, 255})));
  BOOST_TEST(identical(load_npy(path), indices({0, 1, 255})));
  write(path, npy(header("|b1", "False", "(2,)"), bytes<bool>({true, false})));
  BOOST_TEST(identical(load_npy(path), indices({1, 0})));
  write(path, npy(header("<f4", "False", "()"), bytes<float>({2.5f})));
  BOOST_TEST(load_npy(path).item() == 2.5);
}

BOOST_AUTO_TEST_CASE(npy_garbage) {
  Folder folder;
  std::string path = folder("c.npy");
  auto refused = [&] {
    try {
      load_npy(path);
    } catch (const Error& e) {
      return std::string(e.what()).rfind("[load_npy] " + path, 0) == 0;
    }
    return false;
  };
  EXPECT_ERROR(load_npy(folder("none.npy")), "[load_npy] cannot read " + folder("none.npy") + ".");
  EXPECT_ERROR(save_npy(ones({2}), folder("no/such.npy")),
               "[save_npy] cannot write " + folder("no/such.npy") + ".");
  write(path, "");
  BOOST_TEST(refused());
  write(path, "this is not a NumPy file at all, though it is long enough to hold a header of one");
  BOOST_TEST(refused());
  std::string good = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }", bytes<double>({1, 2, 3, 4}));
  write(path, good.substr(0, good.size() - 8));  // truncated
  BOOST_TEST(refused());
  write(path, good.substr(0, 40));
  BOOST_TEST(refused());
  write(path, npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }", bytes<double>({1})));
  BOOST_TEST(refused());
  write(path, npy("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", bytes<double>({1, 2})));
  BOOST_TEST(refused());
  write(path, npy("{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }", bytes<double>({1})));
  BOOST_TEST(refused());  // big-endian
  write(path, npy("{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }", bytes<std::uint16_t>({0x3c00, 0})));
  BOOST_TEST(refused());  // half precision
  std::filesystem::create_directory(folder("d.npy"));
  path = folder("d.npy");
  BOOST_TEST(refused());
}

BOOST_AUTO_TEST_CASE(generator_known_answers) {
  // xoshiro256++ from the state {1, 2, 3, 4}: the first outputs of the authors' C code.
  Generator g;
  g.set_state({1, 2, 3, 4});
  for (std::uint64_t expected : {41943041ull, 58720359ull, 3588806011781223ull, 3591011842654386ull})
    BOOST_TEST(g.bits() == expected);
  // splitmix64 of 0, which fills the state.
  BOOST_TEST(Generator(0).state()[0] == 0xe220a8397b1dcdafull);
  BOOST_TEST(Generator(0).state()[1] == 0x6e789e6aa1b965f4ull);
}

BOOST_AUTO_TEST_CASE(generator_state_and_distributions) {
  Generator g(5);
  g.normal();
  Generator::State state = g.state();
  double a = g.normal(), b = g.uniform();
  g.set_state(state);
  BOOST_TEST(g.normal() == a);
  BOOST_TEST(g.uniform() == b);
  Generator child = g.split();
  BOOST_TEST(child.bits() != g.bits());
  double sum = 0, squares = 0, low = 1, high = 0;
  std::vector<int> counts(7);
  constexpr int n = 200000;
  for (int k = 0; k < n; ++k) {
    double x = g.normal(), u = g.uniform();
    sum += x;
    squares += x * x;
    low = std::min(low, u);
    high = std::max(high, u);
    ++counts[g.below(7)];
  }
  BOOST_TEST(std::fabs(sum / n) < 0.01);
  BOOST_TEST(std::fabs(squares / n - 1) < 0.02);
  BOOST_TEST(low >= 0);
  BOOST_TEST(high < 1);
  BOOST_TEST(low < 1e-3);
  BOOST_TEST(high > 1 - 1e-3);
  for (int c : counts) BOOST_TEST(std::abs(c - n / 7) < 900);
  BOOST_TEST(g.below(1) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
