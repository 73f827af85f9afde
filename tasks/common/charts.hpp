// Pictures of numbers as SVG: lines, dots, bars, matrices. The page around them is report.hpp's.
#pragma once

#include <string>
#include <vector>

#include <unroll/autograd/shape.hpp>

namespace tasks {

using unroll::Size;

/// Text as it may stand in HTML and SVG.
std::string escaped(const std::string& text);

struct Series {
  std::string name = {};
  std::vector<double> x = {}, y = {};
};

struct Axes {
  std::string x = {}, y = {};
  /// True draws y by its logarithm; what is not above 0 is left out.
  bool log_y = false;
};

// Each is an <svg> element of its own. Points that are not finite are left out.

/// Lines in different colours, with a legend if there is more than one.
std::string line_chart(const std::vector<Series>& series, const Axes& axes);
/// Dots, and the diagonal on which x = y.
std::string scatter_chart(const Series& dots, const Axes& axes);
/// How many of the values lie in each of some equal intervals, at most 30; of whole numbers each
/// interval holds equally many.
std::string histogram(const std::vector<double>& values, const Axes& axes);
/// A square for each number, the darker the larger its part of the row; rows and columns have the
/// same names. Throws Error unless counts are as many rows of as many numbers.
std::string matrix_chart(const std::vector<std::string>& names,
                         const std::vector<std::vector<Size>>& counts, const Axes& axes);

}  // namespace tasks
