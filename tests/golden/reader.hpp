// Reading golden cases: one safetensors file, checked strictly, as arrays and metadata. What is
// done with a case is in run.hpp and in the handlers.
#pragma once

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <unroll/autograd/array.hpp>

namespace golden {

using Json = nlohmann::json;

/// A file that cannot be read as a case: one sentence with its path.
struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One case: `out.y`, `in.x`, ... as float64 or int64 arrays, and what the metadata says.
struct Case {
  std::filesystem::path file;
  std::string group, name;
  std::map<std::string, std::string> meta;
  std::map<std::string, unroll::Array> tensors;

  bool has(const std::string& tensor) const { return tensors.contains(tensor); }
  /// Throws if the file has no such tensor.
  const unroll::Array& at(const std::string& tensor) const;
  /// Names of tensors that begin with the prefix, without it, in alphabetical order.
  std::vector<std::string> names(const std::string& prefix) const;

  /// A metadata value: JSON where it parses as such, else its text; `missing` if there is none.
  Json says(const std::string& key, const Json& missing = nullptr) const;
  bool name_ends_with(std::string_view end) const { return name.ends_with(end); }
};

/// Throws Unreadable unless the file is exactly what the README describes: header, known element
/// types, data without holes or overlaps up to the end of the file.
Case read_case(const std::filesystem::path& file);

/// All *.safetensors under a folder, sorted. Throws Unreadable if there is no such folder.
std::vector<std::filesystem::path> find_cases(const std::filesystem::path& folder);

}  // namespace golden
