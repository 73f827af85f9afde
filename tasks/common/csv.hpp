// Csv: a file of comma-separated values, columns by name. What a column means, and whether its
// numbers make sense, is decided by the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <unroll/autograd/shape.hpp>

#include "common/bad_input.hpp"

namespace tasks {

using unroll::Size;

/// RFC 4180 in UTF-8: the first row names the columns; a field in quotes may hold commas, line
/// breaks and doubled quotes. Besides: a byte order mark and empty lines are left out, \n and \r
/// end a line as \r\n does, a quote inside a field that does not begin with one is a character like
/// others.
///
///     const Csv reviews = Csv::read("reviews.csv");
///     const std::vector<double> ratings = reviews.numbers("Rating");
///     const std::vector<std::string>& texts = reviews.column("Review");
class Csv {
 public:
  /// Throws BadInput "FILE: line 7: 3 fields; expected 2, Rating and so on" for what is not CSV or
  /// not UTF-8 (bytes are counted from the start of the row), without a header or without rows; and
  /// what read_file throws.
  static Csv read(const std::string& file);
  /// The same for bytes; `name` stands for the file in complaints.
  static Csv parse(std::string_view bytes, const std::string& name);

  Size rows() const { return static_cast<Size>(lines_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  /// Throws BadInput, with the names that are there, unless exactly one column has this name.
  const std::vector<std::string>& column(const std::string& name) const;
  /// The same as finite numbers, spaces around them ignored. Throws BadInput "FILE: line 3: Rating
  /// is 'ten'; expected a number".
  std::vector<double> numbers(const std::string& name) const;

  /// Throws BadInput "FILE: line N: parts..." with the line on which the row starts.
  template <class... Parts>
  [[noreturn]] void refuse(Size row, const Parts&... parts) const {
    bad_input(name_, ": line ", lines_.at(static_cast<std::size_t>(row)), ": ", parts...);
  }

 private:
  std::string name_;
  Size header_line_ = 1;
  std::vector<std::string> names_;
  std::vector<std::vector<std::string>> columns_;
  std::vector<Size> lines_;
};

}  // namespace tasks
