// Columns are as wide as their widest cell on a terminal. Trailing spaces are cut.
#include "common/table.hpp"

#include <algorithm>
#include <numeric>

#include "common/text.hpp"

namespace tasks {

std::string Table::text() const {
  std::vector<int> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t k = 0; k < row.size(); ++k)
      widths[k] = std::max(widths[k], display_width(row[k]));
  }
  const int whole = std::accumulate(widths.begin(), widths.end(), 0) + 2 * (int(widths.size()) - 1);
  std::string text;
  for (const auto& row : rows_) {
    std::string line = row.empty() ? "  " + std::string(std::max(whole, 0), '-') : "";
    for (std::size_t k = 0; k < row.size(); ++k)
      line += "  " + (int(k) < left_ ? pad_right(row[k], widths[k]) : pad_left(row[k], widths[k]));
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

}  // namespace tasks
