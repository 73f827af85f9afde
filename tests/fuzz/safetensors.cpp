// Any bytes as a safetensors file: refused in one line, or arrays and texts that are the same once
// written and read again. What a program expects in it is checked by model_file.cpp.
#include <unroll/layers/save.hpp>

#include <cstring>
#include <optional>

#include "fuzz.hpp"

using namespace unroll;

namespace {

void must_be_equal(const NamedArrays& a, const NamedArrays& b) {
  must(a.size() == b.size(), "no array is lost");
  for (const auto& [name, array] : a) {
    const Array& other = b.at(name);
    must(array.shape() == other.shape() && array.type() == other.type(), "shapes survive");
    const auto bytes = static_cast<std::size_t>(array.size() * bytes_of(array.type()));
    must(bytes == 0 || std::memcmp(array.raw(), other.raw(), bytes) == 0, "numbers survive");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<SafeTensors> file;
  const auto read = [&] { file = from_safetensors(text_of(data, size), "f.safetensors"); };
  if (!accepted<Error>("[load] f.safetensors: ", read)) return 0;
  const SafeTensors again = from_safetensors(to_safetensors(file->arrays, file->metadata));
  must_be_equal(file->arrays, again.arrays);
  must(file->metadata == again.metadata, "texts survive");
  return 0;
}
