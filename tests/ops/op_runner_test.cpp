// Tests that the runner of the op table finds planted mistakes: a table that cannot complain would
// say nothing about the ops.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/differentiable.hpp>
#include <unroll/ops/elementwise.hpp>

#include "op_table.hpp"

// Rows with a mistake: each must be complained about, in the check that it belongs to.
BOOST_AUTO_TEST_SUITE(op_table_runner)

using op_table::Row;
using unroll::Variable;
using unroll::Variables;

namespace {

Row cube(
    Variable (*f)(const Variable&),
    double (*reference)(double) = [](double x) { return x * x * x; }) {
  return op_table::unary("cube", f, reference);
}

Variable right_cube(const Variable& x) { return x * x * x; }

/// True if some complaint begins with that.
bool found(const Row& row, const std::string& check) {
  for (const std::string& complaint : op_table::check(row).complaints)
    if (complaint.starts_with(check)) return true;
  return false;
}

/// x^3 with a gradient of the caller's.
template <class G>
Variable cube_with(G gradient, const Variable& x) {
  return unroll::differentiable(
      "cube", [](const Variable& x) { return x * x * x; }, gradient, x);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_right_row_passes) {
  for (const std::string& complaint : op_table::check(cube(right_cube)).complaints)
    BOOST_ERROR(complaint);
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_found) {
  BOOST_TEST(found(cube(right_cube, [](double x) { return x * x * x + 1e-10; }), "value"));
}

BOOST_AUTO_TEST_CASE(a_wrong_gradient_is_found) {
  const Row row = cube([](const Variable& x) {
    return cube_with(
        [](const Variable& dy, const Variable&, const Variable& x) { return dy * 3.001 * x * x; },
        x);
  });
  BOOST_TEST(found(row, "gradients"));
}

BOOST_AUTO_TEST_CASE(a_wrong_second_gradient_is_found) {
  const Row row = cube([](const Variable& x) {
    return cube_with([](const Variable& dy, const Variable&,
                        const Variable& x) { return dy * 3 * x * stop_gradient(x); },
                     x);
  });
  BOOST_TEST(found(row, "gradients"));
}

BOOST_AUTO_TEST_CASE(reading_past_strides_is_found) {
  // The numbers as they lie in memory, whatever the strides say.
  const Row row = cube([](const Variable& x) {
    const unroll::Array& a = x.value();
    if (a.size() == 0 || a.strides()[0] < 0) return x * x * x;
    const Variable flat = unroll::Array(a.is_contiguous() ? a : a.contiguous().flipped(0));
    return flat * flat * flat + 0 * x;
  });
  BOOST_TEST(found(row, "strided input"));
}

BOOST_AUTO_TEST_CASE(an_empty_input_that_throws_is_found) {
  const Row row = cube([](const Variable& x) {
    if (x.size() == 0) unroll::fail("cube", "no elements.");
    return x * x * x;
  });
  BOOST_TEST(found(row, "empty input"));
}

BOOST_AUTO_TEST_CASE(float32_without_its_precision_is_found) {
  const Row row = cube([](const Variable& x) {
    return x.type() == unroll::float32 ? x * x * x * 1.0001 : x * x * x;
  });
  BOOST_TEST(found(row, "float32"));
}

BOOST_AUTO_TEST_CASE(an_input_kept_without_its_version_is_found) {
  const Row row = cube([](const Variable& x) {
    unroll::Op op("cube", x);
    const unroll::Array kept = op[0];
    return op.record((x * x * x).value().copy(),
                     [kept](unroll::Backward& b) { b.give(0, b.dy() * 3 * kept * kept); });
  });
  BOOST_TEST(found(row, "changed after recording"));
}

BOOST_AUTO_TEST_CASE(a_swallowed_nan_is_found) {
  const Row row = cube([](const Variable& x) { return where(equals(x, x), x * x * x, 0.0); });
  BOOST_TEST(found(row, "element by element"));
}

BOOST_AUTO_TEST_SUITE_END()
