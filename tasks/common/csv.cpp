// Rows and fields out of bytes. Written here because what Debian has for C and C++ (libcsv) does
// not say on which line a row stands, and every complaint must.
#include "common/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/files.hpp"
#include "common/text.hpp"

namespace tasks {
namespace {

using Fields = std::vector<std::string>;

/// Walks over the bytes once and counts lines on the way.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    if (bytes_.starts_with("\xEF\xBB\xBF")) bytes_.remove_prefix(3);
  }

  /// The fields of the next row that is not empty; none at the end.
  Fields row() {
    while (at_break()) take_break();
    row_line_ = line_;
    const std::size_t start = at_;
    Fields fields;
    if (at_ == bytes_.size()) return fields;
    do fields.push_back(at('"') ? quoted() : plain());
    while (take_comma());
    decode_utf8(bytes_.substr(start, at_ - start), unroll::join(name_, ": line ", row_line_));
    return fields;
  }

  /// Where the row that was read last starts.
  Size line() const { return row_line_; }

 private:
  bool at(char c) const { return at_ < bytes_.size() && bytes_[at_] == c; }
  bool at_break() const { return at('\n') || at('\r'); }

  void take_break() {
    if (at('\r')) ++at_;
    if (at('\n')) ++at_;
    ++line_;
  }

  bool take_comma() {
    if (!at(',')) return false;
    ++at_;
    return true;
  }

  std::string plain() {
    const std::size_t end = std::min(bytes_.find_first_of(",\r\n", at_), bytes_.size());
    const std::string field(bytes_.substr(at_, end - at_));
    at_ = end;
    return field;
  }

  std::string quoted() {
    const Size opened = line_;
    std::string field;
    for (++at_; at_ < bytes_.size();) {
      const std::size_t start = at_;
      if (at_break()) {
        take_break();
      } else if (at('"')) {
        ++at_;
        if (!at('"')) return closed(std::move(field));
        ++at_;
        field += '"';
        continue;
      } else {
        at_ = std::min(bytes_.find_first_of("\"\r\n", at_), bytes_.size());
      }
      field += bytes_.substr(start, at_ - start);
    }
    bad_input(name_, ": line ", opened, ": a quoted field begins here and never ends");
  }

  std::string closed(std::string field) const {
    if (at_ < bytes_.size() && !at(',') && !at_break())
      bad_input(name_, ": line ", line_, ": text after the quote that ends a field; ",
                "a quote inside a quoted field is written twice");
    return field;
  }

  std::string_view bytes_;
  const std::string& name_;
  std::size_t at_ = 0;
  Size line_ = 1, row_line_ = 1;
};

std::string listed(const Fields& names) {
  constexpr std::size_t kListed = 8;
  std::string list;
  for (std::size_t k = 0; k < std::min(kListed, names.size()); ++k)
    list += (k ? ", " : "") + excerpt(names[k]);
  return names.size() > kListed ? list + ", ..." : list;
}

/// NaN if it is no number.
double number_in(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text.remove_suffix(text.size() - std::min(text.find_last_not_of(kSpace) + 1, text.size()));
  double number = NAN;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : NAN;
}

}  // namespace

Csv Csv::read(const std::string& file) { return parse(read_file(file), file); }

Csv Csv::parse(std::string_view bytes, const std::string& name) {
  Reader reader(bytes, name);
  Csv csv;
  csv.name_ = name;
  csv.names_ = reader.row();
  csv.header_line_ = reader.line();
  if (csv.names_.empty()) bad_input(name, ": holds neither a header nor rows");
  csv.columns_.resize(csv.names_.size());
  for (Fields fields = reader.row(); !fields.empty(); fields = reader.row()) {
    if (fields.size() != csv.names_.size())
      bad_input(name, ": line ", reader.line(), ": ", fields.size(),
                fields.size() == 1 ? " field" : " fields", "; expected ", csv.names_.size(), " (",
                listed(csv.names_), ")");
    for (std::size_t k = 0; k < fields.size(); ++k) csv.columns_[k].push_back(std::move(fields[k]));
    csv.lines_.push_back(reader.line());
  }
  if (csv.lines_.empty()) bad_input(name, ": holds a header but no rows");
  return csv;
}

const Fields& Csv::column(const std::string& name) const {
  const auto n = std::count(names_.begin(), names_.end(), name);
  if (n == 1) return columns_[std::find(names_.begin(), names_.end(), name) - names_.begin()];
  bad_input(name_, ": line ", header_line_, ": ", n == 0 ? "no column" : "more than one column",
            " '", excerpt(name), "'; the header names ", listed(names_));
}

std::vector<double> Csv::numbers(const std::string& name) const {
  std::vector<double> numbers;
  for (const std::string& field : column(name)) {
    numbers.push_back(number_in(field));
    if (!std::isfinite(numbers.back()))
      refuse(static_cast<Size>(numbers.size()) - 1, excerpt(name), " is '", excerpt(field),
             "'; expected a number");
  }
  return numbers;
}

}  // namespace tasks
