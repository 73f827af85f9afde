// Sheet: an array with names for its rows and columns, written as text, CSV, JSON or .npy. Which
// arrays there are is decided in inspect.hpp.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <unroll/autograd/array.hpp>

namespace tasks {

/// The sizes as JSON.
nlohmann::ordered_json json_of(const unroll::Shape& shape);

/// The last axis lies along the rows, all others below each other; of an array with one axis each
/// number is a row.
///
///     # output of embed (2, 1, 3)
///                 0        1        2
///     the    0.1213  -0.5102   1.0071
///     tide  -0.7311   0.0040   0.3318
struct Sheet {
  std::string title;  ///< "output of embed"
  unroll::Array values = {};
  std::vector<std::string> rows = {}, columns = {};  ///< empty: by number

  /// As above, five digits of each number.
  std::string text() const;
  /// RFC 4180: the header begins with "row of TITLE". Enough digits to read the same numbers again.
  std::string csv() const;
  /// {"title", "shape", "rows", "columns", "values"}: values row by row, names only where there are
  /// some.
  nlohmann::ordered_json json() const;

  /// Writes the file in one move, as its name ends: .csv, .npy or .txt. Throws BadInput if it
  /// cannot be written.
  void save(const std::string& path) const;
  /// Throws BadInput unless save() may write there: over nothing, or what begins as its own files.
  static void require_place(const std::string& path);
};

}  // namespace tasks
