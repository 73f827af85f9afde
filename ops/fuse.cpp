// What elementwise ops and fuse share around the lane loops: shapes and memory of results, and
// where gradients go. The loops are in lane_kernel.cpp.
#include <unroll/ops/fuse.hpp>

#include <algorithm>
#include <cstring>

#include <unroll/autograd/small.hpp>
#include <unroll/autograd/strided.hpp>

namespace unroll::kernel {

namespace {

/// A list of operands, on the stack unless it is a long one.
class Operands {
 public:
  explicit Operands(std::size_t most) {
    if (most <= kInline) return;
    heap_ = Buffer::take(most * sizeof(Operand));
    data_ = reinterpret_cast<Operand*>(heap_->data());
  }
  ~Operands() {
    for (int k = 0; k < n_; ++k) data_[k].~Operand();
  }
  Operands(const Operands&) = delete;

  Operand& push() { return *new (data_ + n_++) Operand; }
  Operand& push(const Array& array, const Shape& shape) {
    Operand& o = push();
    o.set(array, shape);
    return o;
  }
  Operand& operator[](int k) { return data_[k]; }
  const Operand* data() const { return data_; }
  int size() const { return n_; }

 private:
  static constexpr std::size_t kInline = 16;
  alignas(Operand) std::byte inline_[kInline * sizeof(Operand)];
  Ref<Buffer> heap_;
  Operand* data_ = reinterpret_cast<Operand*>(inline_);
  int n_ = 0;
};

void clear(void* data, Size elements, Type type) {
  if (data) std::memset(data, 0, static_cast<std::size_t>(elements * bytes_of(type)));
}

/// True if input k is the same all along that axis of the common shape.
bool repeats(const Backward& b, int k, const Shape& shape, int axis) {
  int own = axis - (shape.rank() - b.x_shape(k).rank());
  return own < 0 || b.x_shape(k)[own] == 1;
}

/// A gradient that is summed over more numbers than lane loops should add one by one is summed in
/// slabs of the first axis, and the engine sums the slabs.
struct Slabs {
  struct Sums {
    int input, operand;
    Array slabs;  ///< (count, the input's shape)
  };
  int axis = 0;
  Size rows = 0, count = 1;  ///< along the axis in a slab, and slabs
  std::vector<Sums> sums;

  Slabs(const Backward& b, const Shape& shape) {
    constexpr Size kMost = 2048, kInSlab = 512;
    while (axis < shape.rank() && shape[axis] == 1) ++axis;
    if (shape.count() <= kMost || b.inputs() == 1) return;
    Size times = 0;
    for (int k = 0; k < b.inputs(); ++k)
      if (b.wants(k) && repeats(b, k, shape, axis))
        times = std::max(times, shape.count() / b.x_shape(k).count());
    if (times <= kMost) return;
    Size size = shape[axis], row = shape.count() / size;
    rows = std::max({Size{1}, size * kInSlab / times, kMost / row});
    count = (size + rows - 1) / rows;
  }

