// Choosing by index arrays and masks, and their gradients, which add to the chosen places. The
// loops are in index_kernels.cpp, sorting in sort.cpp.
#include <unroll/ops/index.hpp>

#include <algorithm>

#include <unroll/autograd/op.hpp>
#include <unroll/autograd/strided.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index_kernels.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

/// The array where the gradient of input k is summed, zeroed if it is new.
Array zeroed_target(Backward& b, int k) {
  Backward::Target t = b.target(k);
  if (!t.accumulate) t.array.fill(0);
  return t.array;
}

Variable zeros_like_input(const Backward& b, int k) { return zeros(b.x_shape(k), b.x_type(k)); }

/// Checks for gather and scatter_add: index within x's shape except along the axis.
void check_gather(const Op& op, int axis) {
  const Shape &x = op[0].shape(), &i = op[1].shape();
  bool fits = x.rank() == i.rank();
  for (int k = 0; fits && k < x.rank(); ++k) fits = k == axis || i[k] <= x[k];
  op.require(fits, "x is ", x, ", index is ", i, "; expected as many axes, and sizes up to x's ",
             "except along axis ", axis, ".");
}

}  // namespace

// dx[i][index[i][j][k]][k] += dy[i][j][k]
Variable gather(const Variable& x, Size axis, const Variable& index) {
  Op op("gather", x, index);
  int a = op.axis(axis);
  check_gather(op, a);
  kernel::check_index("gather", index.value(), a, op[0].shape());
  return op.record(kernel::gather(op[0], a, op[1]), [a](Backward& b) {
    if (b.create_graph()) {
      b.give(0, scatter_add(zeros_like_input(b, 0), a, b.x(1), b.dy()));
    } else {
      Array dx = zeroed_target(b, 0);
      kernel::scatter_add(dx, a, b.x(1).value(), b.dy().value());
    }
  }, Keep::nothing);
}

// dx = dy, dsource = dy at the indices
Variable scatter_add(const Variable& x, Size axis, const Variable& index, const Variable& source) {
  Op op("scatter_add", x, index, source);
  int a = op.axis(axis);
  check_gather(op, a);
  op.require(op[1].shape() == op[2].shape(), "index is ", op[1].shape(), ", source is ",
             op[2].shape(), "; expected equal shapes.");
  op.require(op[0].type() == op[2].type(), "x is ", op[0].type(), ", source is ", op[2].type(),
             "; expected one element type.");
  kernel::check_index("scatter_add", index.value(), a, op[0].shape());
  Array y = op[0].copy();
  kernel::scatter_add(y, a, op[1], op[2]);
  return op.record(std::move(y), [a](Backward& b) {
    b.give(0, b.dy());
    if (b.wants(2)) b.give(2, gather(b.dy(), a, b.x(1)));
  }, Keep::nothing);
}

// The slices of dx at the indices += those of dy.
Variable index_select(const Variable& x, Size axis, const Variable& index) {
  Op op("index_select", x, index);
  int a = op.axis(axis);
  kernel::check_index("index_select", index.value(), a, op[0].shape());
  return op.record(kernel::take(op[0], a, op[1]), [a](Backward& b) {
    if (b.create_graph()) {
      b.give(0, index_add(zeros_like_input(b, 0), a, b.x(1), b.dy()));
    } else {
      Array dx = zeroed_target(b, 0);
      kernel::add_taken(dx, a, b.x(1).value(), b.dy().value());
    }
  }, Keep::nothing);
}

// dx = dy, dsource = the slices of dy at the indices
Variable index_add(const Variable& x, Size axis, const Variable& index, const Variable& source) {
  Op op("index_add", x, index, source);
  int a = op.axis(axis);
  kernel::check_index("index_add", index.value(), a, op[0].shape());
  Shape expected = op[0].shape();
  expected.erase(a);
  for (int k = 0; k < op[1].rank(); ++k) expected.insert(a + k, op[1].shape()[k]);
  op.require(op[2].shape() == expected, "x is ", op[0].shape(), ", index is ", op[1].shape(),
             ", source is ", op[2].shape(), "; expected source ", expected, ".");
  op.require(op[0].type() == op[2].type(), "x is ", op[0].type(), ", source is ", op[2].type(),
             "; expected one element type.");
  Array y = op[0].copy();
  kernel::add_taken(y, a, op[1], op[2]);
  return op.record(std::move(y), [a](Backward& b) {
    b.give(0, b.dy());
    if (b.wants(2)) b.give(2, index_select(b.dy(), a, b.x(1)));
  }, Keep::nothing);
}

