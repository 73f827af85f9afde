// Table: rows of short texts in aligned columns for a terminal.
// What the cells say, and how numbers are rounded, is the caller's business.
#pragma once

#include <string>
#include <vector>

namespace tasks {

class Table {
 public:
  /// The first `left` columns are set flush left, all others flush right.
  explicit Table(int left = 1) : left_(left) {}

  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// A line across the table.
  void rule() { rows_.emplace_back(); }

  /// Two spaces before each line and between columns.
  std::string text() const;

 private:
  int left_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tasks
