// The strict reader behind reader.hpp, written apart from the library's own safetensors code so
// that neither can hide a mistake of the other.
#include "reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>
#include <tuple>

namespace golden {

using unroll::Array;
using unroll::Shape;
using unroll::Size;

namespace {

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw Unreadable(file.string() + ": " + what);
}

std::string bytes_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) refuse(file, "cannot be opened");
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (in.bad()) refuse(file, "cannot be read");
  return bytes;
}

/// The header, refusing a name that occurs twice (a JSON object would keep only one of them).
Json parse_header(const std::filesystem::path& file, const std::string& text) {
  std::set<std::string> keys;
  std::string twice;
  auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::key && depth == 1 &&
        !keys.insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    return true;
  };
  Json header = Json::parse(text, watch, false);
  if (header.is_discarded() || !header.is_object()) refuse(file, "its header is not a JSON object");
  if (!twice.empty()) refuse(file, "its header names " + twice + " twice");
  return header;
}

struct Entry {
  std::string name, dtype;
  Shape shape;
  std::uint64_t begin, end;
};

Entry parse_entry(const std::filesystem::path& file, const std::string& name, const Json& json) {
  auto bad = [&](const std::string& what) { refuse(file, "tensor " + name + ": " + what); };
  auto whole = [](const Json& j) { return j.is_number_unsigned(); };
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    bad("expected dtype, shape and data_offsets");
  const Json &dtype = json["dtype"], &shape = json["shape"], &offsets = json["data_offsets"];
  if (!dtype.is_string() || (dtype != "F64" && dtype != "I64")) bad("dtype is neither F64 nor I64");
  if (!shape.is_array() || !std::all_of(shape.begin(), shape.end(), whole))
    bad("its shape is not a list of sizes");
  if (!offsets.is_array() || offsets.size() != 2 ||
      !std::all_of(offsets.begin(), offsets.end(), whole))
    bad("data_offsets is not a pair of positions");
  Entry entry{name, dtype, {}, offsets[0], offsets[1]};
  std::uint64_t count = 1;
  for (const Json& size : shape) {
    const auto n = size.get<std::uint64_t>();
    if (n > (1u << 30) || (count *= n) > (1u << 30)) bad("its shape is too large");
    entry.shape.push_back(static_cast<Size>(n));
  }
  if (entry.end < entry.begin || entry.end - entry.begin != 8 * count)
    bad("data_offsets do not fit its shape");
  return entry;
}

Array array_of(const Entry& entry, const char* data) {
  const unroll::Type type = entry.dtype == "F64" ? unroll::float64 : unroll::int64;
  Array array = Array::uninitialised(entry.shape, type);
  if (array.size() > 0)
    std::memcpy(array.mutable_raw(), data + entry.begin, entry.end - entry.begin);
  return array;
}

}  // namespace

const Array& Case::at(const std::string& tensor) const {
  auto found = tensors.find(tensor);
  if (found == tensors.end()) throw std::runtime_error("the file has no tensor " + tensor);
  return found->second;
}

std::vector<std::string> Case::names(const std::string& prefix) const {
  std::vector<std::string> names;
  for (const auto& [name, array] : tensors)
    if (name.starts_with(prefix)) names.push_back(name.substr(prefix.size()));
  return names;
}

Json Case::says(const std::string& key, const Json& missing) const {
  auto found = meta.find(key);
  if (found == meta.end()) return missing;
  Json parsed = Json::parse(found->second, nullptr, false);
  return parsed.is_discarded() ? Json(found->second) : parsed;
}

Case read_case(const std::filesystem::path& file) {
  const std::string bytes = bytes_of_file(file);
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) refuse(file, "is shorter than a header length");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > bytes.size() - sizeof length) refuse(file, "ends within its header");
  const Json header = parse_header(file, bytes.substr(sizeof length, length));
  const char* data = bytes.data() + sizeof length + length;
  const std::uint64_t data_size = bytes.size() - sizeof length - length;

  Case c;
  c.file = file;
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(parse_entry(file, name, json));
      continue;
    }
    if (!json.is_object()) refuse(file, "__metadata__ is not an object");
    for (const auto& [key, value] : json.items()) {
      if (!value.is_string()) refuse(file, "metadata " + key + " is not a string");
      c.meta[key] = value.get<std::string>();
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at) refuse(file, "tensor " + entry.name + " leaves a hole or overlaps");
    at = entry.end;
    if (at > data_size) refuse(file, "ends within tensor " + entry.name);
    c.tensors.emplace(entry.name, array_of(entry, data));
  }
  if (at != data_size) refuse(file, "has bytes after its last tensor");
  c.group = c.meta.contains("group") ? c.meta["group"] : file.parent_path().filename().string();
  c.name = c.meta.contains("case") ? c.meta["case"] : file.stem().string();
  return c;
}

std::vector<std::filesystem::path> find_cases(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw Unreadable(folder.string() + ": is not a folder");
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator at(folder, error), end; at != end; at.increment(error)) {
    if (error) break;
    if (at->path().extension() == ".safetensors") files.push_back(at->path());
  }
  if (error) throw Unreadable(folder.string() + ": " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace golden
