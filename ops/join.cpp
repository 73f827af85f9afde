// Joining arrays along an axis and cutting them again: concat and stack_along, split, chunk and
// unstack. One memcpy per contiguous piece, and no numbers move when cutting.
#include <unroll/ops/reshape.hpp>

#include <cstring>

#include <unroll/autograd/op.hpp>

namespace unroll {

namespace {

/// Views of parts of an array along an axis. That of a single position is worked out once, because
/// a sequence has thousands of steps.
class Cutter {
 public:
  /// With drop_axis the parts are single positions, without that axis.
  Cutter(const Array& whole, int axis, bool drop_axis)
      : whole_(whole), axis_(axis), drop_(drop_axis && whole.shape()[axis] > 0) {
    if (drop_) first_ = whole.select(axis, 0);
  }

  Array operator()(Size from, Size size) const {
    if (!drop_) return whole_.sliced(axis_, from, from + size);
    return first_.moved(from * whole_.strides()[axis_]);
  }

 private:
  const Array& whole_;
  int axis_;
  bool drop_;
  Array first_;  ///< position 0
};

/// The op's inputs behind one another along an axis of `y`, or one at each position of it.
void join_into(Array& y, int axis, bool drop_axis, const Op& op) {
  if (y.size() == 0) return;
  Size outer = 1, inner = bytes_of(y.type());
  for (int k = 0; k < axis; ++k) outer *= y.shape()[k];
  for (int k = axis + 1; k < y.rank(); ++k) inner *= y.shape()[k];
  Size row = inner * y.shape()[axis], at = 0;
  auto* to = static_cast<std::byte*>(y.mutable_raw());
  Cutter places(y, axis, drop_axis);
  for (int k = 0; k < op.inputs(); ++k) {
    const Array& part = op[k];
    Size size = drop_axis ? 1 : part.shape()[axis];
    if (part.is_contiguous()) {
      Size bytes = size * inner;
      auto* from = static_cast<const std::byte*>(part.raw());
      for (Size i = 0; i < outer && bytes > 0; ++i)
        std::memcpy(to + i * row + at * inner, from + i * bytes, static_cast<std::size_t>(bytes));
    } else {
      places(at, size).assign(part);
    }
    at += size;
  }
}

/// Throws unless the op has inputs, all of one type.
void require_parts(const Op& op) {
  op.require(op.inputs() > 0, "nothing to join; expected at least one Variable.");
  for (int k = 1; k < op.inputs(); ++k)
    op.require(op[k].type() == op[0].type(), "mixed element types: part 0 is ", op[0].type(),
               ", part ", k, " is ", op[k].type(), "; convert one with to().");
}

/// The gradient of a join: each input gets its part of dy, as a view.
template <class SizeOf>
void give_parts(Backward& b, int axis, bool drop_axis, SizeOf size_of) {
  const Array& dy = b.dy_in_parts();
  Cutter cut(dy, axis, drop_axis);
  Size at = 0;
  for (int k = 0; k < b.inputs(); ++k) {
    Size size = size_of(k);
    if (b.wants(k)) b.give_part(k, cut(at, size));
    at += size;
  }
}

}  // namespace

// dx_k = the part of dy that x_k has filled
Variable concat(const Variables& parts, Size axis) {
  Op op("concat", parts);
  require_parts(op);
  int a = op.axis(axis);
  Shape shape = op[0].shape();
  for (int k = 1; k < op.inputs(); ++k) {
    Shape other = op[k].shape();
    op.require(other.rank() == shape.rank(), "part 0 is ", op[0].shape(), ", part ", k, " is ",
               other, "; expected equal numbers of axes.");
    shape[a] += other[a];
    other[a] = op[0].shape()[a];
    op.require(other == op[0].shape(), "part 0 is ", op[0].shape(), ", part ", k, " is ",
               op[k].shape(), "; expected equal sizes except along axis ", a, ".");
  }
  Array y = Array::uninitialised(shape, op[0].type());
  join_into(y, a, false, op);
  return op.record(std::move(y), [a](Backward& b) {
    if (!b.create_graph())
      return give_parts(b, a, false, [&](int k) { return b.x_shape(k)[a]; });
    std::vector<Size> sizes;
    for (int k = 0; k < b.inputs(); ++k) sizes.push_back(b.x_shape(k)[a]);
    std::vector<Variable> dxs = split(b.dy(), sizes, a);
    for (int k = 0; k < b.inputs(); ++k) b.give(k, dxs[static_cast<std::size_t>(k)]);
  }, Keep::nothing);
}

// dx_k = dy at position k of the new axis
Variable detail::stack_along(std::span<const Variable* const> parts, Size axis) {
  Op op("stack_along", parts);
  require_parts(op);
  Shape shape = op[0].shape();
  Size n = shape.rank() + 1;
  op.require(axis >= -n && axis < n, "position ", axis, " does not exist for parts ", shape,
             "; expected ", -n, " to ", n - 1, ".");
  int a = static_cast<int>(axis < 0 ? axis + n : axis);
  for (int k = 1; k < op.inputs(); ++k)
    op.require(op[k].shape() == shape, "part 0 is ", shape, ", part ", k, " is ", op[k].shape(),
               "; expected equal shapes.");
  shape.insert(a, op.inputs());
  Array y = Array::uninitialised(shape, op[0].type());
  join_into(y, a, true, op);
  return op.record(std::move(y), [a](Backward& b) {
    if (!b.create_graph()) return give_parts(b, a, true, [](int) { return Size(1); });
    std::vector<Variable> dxs = unstack(b.dy(), a);
    for (int k = 0; k < b.inputs(); ++k) b.give(k, dxs[static_cast<std::size_t>(k)]);
  }, Keep::nothing);
}

Variable stack_along(const Variables& parts, Size axis) {
  std::vector<const Variable*> list;
  list.reserve(parts.size());
  for (const Variable& part : parts) list.push_back(&part);
  return detail::stack_along(list, axis);
}

std::vector<Variable> unstack(const Variable& x, Size axis) {
  int a = checked_axis("unstack", axis, x.shape());
  return views("unstack", x, [&](const Array& whole) {
    const Size n = whole.shape()[a];
    if (n == 0) return std::vector<Series>();
    return std::vector<Series>{{whole.select(a, 0), whole.strides()[a], n}};
  });
}

std::vector<Variable> split(const Variable& x, const std::vector<Size>& sizes, Size axis) {
  int a = checked_axis("split", axis, x.shape());
  Size total = 0;
  for (Size size : sizes) {
    if (size < 0) fail("split", "a part of size ", size, "; expected at least 0.");
    total += size;
  }
  if (total != x.shape()[a])
    fail("split", "sizes sum to ", total, ", axis ", a, " of shape ", x.shape(), " has ",
         x.shape()[a], ".");
  return views("split", x, [&](const Array& whole) {
    std::vector<Series> parts;
    Size at = 0;
    for (Size size : sizes) {
      parts.push_back({whole.sliced(a, at, at + size)});
      at += size;
    }
    return parts;
  });
}

std::vector<Variable> chunk(const Variable& x, Size n, Size axis) {
  int a = checked_axis("chunk", axis, x.shape());
  Size size = x.shape()[a];
  if (n <= 0 || size % n != 0)
    fail("chunk", "axis ", a, " of shape ", x.shape(), " cannot be cut into ", n,
         " equal parts; use split for others.");
  const Size part = size / n;
  return views("chunk", x, [&](const Array& whole) {
    return std::vector<Series>{{whole.sliced(a, 0, part), part * whole.strides()[a], n}};
  });
}

}  // namespace unroll
