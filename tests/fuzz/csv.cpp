// Any bytes as a CSV file: refused in one line, or columns that are the same once written and read
// again. What the columns mean is decided by the programs.
#include "common/csv.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "fuzz.hpp"

using tasks::BadInput;
using tasks::Csv;
using tasks::Size;

namespace {

std::string quoted(const std::string& field) {
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + '"';
}

std::string line_of(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) line += (line.empty() ? "" : ",") + quoted(field);
  return line + '\n';
}

bool is_there_once(const Csv& csv, const std::string& name) {
  return std::count(csv.names().begin(), csv.names().end(), name) == 1;
}

/// The rows as other programs write them, if every column can be asked for.
std::optional<std::string> written(const Csv& csv) {
  std::vector<const std::vector<std::string>*> columns;
  for (const std::string& name : csv.names()) {
    if (!is_there_once(csv, name)) return std::nullopt;
    columns.push_back(&csv.column(name));
  }
  std::string text = line_of(csv.names());
  for (Size row = 0; row < csv.rows(); ++row) {
    std::vector<std::string> fields;
    for (const auto* column : columns) fields.push_back((*column)[static_cast<std::size_t>(row)]);
    text += line_of(fields);
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<Csv> csv;
  if (!accepted<BadInput>("f.csv: ", [&] { csv = Csv::parse(text_of(data, size), "f.csv"); }))
    return 0;
  must(csv->rows() > 0, "a file without rows is refused");
  for (const std::string& name : csv->names()) {
    const bool is_read = accepted<BadInput>("f.csv: line ", [&] {
      const std::vector<double> numbers = csv->numbers(name);
      must(static_cast<Size>(numbers.size()) == csv->rows(), "a number a row");
      for (const double number : numbers) must(std::isfinite(number), "numbers are finite");
    });
    must(!is_read || is_there_once(*csv, name), "a column that is there twice is refused");
  }
  accepted<BadInput>("f.csv: line ", [&] { csv->refuse(csv->rows() - 1, "odd"); });
  const std::optional<std::string> text = written(*csv);
  if (!text) return 0;
  const Csv again = Csv::parse(*text, "again.csv");
  must(again.names() == csv->names(), "the names survive");
  for (const std::string& name : csv->names())
    must(again.column(name) == csv->column(name), "the fields survive");
  return 0;
}