  /// Calls f(shape) for each slab, with the operands moved on to it.
  template <class F>
  void each(Shape shape, Type type, Operands& operands, F&& f) {
    if (count == 1) return f(shape);
    Size size = shape[axis], row = shape.count() / size;
    std::vector<Size> steps;
    for (int k = 0; k < operands.size(); ++k) {
      const Operand& o = operands[k];
      steps.push_back(o.layout == Operand::whole     ? rows * row
                      : o.layout == Operand::strided ? rows * o.strides[axis]
                                                     : 0);
    }
    for (const Sums& one : sums)
      steps[static_cast<std::size_t>(one.operand)] = one.slabs.size() / count;
    for (Size start = 0; start < size; start += rows) {
      shape[axis] = std::min(rows, size - start);
      f(shape);
      for (int k = 0; k < operands.size(); ++k)
        if (void*& data = operands[k].data)
          data = static_cast<std::byte*>(data) +
                 steps[static_cast<std::size_t>(k)] * bytes_of(type);
    }
  }
};

/// Places for the gradients of the inputs, as results of a kernel over `shape`.
void add_targets(Backward& b, const Shape& shape, Type type, Operands& operands, Slabs& slabs) {
  int first = operands.size();
  Small<const void*, 16> buffers(b.inputs());
  for (int k = 0; k < b.inputs(); ++k) {
    buffers[k] = nullptr;
    if (!b.wants(k)) {
      operands.push();
      continue;
    }
    if (slabs.count > 1 && repeats(b, k, shape, slabs.axis)) {
      Shape room = b.x_shape(k);
      room.insert(0, slabs.count);
      slabs.sums.push_back({k, operands.size(), Array(room, type)});
      operands.push(slabs.sums.back().slabs[0], shape).add = true;
      continue;
    }
    Backward::Target target = b.target(k);
    bool broadcast = !(target.array.shape() == shape);
    Operand& o = operands.push(target.array, shape);
    o.data = target.array.mutable_raw();
    o.add = target.accumulate || broadcast;
    if (broadcast && !target.accumulate) clear(o.data, target.array.size(), type);
    if (b.inputs() == 1) return;
    // Inputs that share one gradient are all added to it.
    buffers[k] = target.array.buffer().get();
    for (int j = 0; j < k; ++j) {
      Operand& other = operands[first + j];
      if (buffers[j] != buffers[k] || other.add) continue;
      clear(other.data, shape.count(), type);
      other.add = true;
    }
  }
}

/// Row-major operands of one shape, as most are: the last lane may overlap the one before it.
/// False if there are too many operands, or too few elements.
template <class T>
bool forward_whole(LaneLoop<T> loop, Size width, const void* function,
                   std::span<const Array* const> in, std::span<Array> out) {
  constexpr std::size_t most = 12;
  const Size n = out[0].size(), rest = n & (width - 1);  // a lane's width is a power of 2
  if (n < width || in.size() + out.size() > most) return false;
  const T* from[most];
  T* to[most];
  Size steps[most];
  for (std::size_t k = 0; k < in.size(); ++k) {
    from[k] = static_cast<const T*>(in[k]->raw());
    steps[k] = width;
  }
  for (std::size_t k = 0; k < out.size(); ++k) to[k] = static_cast<T*>(out[k].mutable_raw());
  loop(function, from, steps, to, nullptr, n / width);
  if (rest == 0) return true;
  for (std::size_t k = 0; k < in.size(); ++k) from[k] += n - width;
  for (std::size_t k = 0; k < out.size(); ++k) to[k] += n - width;
  loop(function, from, steps, to, nullptr, 1);
  return true;
}

/// True if all inputs are contiguous and have the same shape.
bool are_whole(std::span<const Array* const> in) {
  bool whole = in[0]->is_contiguous();
  for (const Array* x : in.subspan(1))
    whole = whole && x->is_contiguous() && x->shape() == in[0]->shape();
  return whole;
}

void check_types(const char* op, Type type, std::span<const Array* const> in) {
  for (const Array* x : in)
    if (x->type() != type)
      fail(op, "elements are ", x->type(), ", shape ", x->shape(), "; expected ", type,
           ", convert them with to(", type, ").");
}

}  // namespace

Shape common_shape(const char* op, Type type, std::span<const Array* const> in) {
  check_types(op, type, in);
  Shape shape = in[0]->shape();
  for (const Array* x : in.subspan(1)) shape = broadcast_shapes(op, shape, x->shape());
  return shape;
}

void forward(const char* op, const LaneKernel& kernel, const void* function, Type type,
             std::span<const Array* const> in, std::span<Array> out) {
  check_types(op, type, in);
  const bool whole = are_whole(in);
  if (whole) {
    for (Array& y : out) y = Array::uninitialised_like(*in[0]);
    if (type == float32 ? forward_whole(kernel.single, kernel.single_width, function, in, out)
                        : forward_whole(kernel.twice, kernel.twice_width, function, in, out))
      return;
  }
  const Shape shape = common_shape(op, type, in);
  for (Array& y : out)
    if (!whole) y = Array::uninitialised(shape, type);
  Operands operands(in.size() + out.size());
  for (const Array* x : in) operands.push(*x, shape);
  for (Array& y : out) operands.push(y, shape);
  run(kernel, function, type, shape, operands.data(), static_cast<int>(in.size()), operands.size());
}

namespace {

/// The gradient of an op of one input, most of which are functions of each number of a whole array.
/// False if this one is not, or has no whole number of lanes.
template <class T>
bool backward_whole(Backward& b, LaneLoop<T> loop, Size width, const void* function,
                    std::span<const Array* const> given) {
  const Array& dy = *given[0];
  const Size n = dy.size();
  if ((n & (width - 1)) || !(b.x_shape() == dy.shape())) return false;
  const T* from[3];
  const Size steps[]{width, width, width};
  for (std::size_t k = 0; k < given.size(); ++k) {
    if (!given[k]->is_contiguous()) return false;
    if (k > 0 && !(given[k]->shape() == dy.shape())) return false;
    from[k] = static_cast<const T*>(given[k]->raw());
  }
  Backward::Target t = b.target(0);
  auto run = [&](Array& dx, bool add) {
    T* to = static_cast<T*>(dx.mutable_raw());
    loop(function, from, steps, &to, &add, n / width);
  };
  if (t.array.is_contiguous()) {
    run(t.array, t.accumulate);
  } else {
    Array own = Array::uninitialised(dy.shape(), dy.type());
    run(own, false);
    t.accumulate ? add_into(t.array, own) : copy_into(t.array, own);
  }
  return true;
}

}  // namespace

void backward(Backward& b, const LaneKernel& kernel, const void* function, Keep keep) {
  bool keeps_results = static_cast<int>(keep) & 2, keeps_inputs = static_cast<int>(keep) & 1;
  if (b.inputs() == 1 && b.results() == 1) {
    const Array* given[3] = {&b.given()->value()};
    std::size_t n = 1;
    if (keeps_results) given[n++] = &b.y().value();
    if (keeps_inputs) given[n++] = &b.x().value();
    const std::span<const Array* const> list(given, n);
    if (given[0]->type() == float32
            ? backward_whole(b, kernel.single, kernel.single_width, function, list)
            : backward_whole(b, kernel.twice, kernel.twice_width, function, list))
      return;
  }
  Operands operands(static_cast<std::size_t>(2 * (b.results() + b.inputs())));
  // At least one of the results has a gradient; the others' are zero.
  static const double zero = 0;
  int first = 0;
  while (!b.given(first)) ++first;
  const Variable& dy = *b.given(first);
  const Shape& shape = dy.shape();
  for (int k = 0; k < b.results(); ++k) {
    const Variable* given = b.given(k);
    Operand& o = operands.push(given ? given->value() : dy.value(), shape);
    if (given) continue;
    o.data = const_cast<double*>(&zero);
    o.layout = Operand::uniform;
  }
  for (int k = 0; keeps_results && k < b.results(); ++k)
    operands.push(b.y(k).value(), shape);
  for (int k = 0; keeps_inputs && k < b.inputs(); ++k)
    operands.push(b.x(k).value(), shape);
  int inputs = operands.size();
  Slabs slabs(b, shape);
  add_targets(b, shape, dy.type(), operands, slabs);
  slabs.each(shape, dy.type(), operands, [&](const Shape& part) {
    run(kernel, function, dy.type(), part, operands.data(), inputs, operands.size());
  });
  for (const Slabs::Sums& one : slabs.sums) b.give(one.input, one.slabs);
}

}  // namespace unroll::kernel
