// Array: numbers of one element type with a shape, in pooled memory; views share it. Arithmetic is
// not here: it belongs to ops, which work on Variables.
#pragma once

#include <span>
#include <vector>

#include <unroll/autograd/memory.hpp>
#include <unroll/autograd/shape.hpp>

namespace unroll {

/// A handle to numbers in memory, cheap to copy; copies and views see the same numbers.
class Array {
 public:
  /// No elements: shape (0,), float32.
  Array() : shape_{0}, contiguous_(true), strides_{1} {}
  Array(const Array&) = default;
  Array(Array&&) = default;
  Array& operator=(const Array&) & = default;
  Array& operator=(Array&&) & = default;
  Array& operator=(const Array&) && = delete;  // x[t] = y would change a temporary: x[t].assign(y)
  /// Zeros.
  explicit Array(const Shape& shape, Type type = float32);
  /// Array({5, 3}) could mean a shape or two values: write zeros({5, 3}) or values({5, 3}).
  explicit Array(std::initializer_list<Size>) = delete;
  /// Unspecified content, for kernels that write every element.
  static Array uninitialised(const Shape& shape, Type type);
  /// The same, of the shape and type of a contiguous one.
  static Array uninitialised_like(const Array& contiguous);
  /// The geometry alone, without memory: for working out views.
  static Array layout(const Shape& shape, const Shape& strides, Size offset, Type type);

  Type type() const { return type_; }
  const Shape& shape() const { return shape_; }
  /// In elements; 0 along broadcast axes, negative along flipped ones.
  const Shape& strides() const { return strides_; }
  int rank() const { return shape_.rank(); }
  /// Number of elements.
  Size size() const { return shape_.count(); }
  /// Size along an axis, which may be negative.
  Size size(Size axis) const { return shape_[checked_axis("size", axis, shape_)]; }
  /// Elements between the buffer's start and the first element.
  Size offset() const { return offset_; }
  bool is_contiguous() const { return contiguous_; }

  /// First element; throws if T is not the element type.
  template <class T>
  const T* data() const {
    check_type(type_of<T>);
    return static_cast<const T*>(raw());
  }
  /// For writing now: every holder of the memory sees it, and a tape that needs the old numbers will
  /// refuse its backward pass ("changed after it was recorded"). Ask again for a later write.
  template <class T>
  T* mutable_data() {
    check_type(type_of<T>);
    return static_cast<T*>(mutable_raw());
  }
  const void* raw() const {
    return buffer_ ? buffer_->data() + offset_ * bytes_of(type_) : nullptr;
  }
  void* mutable_raw() {
    if (!buffer_) return nullptr;
    ++buffer_->version;
    return buffer_->data() + offset_ * bytes_of(type_);
  }
  std::uint32_t version() const { return buffer_ ? buffer_->version : 0; }
  const Ref<Buffer>& buffer() const { return buffer_; }
  /// Raises the version of this memory above that of another, whose place it takes.
  void succeed(const Array& before) {
    if (buffer_ && version() <= before.version()) buffer_->version = before.version() + 1;
  }

  /// The only element, as a double; throws if there is not exactly one.
  double item() const;
  /// The element at an index per axis, as a double; negative indices count from the end.
  double at(std::initializer_list<Size> index) const;
  /// All elements in row-major order, converted.
  template <class T>
  std::vector<T> to_vector() const;

  // Views: no numbers move.
  /// Index i along the first axis, which disappears; negative i counts from the end.
  Array operator[](Size i) const { return select(0, i); }
  Array select(Size axis, Size i) const;
  /// The same geometry, so many elements further in memory, which nobody checks: from part to part.
  Array moved(Size elements) const {
    Array view = *this;
    view.offset_ += elements;
    return view;
  }
  /// Elements start, start + step, ... before stop, as Python's slices: negative positions count
  /// from the end, positions outside are clipped, a negative step reads backwards.
  Array sliced(Size axis, Size start, Size stop, Size step = 1) const;
  /// Reversed along an axis.
  Array flipped(Size axis) const;
  Array permuted(const std::vector<Size>& axes) const;
  /// The last two axes exchanged.
  Array transposed() const;
  /// A new axis of size 1 before position `axis` (-1: at the end).
  Array expanded(Size axis) const;
  /// Without an axis of size 1.
  Array squeezed(Size axis) const;
  /// Repeats along broadcast axes by stride 0.
  Array broadcast_to(const Shape& shape) const;
  /// Same elements in row-major order; one size may be -1. Copies only if it must.
  Array reshaped(Shape shape) const;
  /// The view that `geometry` (an Array without memory) describes on this contiguous array.
  Array viewed_as(const Array& geometry) const {
    return viewed_as(geometry.shape_, geometry.strides_, geometry.offset_);
  }
  Array viewed_as(const Shape& shape, const Shape& strides, Size offset) const {
    if (!contiguous_) fail("view", "shape ", shape_, " is not contiguous.");
    return view(shape, strides, offset_ + offset);
  }
  /// Adds this view and those that are `step`, 2 step, ... elements further in memory, which nobody
  /// checks, `count` in all.
  template <class V>
  void add_moved(Size step, Size count, std::vector<V>& list) const {
    Copies<Buffer> memory(buffer_, count);
    for (Size k = 0; k < count; ++k) {
      Array view(shape_, strides_, offset_ + k * step, type_, contiguous_);
      view.buffer_ = memory.next();
      list.emplace_back(std::move(view));
    }
  }

