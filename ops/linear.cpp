// linear and affine: one or more GEMMs summed in one result, and their gradients. sequence.cpp
// shares the products of inputs, weight_gradient.cpp collects the gradients of weights.
#include <unroll/ops/linear.hpp>

#include <algorithm>
#include <utility>

#include <unroll/autograd/node.hpp>
#include <unroll/autograd/small.hpp>
#include <unroll/autograd/strided.hpp>
#include <unroll/ops/checks.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/product.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/sequence.hpp>
#include <unroll/ops/weight_gradient.hpp>

namespace unroll {

namespace {

using kernel::multiply_contiguous;
using kernel::ReusedRightSide;
using kernel::rows_in;
using kernel::WeightGradient;

/// W^T as the right side of x W^T.
struct Prepared : Shared {
  std::uint32_t version = 0;
  kernel::ReusedRightSide right_side;
};

/// y = x W^T; plus y as it was if `accumulate`, or plus a contiguous row, if there is one.
void add_product(Array& y, const Op& op, int k, bool accumulate, const Array* row) {
  Array copied_x, copied_W;
  const Array &x = op[k].contiguous(copied_x), &W = op[k + 1].contiguous(copied_W);
  const Size m = rows_in(x), n = W.shape()[0], inner = W.shape()[1];
  const std::uint32_t version = op[k + 1].version() + 1;  // a copy has one of its own
  if (Ref<Shared>* memo = ReusedRightSide::gains(m, W) ? op.memo(k + 1) : nullptr) {
    auto* p = static_cast<Prepared*>(memo->get());
    if (!p || p->version != version) {
      *memo = Ref<Shared>(p = new Prepared);
      p->version = version;
    }
    if (auto* right_side = p->right_side.next(m, W, true))
      return right_side->multiply(x, y, accumulate, row);
  }
  if (row) kernel::copy_into(y, *row);
  multiply_contiguous(false, true, m, n, inner, x, W, y, accumulate || row);
}

/// The gradients of y = sum of full_k + sum of x_k W_k^T + b.
struct AffineGradient {
  int full, pairs;
  bool bias;

  void operator()(Backward& b) const {
    const Variable& given = *b.given();  // of one result
    Variable copied;
    if (!given.value().is_contiguous()) copied = contiguous(given);
    const Variable& dy = copied.empty() ? given : copied;
    for (int k = 0; k < full; ++k) b.give(k, dy);
    for (int k = full; k < full + 2 * pairs; k += 2) {
      if (b.wants(k)) input_gradient(b, k, dy);
      if (b.wants(k + 1)) weight_gradient(b, k, dy);
    }
    if (bias) b.give(full + 2 * pairs, dy);
  }

  static void input_gradient(Backward& b, int k, const Variable& dy) {
    const Variable& W = b.x(k + 1);
    if (b.create_graph()) return b.give(k, matmul(dy, W));
    Backward::Target t = b.target(k);
    if (t.array.is_contiguous()) return multiply(b, k, dy.value(), t.array, t.accumulate);
    Array dx = Array::uninitialised(t.array.shape(), t.array.type());
    multiply(b, k, dy.value(), dx, false);
    if (t.accumulate) kernel::add_into(t.array, dx);
    else kernel::copy_into(t.array, dx);
  }

  /// dx = dy W. What is prepared is kept with the gradient of W, one object in the whole sweep.
  static void multiply(Backward& b, int k, const Array& dy, Array& dx, bool accumulate) {
    const Array& W = b.x(k + 1).value();
    const Size m = rows_in(dy);
    if (b.wants(k + 1) && ReusedRightSide::gains(m, W))
      if (auto* right_side = b.deferred<WeightGradient>(k + 1).right_side.next(m, W, false))
        return right_side->multiply(dy, dx, accumulate);
    Array copied;
    multiply_contiguous(false, false, m, W.shape()[1], W.shape()[0], dy, W.contiguous(copied), dx,
                        accumulate);
  }