// dweight's rows += those of dy, straight into the sum over all uses of the weight; the row
// `padding` gets nothing.
Variable embedding(const Variable& weight, const Variable& index, const EmbeddingOptions& options) {
  Op op("embedding", weight, index);
  op.require(op[0].rank() == 2, "weight is ", op[0].shape(), "; expected (V, D).");
  kernel::check_index("embedding", index.value(), 0, op[0].shape());
  op.require(options.padding >= -1 && options.padding < op[0].shape()[0], "padding row ",
             options.padding, " does not exist in weight ", op[0].shape(), ".");
  return op.record(kernel::take(op[0], 0, op[1]), [padding = options.padding](Backward& b) {
    if (!b.create_graph()) {
      Array dw = zeroed_target(b, 0);
      return kernel::add_taken(dw, 0, b.x(1).value(), b.dy().value(), padding);
    }
    Variable dy = b.dy();
    if (padding >= 0)
      dy = masked_fill(dy, expand(equals(b.x(1), Variable(full({}, double(padding), int64))), -1),
                       0);
    b.give(0, index_add(zeros_like_input(b, 0), 0, b.x(1), dy));
  }, Keep::nothing);
}

namespace {

/// Numbers of the elements that the indices choose among the leading axes, as if these were one.
Array flat_index(const Shape& x, const Variables& indices) {
  Shape shape;
  for (const Variable& i : indices) shape = broadcast_shapes("index", shape, i.shape());
  Array flat(shape, int64);
  Size* to = flat.mutable_data<Size>();
  for (std::size_t k = 0; k < indices.size(); ++k) {
    int axis = static_cast<int>(k);
    if (indices[k].type() != int64)
      fail("index", "index ", k, " is ", indices[k].type(), "; expected int64.");
    std::vector<Size> values = indices[k].value().broadcast_to(shape).to_vector<Size>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] < -x[axis] || values[i] >= x[axis])
        fail("index", "index ", values[i], " is outside axis ", axis, " of shape ", x,
             "; expected ", -x[axis], " to ", x[axis] - 1, ".");
      to[i] = to[i] * x[axis] + (values[i] < 0 ? values[i] + x[axis] : values[i]);
    }
  }
  return flat;
}

}  // namespace

Variable index(const Variable& x, const Variables& indices) {
  auto n = static_cast<int>(indices.size());
  if (n < 1 || n > x.rank())
    fail("index", n, " indices for shape ", x.shape(), "; expected 1 to ", x.rank(), ".");
  Array flat = flat_index(x.shape(), indices);
  Shape merged{1};
  for (int k = 0; k < x.rank(); ++k) {
    if (k < n) merged[0] *= x.shape()[k];
    else merged.push_back(x.shape()[k]);
  }
  return index_select(reshape(x, merged), 0, flat);
}

Variable masked_select(const Variable& x, const Variable& mask) {
  if (broadcast_shapes("masked_select", x.shape(), mask.shape()) != x.shape())
    fail("masked_select", "x is ", x.shape(), ", mask is ", mask.shape(),
         "; expected a mask that broadcasts to x.");
  const Array on = mask.value().broadcast_to(x.shape()).contiguous();
  return index_select(reshape(x, {x.size()}), 0, dispatch(on.type(), [&]<class T>() {
    const T* m = on.data<T>();
    Array flat({std::count_if(m, m + on.size(), [](T number) { return number != 0; })}, int64);
    Size* to = flat.mutable_data<Size>();
    for (Size i = 0, n = 0; n < flat.size(); n += m[i++] != 0) to[n] = i;
    return flat;
  }));
}

Variable one_hot(const Variable& index, Size classes, Type type) {
  Op op("one_hot", index);
  op.require(classes >= 0, classes, " classes; expected at least 0.");
  kernel::check_index("one_hot", op[0], 0, {classes});
  Shape shape = op[0].shape();
  shape.push_back(classes);
  Array y(shape, type), i = op[0].contiguous();
  dispatch(type, [&]<class T>() {
    T* to = y.mutable_data<T>();
    const Size* at = i.data<Size>();
    for (Size row = 0, rows = i.size(); row < rows; ++row) to[row * classes + at[row]] = T(1);
  });
  return op.constant(std::move(y));
}

}  // namespace unroll
