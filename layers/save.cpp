// Files of arrays, and how Modules get into them and out again. The header is in safetensors.cpp.
#include <unroll/layers/save.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <unroll/autograd/function.hpp>
#include <unroll/layers/import.hpp>
#include <unroll/layers/new_file.hpp>
#include <unroll/layers/safetensors.hpp>

namespace unroll {

namespace {

using detail::Descriptor;
using detail::NewFile;
using detail::system_reason;
using safetensors::Entry;
using safetensors::Header;

// Where bytes are read from: read(at, bytes, to) fills `to` or throws.
struct Source {
  std::string where;
  std::uint64_t bytes;
  Function<void(std::uint64_t, std::uint64_t, void*)> read;
};

Source file_source(const std::string& path, const Descriptor& file) {
  if (file.number() < 0) fail("load", path, ": ", system_reason(), ".");
  struct stat status;
  if (::fstat(file.number(), &status) != 0) fail("load", path, ": ", system_reason(), ".");
  if (!S_ISREG(status.st_mode)) fail("load", path, ": is not a file.");
  int number = file.number();
  auto read = [path, number](std::uint64_t at, std::uint64_t bytes, void* to) {
    char* target = static_cast<char*>(to);
    while (bytes > 0) {
      auto most = static_cast<std::size_t>(std::min(bytes, std::uint64_t{1} << 30));
      ssize_t n = ::pread(number, target, most, static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("load", path, ": ", system_reason(), ".");
      if (n == 0) fail("load", path, ": became shorter while it was read.");
      target += n;
      at += static_cast<std::uint64_t>(n);
      bytes -= static_cast<std::uint64_t>(n);
    }
  };
  return {path, static_cast<std::uint64_t>(status.st_size), read};
}

Source memory_source(const std::string& name, std::string_view text) {
  auto read = [text](std::uint64_t at, std::uint64_t bytes, void* to) {
    if (bytes > 0) std::memcpy(to, text.data() + at, bytes);
  };
  return {name, text.size(), read};
}

// The header, and where the numbers begin.
std::pair<Header, std::uint64_t> read_header(const Source& source) {
  std::string first(static_cast<std::size_t>(std::min<std::uint64_t>(8, source.bytes)), '\0');
  source.read(0, first.size(), first.data());
  std::uint64_t length = safetensors::header_length(source.where, first, source.bytes);
  std::string text(static_cast<std::size_t>(length), '\0');
  source.read(8, length, text.data());
  return {safetensors::parse(source.where, text, source.bytes - 8 - length), 8 + length};
}

SafeTensors read_all(const Source& source) {
  auto [header, start] = read_header(source);
  SafeTensors result;
  result.metadata = std::move(header.metadata);
  for (const Entry& e : header.entries) {
    Array array = Array::uninitialised(e.shape, e.type);
    if (e.end > e.begin) source.read(start + e.begin, e.end - e.begin, array.mutable_raw());
    result.arrays.emplace(e.name, std::move(array));
  }
  auto sum = result.metadata.find(safetensors::kChecksum);  // files of others have none
  if (sum != result.metadata.end()) {
    if (sum->second != safetensors::checksum(result.arrays, result.metadata))
      fail("load", source.where,
           ": its content does not fit its checksum; the file is damaged, or ",
           "was edited without removing ", safetensors::kChecksum, " from its metadata.");
    result.metadata.erase(sum);
  }
  return result;
}

// write(data, bytes) for the whole file, in order.
template <class F>
void write_all(const std::string& where, NamedArrays arrays, Metadata metadata, F&& write) {
  for (auto& [name, array] : arrays) array = array.contiguous();
  metadata[safetensors::kChecksum] = safetensors::checksum(arrays, metadata);
  std::vector<Entry> entries = safetensors::place(arrays);
  std::string header = safetensors::format(where, entries, metadata);
  write(header.data(), header.size());
  for (const Entry& e : entries)
    if (e.end > e.begin) write(arrays.at(e.name).raw(), static_cast<std::size_t>(e.end - e.begin));
}

// What keeps these arrays from being the Parameters of a module; "" if nothing.
std::string misfits(const std::vector<NamedParameter>& parameters, const NamedArrays& arrays) {
  std::string text;
  NamedArrays left = arrays;
  for (const NamedParameter& p : parameters) {
    auto found = left.find(p.name);
    if (found == left.end()) {
      text += join(" ", p.name, " ", p.parameter.shape(), " is missing;");
      continue;
    }
    const Array& a = found->second;
    if (a.shape() != p.parameter.shape() || !is_float(a.type()))
      text += join(" ", p.name, " is ", a.type(), " ", a.shape(), ", expected ", p.parameter.type(),
                   " ", p.parameter.shape(), ";");
    left.erase(found);
  }
  for (const auto& [name, array] : left)
    text += join(" ", safetensors::shown(name), " ", array.shape(), " is unexpected;");
  if (!text.empty()) text.back() = '.';
  return text;
}

}  // namespace

std::string to_safetensors(const NamedArrays& arrays, const Metadata& metadata) {
  std::string bytes;
  write_all("bytes", arrays, metadata, [&](const void* data, std::size_t n) {
    bytes.append(static_cast<const char*>(data), n);
  });
  return bytes;
}

SafeTensors from_safetensors(std::string_view bytes, const std::string& name) {
  return read_all(memory_source(name, bytes));
}

void save_arrays(const NamedArrays& arrays, const Metadata& metadata, const std::string& path) {
  NewFile file(path);
  write_all(path, arrays, metadata, [&](const void* data, std::size_t n) { file.write(data, n); });
  file.commit();
}

SafeTensors load_arrays(const std::string& path) {
  Descriptor file(path.c_str(), O_RDONLY);
  return read_all(file_source(path, file));
}

Metadata load_metadata(const std::string& path) {
  Descriptor file(path.c_str(), O_RDONLY);
  Metadata metadata = read_header(file_source(path, file)).first.metadata;
  metadata.erase(safetensors::kChecksum);
  return metadata;
}

void save(const Module& module, const std::string& path, const Metadata& metadata) {
  NamedArrays arrays;
  for (const NamedParameter& p : module.named_parameters()) arrays[p.name] = p.parameter.value();
  save_arrays(arrays, metadata, path);
}

void assign(Module& module, const NamedArrays& arrays, const std::string& source) {
  std::vector<NamedParameter> parameters = module.named_parameters();
  std::string problems = misfits(parameters, arrays);
  if (!problems.empty()) fail("load", source, ": does not fit the module:", problems);
  for (NamedParameter& p : parameters) p.parameter.assign(arrays.at(p.name));
}

Metadata load(Module& module, const std::string& path) {
  SafeTensors file = load_arrays(path);
  assign(module, file.arrays, path);
  return std::move(file.metadata);
}

}  // namespace unroll