  static void weight_gradient(Backward& b, int k, const Variable& dy) {
    if (!b.create_graph()) return b.deferred<WeightGradient>(k + 1).add(b.take_x(k), dy);
    const Variable& x = b.x(k);
    Variable rows = reshape(dy, {rows_in(dy.value()), dy.shape().back()});
    b.give(k + 1, matmul(transpose(rows), reshape(x, {rows_in(x.value()), x.shape().back()})));
  }
};

Shape without_last(Shape shape) {
  shape.erase(shape.rank() - 1);
  return shape;
}

/// Throws unless x W^T of inputs k and k + 1 has that shape; `before` of the terms, x and W too, are
/// one input, their product.
void check_pair(const Op& op, int k, int before, const Shape& shape) {
  const Array &x = op[k], &W = op[k + 1];
  op.require(W.rank() == 2, "a weight has shape ", W.shape(), "; expected (out, in).");
  auto name = [&](const char* first, int input) {
    return k == 0 ? std::string(first) : join("input ", input + before);
  };
  if (x.rank() == 0 || x.shape().back() != W.shape()[1])
    op.require(false, "inner sizes differ: ", name("x", k), " is ", x.shape(), ", ",
               name("W", k + 1), " is ", W.shape(), "; expected (..., n) and (out, n).");
  op.require(W.shape()[0] == shape.back(), "weights have ", shape.back(), " and ", W.shape()[0],
             " rows; expected as many.");
  const bool fits = x.rank() == shape.rank() &&
                    std::equal(shape.begin(), shape.end() - 1, x.shape().begin());
  if (!fits)
    op.require(false, name("x", k), " is ", x.shape(), ", but x has leading axes ",
               without_last(shape), "; expected them equal.");
}

/// A bias that is one row of a result of that shape, as most are; nullptr for others.
const Array* as_row(const Array& bias, const Shape& shape) {
  const bool is_row = bias.rank() == 1 && bias.shape()[0] == shape.back() && bias.is_contiguous();
  return is_row ? &bias : nullptr;
}

/// Throws unless input k may be added to a result of that shape: before anything is changed.
void check_summand(const Op& op, int k, const char* what, const Shape& shape) {
  if (op[k].shape() == shape || as_row(op[k], shape)) return;
  op.require(broadcast_shapes("affine", op[k].shape(), shape) == shape, what, " ", op[k].shape(),
             " does not broadcast to ", shape, ".");
}

/// Of inputs in the order of sum_of_products.
void check_types(const Op& op, int full, int pairs) {
  for (int k = full; k < op.inputs(); ++k) {
    const char* name = k == full + 2 * pairs ? "the bias" : (k - full) % 2 ? "W" : "x";
    require_float(op, k, name);
  }
}

/// True if nobody else sees input 0, so that it may become the result.
bool is_given_away(const Op& op) {
  return op.input(0).record().unique() && op[0].type() == op.type() && op[0].is_contiguous();
}

Shape shape_of_result(const Op& op, int full) {
  if (full) return op[0].shape();
  op.require(op[0].rank() > 0 && op[1].rank() == 2, "x is ", op[0].shape(), ", W is ",
             op[1].shape(), "; expected x (..., in), W (out, in).");
  Shape shape = op[0].shape();
  shape[shape.rank() - 1] = op[1].size(0);
  return shape;
}

/// inputs: `full` results of the same shape, of which the `first` may become the result, `pairs` of x
/// and W, then perhaps a bias.
Variable sum_of_products(std::span<const Variable* const> inputs, int full, int pairs, bool bias,
                         Variable* first) {
  Op op(pairs == 1 && !full ? "linear" : "affine", inputs);
  check_types(op, full, pairs);
  const Shape shape = shape_of_result(op, full);
  for (int k = 0; k < pairs; ++k) check_pair(op, full + 2 * k, full, shape);
  for (int k = 0; k < full; ++k) check_summand(op, k, "a product", shape);
  if (bias) check_summand(op, full + 2 * pairs, "the bias", shape);
  // What begins the sum and is nobody else's becomes the sum, its memory and its gradient's place.
  bool started = full && is_given_away(op);
  Variable result =
      started ? std::move(*first) : Variable(Array::uninitialised(shape, op.type()));
  const int part = result.record()->slot;
  Array& y = result.record()->value;
  const std::uint32_t version = y.version();
  auto add = [&](const Array& part) {
    if (started) kernel::add_into(y, part);
    else kernel::copy_into(y, part);
    started = true;
  };
  const bool in_place = started;
  for (int k = in_place; k < full; ++k) add(op[k]);
  const Array* row = bias && !started ? as_row(op[full + 2 * pairs], shape) : nullptr;
  if (bias && !row) add(op[full + 2 * pairs]);
  for (int k = 0; k < pairs; ++k) {
    add_product(y, op, full + 2 * k, started, std::exchange(row, nullptr));
    started = true;
  }
  // The rows before, in the same buffer, have not changed.
  if (in_place) y.buffer()->version = version;
  op.record({&result, 1}, AffineGradient{full, pairs, bias}, Keep::inputs);
  if (in_place && op.recorded(0)) share_gradient(result, part);
  return result;
}

}  // namespace

Variable detail::affine_of(std::span<const Variable* const> terms) {
  if (terms.size() < 2)
    fail("affine", "takes x, W, h, U, ... and perhaps a bias; got ", terms.size(), ".");
  static const Variable none;
  const std::size_t pairs = terms.size() / 2;
  const Variable* bias = terms.size() % 2 ? terms.back() : &none;
  Small<Variable, 4> rows(pairs);  // products of rows of sequences, empty for other pairs
  for (std::size_t k = 0; k < pairs; ++k) {
    RowProduct product = product_of_row(*terms[2 * k], *terms[2 * k + 1], *bias);
    if (product.has_bias) bias = &none;
    rows[k] = std::move(product.row);
  }
  Small<const Variable*, 9> inputs(terms.size());
  std::size_t sums = 0, count = 0;
  Variable* first = nullptr;
  for (std::size_t k = 0; k < pairs; ++k) {
    if (rows[k].empty()) continue;
    inputs[sums++] = &rows[k];
    if (!first) first = &rows[k];
  }
  if (sums == 1 && pairs == 1 && bias->empty()) return std::move(*first);
  count = sums;
  for (std::size_t k = 0; k < pairs; ++k) {
    if (!rows[k].empty()) continue;
    inputs[count++] = terms[2 * k];
    inputs[count++] = terms[2 * k + 1];
  }
  if (!bias->empty()) inputs[count++] = bias;
  return sum_of_products({inputs.data(), count}, static_cast<int>(sums),
                         static_cast<int>(pairs - sums), !bias->empty(), first);
}

Variable affine_of(const Variables& terms) {
  std::vector<const Variable*> list;
  for (const Variable& term : terms) list.push_back(&term);
  return detail::affine_of(list);
}

Variable linear(const Variable& x, const Variable& W) { return detail::affine_of({&x, &W}); }
Variable linear(const Variable& x, const Variable& W, const Variable& b) {
  return detail::affine_of({&x, &W, &b});
}

}  // namespace unroll
