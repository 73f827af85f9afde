// Printing and NumPy files, by xtensor. One of the few files that include it; see xtensor.hpp.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include <unroll/autograd/xtensor.hpp>
#include <unroll/autograd/strided.hpp>

#if __has_include(<xtensor/io/xnpy.hpp>)
#include <xtensor/io/xio.hpp>
#include <xtensor/io/xnpy.hpp>
#else
#include <xtensor/xio.hpp>
#include <xtensor/xnpy.hpp>
#endif

namespace unroll {

std::string Array::text() const {
  std::ostringstream out;
  out << name_of(type_) << ' ' << shape_.text() << (rank() < 2 ? " " : "\n");
  if (rank() == 0) dispatch(type_, [&]<class T>() { out << *data<T>(); });
  else dispatch(type_, [&]<class T>() { out << as_xt<T>(*this); });
  return out.str();
}

void save_npy(const Array& array, const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  if (!out) fail("save_npy", "cannot write ", path, ".");
  dispatch(array.type(), [&]<class T>() {
    const std::string bytes = xt::dump_npy(as_xt<T>(array));
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  });
  if (!out.flush()) fail("save_npy", "cannot write ", path, ".");
}

namespace {

struct NpyHeader {
  std::string type;  ///< "<f4"
  bool fortran = false;
  std::vector<std::size_t> sizes;
};

NpyHeader read_header(std::istream& in) {
  unsigned char major = 0, minor = 0;
  xt::detail::read_magic(in, &major, &minor);
  if (major < 1 || major > 3) fail("npy", "version ", int{major}, " is not known");
  std::string text = major == 1 ? xt::detail::read_header_1_0(in) : xt::detail::read_header_2_0(in);
  NpyHeader header;
  if (text.empty()) fail("npy", "its header is empty");
  xt::detail::parse_header(text, header.type, &header.fortran, header.sizes);
  return header;
}

/// The numbers as they stand in the file, of C++ type From, as an array of type T.
template <class T, class From>
Array read_numbers(std::istream& in, const NpyHeader& header) {
  std::vector<Size> sizes(header.sizes.begin(), header.sizes.end());
  if (header.fortran) std::reverse(sizes.begin(), sizes.end());
  auto start = in.tellg();
  in.seekg(0, std::ios::end);
  auto left = static_cast<Size>(in.tellg() - start) / static_cast<Size>(sizeof(From));
  in.seekg(start);
  Size count = 1;
  for (Size s : sizes)
    if (s < 0 || (s > 0 && __builtin_mul_overflow(count, s, &count))) count = left + 1;
    else if (s == 0) count = 0;
  if (count > left) fail("npy", "it ends too early");
  std::vector<char> bytes(static_cast<std::size_t>(count) * sizeof(From));
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!in) fail("npy", "it cannot be read");
  Array a = Array::uninitialised(Shape(sizes), type_of<T>);
  T* to = a.mutable_data<T>();
  for (Size i = 0; i < count; ++i) {
    From number;
    std::memcpy(&number, bytes.data() + static_cast<std::size_t>(i) * sizeof(From), sizeof(From));
    to[i] = static_cast<T>(number);
  }
  if (!header.fortran) return a;
  std::vector<Size> axes;
  for (int k = a.rank() - 1; k >= 0; --k) axes.push_back(k);
  return a.permuted(axes).contiguous();
}

Array read_numbers(std::istream& in, const NpyHeader& header) {
  const std::string& t = header.type;
  if (t == "<f4") return read_numbers<float, float>(in, header);
  if (t == "<f8") return read_numbers<double, double>(in, header);
  if (t == "<i8") return read_numbers<Size, std::int64_t>(in, header);
  if (t == "<u8") return read_numbers<Size, std::uint64_t>(in, header);
  if (t == "<i4") return read_numbers<Size, std::int32_t>(in, header);
  if (t == "<u4") return read_numbers<Size, std::uint32_t>(in, header);
  if (t == "<i2") return read_numbers<Size, std::int16_t>(in, header);
  if (t == "<u2") return read_numbers<Size, std::uint16_t>(in, header);
  if (t == "|i1") return read_numbers<Size, std::int8_t>(in, header);
  if (t == "|u1" || t == "|b1") return read_numbers<Size, std::uint8_t>(in, header);
  fail("npy", "its type is ", t);
}

}  // namespace

Array load_npy(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("load_npy", "cannot read ", path, ".");
  try {
    return read_numbers(in, read_header(in));
  } catch (const std::exception& e) {
    std::string why = e.what();
    if (why.rfind("[npy] ", 0) == 0) why.erase(0, 6);
    fail("load_npy", path, " is not a NumPy file of float32, float64 or integers: ", why, ".");
  }
}

}  // namespace unroll
