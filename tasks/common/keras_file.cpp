// Walks over the groups of an HDF5 file. Whatever HDF5 itself says on stderr is turned off: its
// return values are checked, and complaints are ours.
#include "common/keras_file.hpp"

#include "common/bad_input.hpp"
#include "common/files.hpp"

#ifdef UNROLL_HDF5

#include <hdf5.h>

#include <algorithm>
#include <vector>

#include <unroll/layers/safetensors.hpp>

namespace tasks {
namespace {

using unroll::Array;
using unroll::Shape;
using unroll::Size;
using unroll::safetensors::shown;  // a name that a file gives, on one line

using Names = std::vector<std::string>;

/// An open object of HDF5's; throws BadInput if it could not be opened.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t), const std::string& path, const std::string& what)
      : id_(id), close_(close) {
    if (id_ < 0) bad_input(path, ": ", what);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close_(id_); }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// No text on stderr while one is alive.
class Silence {
 public:
  Silence() {
    H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Silence() { H5Eset_auto2(H5E_DEFAULT, print_, data_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  H5E_auto2_t print_ = nullptr;
  void* data_ = nullptr;
};

constexpr int kMostAxes = 8;
constexpr hsize_t kMostNames = 100000, kLongestName = 1000;
constexpr hsize_t kMostNumbersAByte = 1000;  // HDF5 may have compressed them

/// "kernel" of "kernel:0" where `sign` is ':'; a name without a number behind the sign as it is.
std::string without_number(const std::string& name, char sign) {
  const std::size_t k = name.rfind(sign);
  const bool is_number = k != name.npos && k + 1 < name.size() &&
                         name.find_first_not_of("0123456789", k + 1) == name.npos;
  return is_number ? name.substr(0, k) : name;
}

/// Keras puts the weights of a layer under that of its cell: "lstm_cell_1".
bool is_cell(const std::string& part) { return without_number(part, '_').ends_with("_cell"); }

class File {
 public:
  explicit File(const std::string& path)
      : path_(path),
        file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, path, "is not HDF5") {}

  unroll::NamedArrays weights() const {
    // A whole model keeps its weights in a group of that name, save_weights() at the top.
    const bool whole = H5Lexists(file_, "model_weights", H5P_DEFAULT) > 0;
    const Handle root = group(file_, whole ? "model_weights" : "/");
    unroll::NamedArrays arrays;
    for (const std::string& layer : names(root, "layer_names")) {
      const Handle place = group(root, layer);
      for (const std::string& weight : names(place, "weight_names"))
        if (!arrays.emplace(plain(layer, weight), array(place, weight)).second)
          bad_input(path_, ": two weights come to the name ", shown(plain(layer, weight)));
    }
    return arrays;
  }

 private:
  Handle group(hid_t parent, const std::string& name) const {
    return {H5Gopen2(parent, name.c_str(), H5P_DEFAULT), H5Gclose, path_,
            "has no group " + shown(name) + "; it is not a file of Keras"};
  }

  /// A list of texts; long ones are cut by Keras into NAME0, NAME1 and so on.
  Names names(hid_t owner, const std::string& name) const {
    if (H5Aexists(owner, name.c_str()) > 0) return part(owner, name);
    Names all;
    for (int k = 0; H5Aexists(owner, (name + std::to_string(k)).c_str()) > 0; ++k)
      for (std::string& one : part(owner, name + std::to_string(k))) all.push_back(std::move(one));
    if (all.empty()) bad_input(path_, ": has no ", name, "; it is not a file of Keras");
    return all;
  }

  Names part(hid_t owner, const std::string& name) const {
    const Handle attribute(H5Aopen(owner, name.c_str(), H5P_DEFAULT), H5Aclose, path_,
                           "its " + name + " cannot be read");
    const Handle type(H5Aget_type(attribute), H5Tclose, path_, "its " + name + " has no type");
    const Handle space(H5Aget_space(attribute), H5Sclose, path_, "its " + name + " has no size");
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count == 0) return {};
    // An empty list is one of numbers.
    const bool is_fixed = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
    const std::size_t width = H5Tget_size(type);
    if (!is_fixed || count < 0 || count > static_cast<hssize_t>(kMostNames) || width > kLongestName)
      bad_input(path_, ": its ", name, " are no texts of fixed length, as Keras 2 writes them");
    std::string texts(static_cast<std::size_t>(count) * width, '\0');
    if (H5Aread(attribute, type, texts.data()) < 0)
      bad_input(path_, ": its ", name, " cannot be read");
    Names list;
    for (std::size_t k = 0; k < texts.size(); k += width) {
      const std::string text = texts.substr(k, width);
      list.push_back(text.substr(0, std::min(text.size(), text.find('\0'))));
    }
    return list;
  }

  static std::string plain(const std::string& layer, const std::string& weight) {
    std::string name = without_number(weight, ':');
    if (name.starts_with(layer + "/")) name.erase(0, layer.size() + 1);
    std::string kept;
    for (std::size_t start = 0, end; start < name.size(); start = end) {
      end = std::min(name.find('/', start), name.size() - 1) + 1;
      const std::string part = name.substr(start, end - start);
      if (!part.ends_with('/') || !is_cell(part.substr(0, part.size() - 1))) kept += part;
    }
    return layer + "/" + kept;
  }

  Array array(hid_t place, const std::string& weight) const {
    const std::string bad = "its weight " + shown(weight) + " cannot be read";
    const Handle data(H5Dopen2(place, weight.c_str(), H5P_DEFAULT), H5Dclose, path_, bad);
    const Handle type(H5Dget_type(data), H5Tclose, path_, bad);
    const Handle space(H5Dget_space(data), H5Sclose, path_, bad);
    const int rank = H5Sget_simple_extent_ndims(space);
    if (H5Tget_class(type) != H5T_FLOAT || rank < 0 || rank > kMostAxes)
      bad_input(path_, ": its weight ", shown(weight), " is no array of floating-point numbers");
    std::vector<hsize_t> sizes(static_cast<std::size_t>(rank) + 1);
    H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
    const hsize_t most = most_numbers();
    hsize_t count = 1;
    std::vector<Size> shape;
    for (int k = 0; k < rank; ++k) {
      const hsize_t n = sizes[static_cast<std::size_t>(k)];
      if (n > most || (n > 0 && count > most / n))
        bad_input(path_, ": its weight ", shown(weight), " is too large");
      count *= n;
      shape.push_back(static_cast<Size>(n));
    }
    const bool wide = H5Tget_size(type) > sizeof(float);
    Array result(Shape(shape), wide ? unroll::float64 : unroll::float32);
    const hid_t native = wide ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT;
    if (count > 0 && H5Dread(data, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, result.mutable_raw()) < 0)
      bad_input(path_, ": ", bad);
    return result;
  }

  /// What a file of this size can hold: memory is not taken for what it only claims.
  hsize_t most_numbers() const {
    hsize_t bytes = 0;
    if (H5Fget_filesize(file_, &bytes) < 0) bad_input(path_, ": its size cannot be read");
    return kMostNumbersAByte * bytes;
  }

  const std::string& path_;
  Handle file_;
};

}  // namespace

bool reads_keras_files() { return true; }

unroll::NamedArrays read_keras_file(const std::string& path) {
  H5dont_atexit();  // after a broken file it would complain at the end of the program
  open_file(path);  // its sentences about missing files and folders are better
  const Silence silence;
  return File(path).weights();
}

}  // namespace tasks

#else

namespace tasks {

bool reads_keras_files() { return false; }

unroll::NamedArrays read_keras_file(const std::string& path) {
  bad_input(path, ": this program was built without HDF5 (Debian: libhdf5-dev)");
}

}  // namespace tasks

#endif
