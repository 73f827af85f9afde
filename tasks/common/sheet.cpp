// The four ways to write a sheet down. Numbers are read row by row: weights may be large.
#include "common/sheet.hpp"

#include <charconv>
#include <cstdio>
#include <filesystem>

#include "common/bad_input.hpp"
#include "common/files.hpp"
#include "common/text.hpp"

namespace tasks {
namespace {

using unroll::Size;

/// What files of each kind begin with.
const std::vector<std::pair<std::string, std::string>>& kinds() {
  static const std::vector<std::pair<std::string, std::string>> list{
      {".csv", "row of "}, {".npy", "\x93NUMPY"}, {".txt", "# "}};
  return list;
}

std::string ending(const std::string& path) { return std::filesystem::path(path).extension(); }

Size width_of(const unroll::Shape& shape) { return shape.rank() < 2 ? 1 : shape.back(); }

/// Calls f(k, numbers) for each row.
template <class F>
void each_row(const unroll::Array& values, const F& f) {
  const Size width = width_of(values.shape()), rows = width == 0 ? 0 : values.size() / width;
  const unroll::Array table = values.contiguous().reshaped({rows, width});
  for (Size k = 0; k < rows; ++k) f(k, table[k].to_vector<double>());
}

/// Of row k: its name, or its index on each axis but the last.
std::string row_name(const Sheet& sheet, Size k) {
  if (!sheet.rows.empty()) return sheet.rows[static_cast<std::size_t>(k)];
  const unroll::Shape& shape = sheet.values.shape();
  std::string name;
  for (int axis = std::max(shape.rank() - 2, 0); axis >= 0 && shape.rank() > 0; --axis) {
    name = std::to_string(k % shape[axis]) + (name.empty() ? "" : " ") + name;
    k /= shape[axis];
  }
  return name;
}

std::string column_name(const Sheet& sheet, Size k) {
  if (!sheet.columns.empty()) return sheet.columns[static_cast<std::size_t>(k)];
  return sheet.values.rank() < 2 ? "value" : std::to_string(k);
}

/// A token as one line that a person can see.
std::string shown(const std::string& name) {
  const std::u32string characters = decode_utf8(name, "a name");
  return characters.size() == 1 ? visible(characters[0]) : excerpt(name);
}

/// As few digits as make the same number again.
std::string exact(double number, unroll::Type type) {
  char text[32];
  const auto end = type == unroll::float32
                       ? std::to_chars(text, text + sizeof text, static_cast<float>(number))
                       : std::to_chars(text, text + sizeof text, number);
  return {text, end.ptr};
}

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == field.npos) return field;
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + '"';
}

/// A file of NumPy's, version 1: the header is filled up so that numbers begin at a multiple of 64.
std::string npy(const unroll::Array& values) {
  constexpr std::size_t kBefore = 10, kMultiple = 64;  // the mark and the header's length
  const unroll::Array numbers = values.contiguous();
  const std::string type = numbers.type() == unroll::int64     ? "<i8"
                           : numbers.type() == unroll::float64 ? "<f8"
                                                               : "<f4";
  std::string header = "{'descr': '" + type +
                       "', 'fortran_order': False, 'shape': " + numbers.shape().text() + ", }";
  header.append(kMultiple - 1 - (kBefore + header.size()) % kMultiple, ' ') += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() % 256);
  bytes += static_cast<char>(header.size() / 256);
  return bytes + header +
         std::string(static_cast<const char*>(numbers.raw()),
                     static_cast<std::size_t>(numbers.size()) *
                         static_cast<std::size_t>(bytes_of(numbers.type())));
}

}  // namespace

nlohmann::ordered_json json_of(const unroll::Shape& shape) {
  return std::vector<Size>(shape.begin(), shape.end());
}

std::string Sheet::text() const {
  constexpr int kWidth = 12;
  int left = 0;
  each_row(values, [&](Size k, const auto&) {
    left = std::max(left, display_width(shown(row_name(*this, k))));
  });
  std::string text = unroll::join("# ", title, " ", values.shape(), "\n") + pad_right("", left);
  for (Size k = 0; k < width_of(values.shape()); ++k)
    text += ' ' + pad_left(shown(column_name(*this, k)), kWidth - 1);
  text += '\n';
  each_row(values, [&](Size k, const std::vector<double>& numbers) {
    text += pad_right(shown(row_name(*this, k)), left);
    char number[32];
    for (const double x : numbers) {
      std::snprintf(number, sizeof number, " %*.5g", kWidth - 1, x);
      text += number;
    }
    text += '\n';
  });
  return text;
}

std::string Sheet::csv() const {
  std::string text = quoted("row of " + title);
  for (Size k = 0; k < width_of(values.shape()); ++k) text += ',' + quoted(column_name(*this, k));
  text += '\n';
  each_row(values, [&](Size k, const std::vector<double>& numbers) {
    text += quoted(row_name(*this, k));
    for (const double x : numbers) text += ',' + exact(x, values.type());
    text += '\n';
  });
  return text;
}

nlohmann::ordered_json Sheet::json() const {
  nlohmann::ordered_json json{{"title", title}, {"shape", json_of(values.shape())}};
  if (!rows.empty()) json["rows"] = rows;
  if (!columns.empty()) json["columns"] = columns;
  json["values"] = nlohmann::ordered_json::array();
  each_row(values, [&](Size, std::vector<double> numbers) {
    for (double& x : numbers) x = std::stod(exact(x, values.type()));  // 0.1, not 0.10000000149
    json["values"].push_back(std::move(numbers));
  });
  return json;
}

void Sheet::save(const std::string& path) const {
  write_file(path, ending(path) == ".npy" ? npy(values) : ending(path) == ".csv" ? csv() : text());
}

void Sheet::require_place(const std::string& path) {
  for (const auto& [kind, start] : kinds())
    if (ending(path) == kind) return require_replaceable(path, start);
  bad_input(path, ": the name of an output ends in .csv, .npy or .txt");
}

}  // namespace tasks
