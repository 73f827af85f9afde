// matmul, dot and outer with their gradients. The loops over matrices are in product.cpp, sums over
// named axes in einsum.cpp.
#include <unroll/ops/matmul.hpp>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/checks.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/product.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

// A vector is a row on the left and a column on the right; its axis is missing from the result.
Array as_left(const Array& a) { return a.rank() == 1 ? a.expanded(0) : a; }
Array as_right(const Array& b) { return b.rank() == 1 ? b.expanded(-1) : b; }
Variable as_left(const Variable& a) { return a.rank() == 1 ? expand(a, 0) : a; }
Variable as_right(const Variable& b) { return b.rank() == 1 ? expand(b, -1) : b; }

/// dy with the axes that vectors have taken from the result.
template <class X>
X with_vector_axes(X dy, bool left, bool right, X (*insert)(const X&, Size)) {
  if (right) dy = insert(dy, -1);
  if (left) dy = insert(dy, -2);
  return dy;
}

void check(const Op& op) {
  const Shape &a = op[0].shape(), &b = op[1].shape();
  require_float(op, {"a", "b"});
  op.require(a.rank() > 0 && b.rank() > 0, "a is ", a, ", b is ", b,
             "; expected at least one axis each, multiply scalars with *.");
  Size inner = a.back(), rows = b[std::max(0, b.rank() - 2)];
  op.require(inner == rows, "inner sizes differ: a is ", a, ", b is ", b, "; expected b with ",
             inner, b.rank() == 1 ? " elements." : " rows.");
  for (int k = 3; k <= a.rank() && k <= b.rank(); ++k) {
    Size x = a[a.rank() - k], y = b[b.rank() - k];
    op.require(x == y || x == 1 || y == 1, "leading sizes differ: a is ", a, ", b is ", b,
               "; expected them equal or 1.");
  }
}

// da = dy b^T and db = a^T dy; the engine sums over the axes that were broadcast.
void recorded_gradient(Backward& g) {
  const Variable &a = g.x(0), &b = g.x(1);
  Variable dy = with_vector_axes<Variable>(g.dy(), a.rank() == 1, b.rank() == 1, expand);
  if (g.wants(0)) g.give(0, matmul(dy, transpose(as_right(b))));
  if (!g.wants(1)) return;
  Variable db = matmul(transpose(as_left(a)), dy);
  g.give(1, b.rank() == 1 ? squeeze(db, -1) : db);
}

// The same straight into the sums, without transposing or broadcasting anything in memory.
void fast_gradient(Backward& g) {
  const Array &a = g.x(0).value(), &b = g.x(1).value();
  Array dy = with_vector_axes<Array>(g.dy().value(), a.rank() == 1, b.rank() == 1,
                                     [](const Array& x, Size axis) { return x.expanded(axis); });
  if (g.wants(0)) {
    Backward::Target t = g.target(0);
    Array da = as_left(t.array);
    kernel::multiply_matrices(da, t.accumulate, dy, as_right(b).transposed());
  }
  if (g.wants(1)) {
    Backward::Target t = g.target(1);
    Array db = as_right(t.array);
    kernel::multiply_matrices(db, t.accumulate, as_left(a).transposed(), dy);
  }
}

}  // namespace

Variable matmul(const Variable& a, const Variable& b) {
  Op op("matmul", a, b);
  check(op);
  Array left = as_left(op[0]), right = as_right(op[1]);
  Shape x = left.shape(), z = right.shape();
  Shape shape =
      broadcast_shapes("matmul", Shape(x.data(), x.rank() - 2), Shape(z.data(), z.rank() - 2));
  shape.push_back(x[x.rank() - 2]);
  shape.push_back(z.back());
  Array y = Array::uninitialised(shape, op.type());
  kernel::multiply_matrices(y, false, left, right);
  if (op[0].rank() == 1) y = y.squeezed(-2);
  if (op[1].rank() == 1) y = y.squeezed(-1);
  return op.record(std::move(y), [](Backward& g) {
    if (g.create_graph()) recorded_gradient(g);
    else fast_gradient(g);
  }, Keep::inputs);
}

Variable dot(const Variable& a, const Variable& b) {
  if (a.rank() != 1 || b.shape() != a.shape())
    fail("dot", "a is ", a.shape(), ", b is ", b.shape(), "; expected two (n,) of one size.");
  return matmul(a, b);
}

Variable outer(const Variable& a, const Variable& b) {
  if (a.rank() != 1 || b.rank() != 1)
    fail("outer", "a is ", a.shape(), ", b is ", b.shape(), "; expected (m,) and (n,).");
  return expand(a, -1) * b;
}

}  // namespace unroll
