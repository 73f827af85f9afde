// Any bytes as a file of Keras 2: refused in one line, or arrays of the sizes that they say. HDF5
// itself is not instrumented: what crashes inside it is its own.
#include <sys/mman.h>
#include <unistd.h>

#include "common/bad_input.hpp"
#include "common/keras_file.hpp"
#include "fuzz.hpp"

namespace {

/// A file in memory, by the name under which HDF5 can open it.
class MemoryFile {
 public:
  MemoryFile() : number_(memfd_create("fuzz", 0)) { must(number_ >= 0, "memory for a file"); }
  ~MemoryFile() { close(number_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(number_); }
  void fill(std::string_view bytes) const {
    const auto size = static_cast<ssize_t>(bytes.size());
    must(pwrite(number_, bytes.data(), bytes.size(), 0) == size, "bytes are written");
  }

 private:
  int number_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file;
  file.fill(text_of(data, size));
  accepted<tasks::BadInput>(file.path() + ": ", [&] {
    for (const auto& [name, array] : tasks::read_keras_file(file.path())) {
      must(!name.empty(), "an array has a name");
      double sum = 0;  // reads them all
      for (const double number : array.contiguous().to_vector<double>()) sum += number;
      static_cast<void>(sum);
    }
  });
  return 0;
}
