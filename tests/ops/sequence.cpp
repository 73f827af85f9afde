// The product that all rows of a sequence share: it is made once, and never when the rows changed.
// What over_time makes of it is tested with the cells.
#include <boost/test/unit_test.hpp>

#include <unroll/ops/ops.hpp>
#include <unroll/ops/sequence.hpp>

using namespace unroll;

namespace {

Array ramp(const Shape& shape) { return arange(0, shape.count(), 1, float32).reshaped(shape); }

/// x_t W^T of every row, by rows that know of each other.
std::vector<Array> products(const Variable& xs, const Variable& W) {
  std::vector<Array> list;
  for (const Variable& x : rows_of(xs)) list.push_back(linear(x, W).value());
  return list;
}

Size nodes_named_linear(Size steps) {
  Parameter W("W", ramp({4, 3}));
  Tape tape;
  Variable xs = tape.watch(ramp({steps, 2, 3}));
  Size before = tape.nodes();
  for (const Variable& x : rows_of(xs)) linear(x, W);
  return tape.nodes() - before;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sequence)

BOOST_AUTO_TEST_CASE(one_product_for_all_rows) {
  // unstack, the first row's product, that of all rows and its unstack: however many rows.
  BOOST_TEST(nodes_named_linear(5) == 4);
  BOOST_TEST(nodes_named_linear(50) == 4);
}

BOOST_AUTO_TEST_CASE(each_row_gets_its_own) {
  Variable W = ramp({4, 3});
  const Array whole = ramp({8, 2, 3});
  const Array layouts[] = {whole, whole.sliced(0, 1, 6, 2), whole.flipped(0), ramp({1, 2, 3}).broadcast_to({8, 2, 3}),
                           ramp({2, 8, 3}).permuted({1, 0, 2})};
  for (const Array& xs : layouts) {
    std::vector<Array> got = products(xs, W);
    for (Size t = 0; t < xs.size(0); ++t)
      BOOST_TEST(identical(got[static_cast<std::size_t>(t)], linear(Variable(xs[t].copy()), W).value()));
  }
}

BOOST_AUTO_TEST_CASE(rows_written_on_the_way) {
  Variable W = eye(2);
  Array xs = zeros({6, 1, 2});
  std::vector<Variable> rows = rows_of(xs);
  for (Size t = 0; t < 6; ++t) {
    Array next = linear(rows[static_cast<std::size_t>(t)], W).value();
    BOOST_TEST(identical(next, full({1, 2}, static_cast<double>(t))));
    if (t < 5) xs[t + 1].fill(static_cast<double>(t + 1));
  }
}

BOOST_AUTO_TEST_CASE(rows_written_on_the_way_on_a_tape) {
  Parameter W("W", eye(2));
  Array xs = zeros({3, 1, 2});
  Tape tape;
  std::vector<Variable> rows = rows_of(tape.watch(xs));
  Variable y = linear(rows[0], W);
  xs[1].fill(1);
  y = y + linear(rows[1], W);
  BOOST_TEST(identical(y.value(), ones({1, 2})));
  BOOST_CHECK_THROW(tape.backward(sum(y)), Error);  // row 0 was recorded before its memory changed
}

BOOST_AUTO_TEST_CASE(weights_that_change) {
  Parameter W("W", eye(2));
  std::vector<Variable> rows = rows_of(ones({6, 1, 2}));
  auto at = [&](std::size_t t) { return linear(rows[t], W).value().at({0, 0}); };
  BOOST_TEST(at(0) == 1);
  BOOST_TEST(at(1) == 1);
  W.assign(full({2, 2}, 3));
  BOOST_TEST(at(2) == 6);
  BOOST_TEST(at(3) == 6);
  W.to(float64);
  W.assign(full({2, 2}, 4));
  W.to(float32);
  BOOST_TEST(at(4) == 8);
  BOOST_TEST(at(5) == 8);
}

BOOST_AUTO_TEST_SUITE_END()
