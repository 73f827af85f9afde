// The op table: one row an op, from which one runner derives all tests of it. Rows are in
// table_*.cpp, the checks in op_checks.cpp; what a row cannot say has a test file of its own.
//
// Each row is checked for: value against an independent reference, gradients of first and second
// order against differences, values and gradients of empty inputs (where a shape for them is
// given), strided inputs against contiguous ones, float32 against float64, and inputs that change
// after they were recorded, all of it in memory full of strange numbers. Only rows marked `broadcasts` are checked for broadcasting, and only
// those marked `elementwise` at many lengths and with NaN.
#pragma once

#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include <unroll/autograd/variable.hpp>

namespace op_table {

using unroll::Size;
using unroll::Variable;
using unroll::Variables;
using Index = std::vector<Size>;

/// What references compute with: plain loops over doubles (int64 inputs too), row-major.
struct Numbers {
  Index shape;
  std::vector<double> data;

  Numbers() = default;
  /// Zeros.
  explicit Numbers(Index shape);
  Size size(int axis) const;
  Size count() const { return static_cast<Size>(data.size()); }
  double& at(const Index& index);
  double at(const Index& index) const;
  template <class... I>
  double operator()(I... i) const {
    return at(Index{static_cast<Size>(i)...});
  }
};

/// What references take and return: one entry an input or output; a single one may stand alone.
struct NumbersList : std::vector<Numbers> {
  using std::vector<Numbers>::vector;
  NumbersList(Numbers one) : std::vector<Numbers>{std::move(one)} {}
};

/// f(index) at every index of a shape, in row-major order.
Numbers build(const Index& shape, const std::function<double(const Index&)>& f);
/// Calls f with every index of a shape, in row-major order.
void each_index(const Index& shape, const std::function<void(const Index&)>& f);
/// f(the elements along the axes; all of them if none is named), in row-major order.
Numbers fold(const Numbers& x, Index axes, bool keepdims,
             const std::function<double(const std::vector<double>&)>& f);
/// NumPy's broadcasting of two shapes.
Index broadcast(const Index& a, const Index& b);
/// x at an index of a shape that it broadcasts to.
double broadcast_at(const Numbers& x, const Index& index);

/// How the numbers of an input are chosen.
struct Input {
  Index shape;
  double low = -2, high = 2;
  Index empty = {};                    ///< its shape in the test of empty inputs
  std::vector<double> away_from = {};  ///< points at which the op has a kink: kept at 0.05
  bool spaced = false;                 ///< all different by 0.05 at least: no ties
  bool whole = false;                  ///< int64 in [low, high)
};
/// Random in [low, high].
Input real(Index shape, double low = -2, double high = 2);
/// Random and all different, for ops that compare elements.
Input spaced(Index shape);
/// int64 in [0, n).
Input index(Index shape, Size n);
/// The same input, with the shape that it has in the test of empty inputs.
Input empty_as(Input input, Index empty);

enum class OnEmpty { computes, throws };

struct Row {
  std::string name;          ///< as in the header
  std::string variant = {};  ///< tells rows of one op apart
  std::function<Variables(const Variables&)> f = {};
  std::function<NumbersList(const NumbersList&)> reference = {};
  std::vector<Input> inputs = {};

  bool broadcasts = false;   ///< two inputs of any shapes that broadcast, the reference too
  bool constant = false;     ///< no gradient by nature: argmax, comparisons
  bool elementwise = false;  ///< of one input: NaN goes through, and long arrays are tried
  /// Inputs of shape Input::empty, where any is given.
  OnEmpty on_empty = OnEmpty::computes;
  /// Shapes of all inputs for further tests of empty ones, which must compute.
  std::vector<std::vector<Index>> also_empty = {};
  double float32 = 1e-5;  ///< largest error of float32, relative to the largest element
  int order = 2;          ///< up to which gradients are checked
};

/// A row f(x) = y of one number each, for shapes of any kind.
Row unary(std::string name, Variable (*f)(const Variable&), double (*reference)(double),
          double low = -2, double high = 2, std::vector<double> away_from = {});
/// The same for f(a, b), broadcasting; the domains are those of a and of b.
Row binary(std::string name, Variable (*f)(const Variable&, const Variable&),
           double (*reference)(double, double), Input a = real({3, 4}), Input b = real({3, 4}));

/// Registers rows: `const Rows rows{{...}, unary("exp", ...), ...};` in any table_*.cpp.
struct Rows {
  Rows(std::initializer_list<Row> rows);
  explicit Rows(const std::vector<Row>& rows);
};
const std::vector<Row>& all_rows();

/// All checks of one row: a sentence for each that fails, and how many were made.
struct Outcome {
  std::vector<std::string> complaints;
  int checks = 0;
};
Outcome check(const Row& row);

}  // namespace op_table