  /// Itself if contiguous, else a copy.
  Array contiguous() const;
  /// The same without another handle to itself; the copy, if there is one, goes to `copied`.
  const Array& contiguous(Array& copied) const;
  /// Contiguous copy in memory of its own.
  Array copy() const;
  /// Itself if it has the type already, else a converted copy.
  Array to(Type type) const;
  /// Writes the numbers of another array, which broadcasts to this shape and is converted.
  void assign(const Array& source);
  void fill(double value);

  /// "float32 (2, 3)" and the numbers, the middle of long axes left out.
  std::string text() const;

 private:
  Array(const Shape& shape, const Shape& strides, Size offset, Type type, bool contiguous)
      : offset_(offset), shape_(shape), type_(type), contiguous_(contiguous), strides_(strides) {}
  /// Elements of this memory in another geometry.
  Array view(const Shape& shape, const Shape& strides, Size offset) const {
    Array view(shape, strides, offset, type_, are_contiguous(shape, strides));
    view.buffer_ = buffer_;
    return view;
  }
  void check_type(Type wanted) const {
    if (wanted != type_) fail("array", "elements are ", type_, ", read as ", wanted, ".");
  }

  Ref<Buffer> buffer_;
  Size offset_ = 0;
  [[no_unique_address]] Shape shape_;
  Type type_ = float32;
  bool contiguous_;  ///< what shape and strides say, which is asked more often than they are made
  [[no_unique_address]] Shape strides_;
};
static_assert(sizeof(Array) == 96);  // half of what a tape keeps for a value

extern template std::vector<float> Array::to_vector<float>() const;
extern template std::vector<double> Array::to_vector<double>() const;
extern template std::vector<Size> Array::to_vector<Size>() const;

/// Arrays of one number: zeros({5, 3}) has shape (5, 3).
Array zeros(const Shape& shape, Type type = float32);
Array ones(const Shape& shape, Type type = float32);
Array full(const Shape& shape, double value, Type type = float32);
/// (n, n) with ones on the diagonal.
Array eye(Size n, Type type = float32);
/// start, start + step, ... before stop.
Array arange(Size start, Size stop, Size step = 1, Type type = int64);

namespace detail {
/// A number of any type. That it is a class lets {{1}, {2}} be rows: {1} could be a number too.
struct Number {
  template <class T>
  requires std::is_arithmetic_v<T> Number(T x) : value(static_cast<double>(x)) {}
  double value;
};
}  // namespace detail

/// values({5, 3}) is the array of two numbers; values({{1, 2}, {3, 4}}) has shape (2, 2).
Array values(std::initializer_list<detail::Number> numbers, Type type = float32);
Array values(std::initializer_list<std::initializer_list<double>> rows, Type type = float32);
/// Numbers in row-major order; their count must be the shape's.
Array values(std::span<const float> numbers, const Shape& shape);
Array values(std::span<const double> numbers, const Shape& shape);
Array values(std::span<const Size> numbers, const Shape& shape);
/// One-dimensional int64 array: word or class numbers.
Array indices(std::initializer_list<Size> numbers);

/// True if types, shapes and all numbers are equal (NaN equals NaN).
bool identical(const Array& a, const Array& b);

/// A NumPy file of float32, float64 or int64; other integers and bools are read as int64.
/// Throws Error naming the path.
void save_npy(const Array& array, const std::string& path);
Array load_npy(const std::string& path);

}  // namespace unroll
