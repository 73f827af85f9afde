// Printing and NumPy files, by xtensor. One of the few files that include it; see xtensor.hpp.
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
  dispatch(type_, [&]<class T>() { out << as_xt<T>(*this); });
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

Array load_npy(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("load_npy", "cannot read ", path, ".");
  try {
    xt::detail::npy_file file = xt::detail::load_npy_file(in);
    const std::string& kind = file.m_typestring;
    Type type = kind.find('f') == std::string::npos ? int64 : kind.back() == '4' ? float32 : float64;
    return dispatch(type, [&]<class T>() { return to_array(xt::xarray<T>(std::move(file).template cast<T>())); });
  } catch (const std::exception& e) {
    fail("load_npy", path, " is not a NumPy file of float32, float64 or int64: ", e.what(), ".");
  }
}

}  // namespace unroll
