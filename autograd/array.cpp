// Arrays and their views; copying and adding of strided numbers is in strided.cpp, files and
// printing in array_io.cpp.
#include <unroll/autograd/array.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <unroll/autograd/strided.hpp>

namespace unroll {

Array Array::layout(const Shape& shape, const Shape& strides, Size offset, Type type) {
  return Array(shape, strides, offset, type, are_contiguous(shape, strides));
}

Array Array::uninitialised(const Shape& shape, Type type) {
  Array a(shape, shape, 0, type, true);
  const Size* sizes = shape.data();
  Size *strides = a.strides_.data(), count = 1, bytes = 0;
  bool too_many = false;
  for (int k = shape.rank() - 1; k >= 0; --k) {  // as contiguous_strides, in one pass
    strides[k] = count;
    if (sizes[k] < 0) fail("array", "shape ", shape, " has a negative size.");
    too_many |= __builtin_mul_overflow(count, sizes[k], &count);
  }
  if (too_many || __builtin_mul_overflow(count, bytes_of(type), &bytes))
    fail("array", "shape ", shape, " has too many elements.");
  a.buffer_ = Buffer::take(static_cast<std::size_t>(bytes));
  return a;
}

Array Array::uninitialised_like(const Array& a) {
  Array like(a.shape_, a.strides_, 0, a.type_, true);
  like.buffer_ = Buffer::take(static_cast<std::size_t>(a.size() * bytes_of(a.type_)));
  return like;
}

Array::Array(const Shape& shape, Type type) : Array(uninitialised(shape, type)) {
  std::memset(buffer_->data(), 0, static_cast<std::size_t>(size() * bytes_of(type)));
}

double Array::item() const {
  if (size() != 1) fail("item", "shape ", shape_, " has ", size(), " elements; expected one.");
  return dispatch(type_, [&]<class T>() { return static_cast<double>(*data<T>()); });
}

double Array::at(std::initializer_list<Size> index) const {
  if (static_cast<int>(index.size()) != rank())
    fail("at", index.size(), " indices for shape ", shape_, ".");
  Array a = *this;
  for (Size i : index) a = a[i];
  return a.item();
}

template <class T>
std::vector<T> Array::to_vector() const {
  Array a = to(type_of<T>).contiguous();
  const T* p = a.data<T>();
  return p ? std::vector<T>(p, p + a.size()) : std::vector<T>();
}
template std::vector<float> Array::to_vector<float>() const;
template std::vector<double> Array::to_vector<double>() const;
template std::vector<Size> Array::to_vector<Size>() const;

Array Array::select(Size axis, Size i) const {
  if (rank() == 0) fail("index", "a scalar () has no axis to index.");
  const int a = axis == 0 ? 0 : checked_axis("index", axis, shape_);
  if (i < -shape_[a] || i >= shape_[a])
    fail("index", "index ", i, " is outside axis ", a, " of shape ", shape_, ".");
  Shape shape = shape_, strides = strides_;
  shape.erase(a);
  strides.erase(a);
  return view(shape, strides, offset_ + (i < 0 ? i + shape_[a] : i) * strides_[a]);
}

Array Array::sliced(Size axis, Size start, Size stop, Size step) const {
  int a = checked_axis("slice", axis, shape_);
  if (step == 0) fail("slice", "step is 0 on axis ", a, " of shape ", shape_, ".");
  Size n = shape_[a];
  Size low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
  auto clip = [&](Size p) { return std::clamp(p < 0 ? p + n : p, low, high); };
  // Positions beyond the front (stop < -n) stay there when reading backwards.
  Size from = start < -n ? low : clip(start), to = stop < -n ? low : clip(stop);
  Size count = step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step;
  Shape shape = shape_, strides = strides_;
  shape[a] = std::max<Size>(count, 0);
  strides[a] *= step;
  return view(shape, strides, offset_ + (shape[a] > 0 ? from * strides_[a] : 0));
}

Array Array::flipped(Size axis) const {
  int a = checked_axis("flip", axis, shape_);
  Shape strides = strides_;
  strides[a] = -strides_[a];
  return view(shape_, strides, offset_ + (shape_[a] > 0 ? (shape_[a] - 1) * strides_[a] : 0));
}

Array Array::permuted(const std::vector<Size>& axes) const {
  Shape shape = shape_, strides = strides_;
  std::vector<bool> seen(static_cast<std::size_t>(rank()));
  if (static_cast<int>(axes.size()) != rank())
    fail("permute", axes.size(), " axes given for shape ", shape_, ".");
  for (int k = 0; k < rank(); ++k) {
    int a = checked_axis("permute", axes[static_cast<std::size_t>(k)], shape_);
    if (seen[static_cast<std::size_t>(a)]) fail("permute", "axis ", a, " is named twice.");
    seen[static_cast<std::size_t>(a)] = true;
    shape[k] = shape_[a];
    strides[k] = strides_[a];
  }
  return view(shape, strides, offset_);
}

Array Array::transposed() const {
  if (rank() < 2) fail("transpose", "shape ", shape_, " has fewer than two axes.");
  Shape shape = shape_, strides = strides_;
  std::swap(shape[rank() - 1], shape[rank() - 2]);
  std::swap(strides[rank() - 1], strides[rank() - 2]);
  return view(shape, strides, offset_);
}

Array Array::expanded(Size axis) const {
  Size n = rank() + 1;
  if (axis < -n || axis >= n)
    fail("expand", "position ", axis, " does not exist in shape ", shape_, "; expected ", -n, " to ",
         n - 1, ".");
  int a = static_cast<int>(axis < 0 ? axis + n : axis);
  Shape shape = shape_, strides = strides_;
  shape.insert(a, 1);
  strides.insert(a, a < rank() ? shape_[a] * strides_[a] : 1);
  return view(shape, strides, offset_);
}

Array Array::squeezed(Size axis) const {
  int a = checked_axis("squeeze", axis, shape_);
  if (shape_[a] != 1) fail("squeeze", "axis ", a, " of shape ", shape_, " is not of size 1.");
  Shape shape = shape_, strides = strides_;
  shape.erase(a);
  strides.erase(a);
  return view(shape, strides, offset_);
}

Array Array::broadcast_to(const Shape& shape) const {
  if (shape == shape_) return *this;
  int lead = shape.rank() - rank();
  Shape strides = shape;
  for (int k = 0; k < shape.rank(); ++k) {
    Size mine = k < lead ? 1 : shape_[k - lead];
    if (lead < 0 || (mine != shape[k] && mine != 1))
      fail("broadcast_to", "shape ", shape_, " does not broadcast to ", shape, ".");
    strides[k] = mine == shape[k] && k >= lead ? strides_[k - lead] : 0;
  }
  if (lead < 0) fail("broadcast_to", "shape ", shape_, " does not broadcast to ", shape, ".");
  return view(shape, strides, offset_);
}

Array Array::reshaped(Shape shape) const {
  Size known = 1, unknown = -1;
  for (int k = 0; k < shape.rank(); ++k) {
    if (shape[k] == -1 && unknown < 0) unknown = k;
    else known *= shape[k];
  }
  if (unknown >= 0) shape[static_cast<int>(unknown)] = known ? size() / known : 0;
  for (Size s : shape)
    if (s < 0) fail("reshape", "shape ", shape, " has a negative size; one may be -1.");
  if (shape.count() != size())
    fail("reshape", "shape ", shape_, " has ", size(), " elements, ", shape, " has ", shape.count(),
         ".");
  const Array all = contiguous();
  return all.view(shape, contiguous_strides(shape), all.offset_);
}

Array Array::contiguous() const { return is_contiguous() ? *this : copy(); }

const Array& Array::contiguous(Array& copied) const {
  if (is_contiguous()) return *this;
  copied = copy();
  return copied;
}

Array Array::copy() const {
  Array a = is_contiguous() ? uninitialised_like(*this) : uninitialised(shape_, type_);
  kernel::copy_into(a, *this);
  return a;
}

Array Array::to(Type type) const {
  if (type == type_) return *this;
  Array a = uninitialised(shape_, type);
  kernel::copy_into(a, *this);
  return a;
}

void Array::assign(const Array& source) { kernel::copy_into(*this, source); }

void Array::fill(double value) {
  Array number = uninitialised({}, type_);
  dispatch(type_, [&]<class T>() { *number.mutable_data<T>() = static_cast<T>(value); });
  kernel::copy_into(*this, number);
}

Array zeros(const Shape& shape, Type type) { return Array(shape, type); }
Array ones(const Shape& shape, Type type) { return full(shape, 1, type); }

Array full(const Shape& shape, double value, Type type) {
  Array a = Array::uninitialised(shape, type);
  Size n = a.size();
  dispatch(type, [&]<class T>() { std::fill_n(a.mutable_data<T>(), n, static_cast<T>(value)); });
  return a;
}

Array eye(Size n, Type type) {
  Array a({n, n}, type);
  dispatch(type, [&]<class T>() {
    T* p = a.mutable_data<T>();
    for (Size i = 0; i < n; ++i) p[i * (n + 1)] = T(1);
  });
  return a;
}

Array arange(Size start, Size stop, Size step, Type type) {
  if (step == 0) fail("arange", "step is 0.");
  Size n = std::max<Size>(0, step > 0 ? (stop - start + step - 1) / step
                                      : (start - stop - step - 1) / -step);
  Array a = Array::uninitialised({n}, type);
  dispatch(type, [&]<class T>() {
    T* p = a.mutable_data<T>();
    for (Size i = 0; i < n; ++i) p[i] = static_cast<T>(start + i * step);
  });
  return a;
}

namespace {
template <class T>
Array from(const T* numbers, Size n, const Shape& shape, Type type) {
  if (n != shape.count()) fail("values", n, " numbers for shape ", shape, ".");
  Array a = Array::uninitialised(shape, type);
  dispatch(type, [&]<class U>() {
    U* p = a.mutable_data<U>();
    for (Size i = 0; i < n; ++i) p[i] = static_cast<U>(numbers[i]);
  });
  return a;
}
}  // namespace

Array values(std::initializer_list<detail::Number> numbers, Type type) {
  std::vector<double> all;
  for (const detail::Number& n : numbers) all.push_back(n.value);
  const auto n = static_cast<Size>(all.size());
  return from(all.data(), n, {n}, type);
}

Array values(std::initializer_list<std::initializer_list<double>> rows, Type type) {
  std::vector<double> all;
  for (const auto& row : rows) {
    if (row.size() != rows.begin()->size())
      fail("values", "rows have ", rows.begin()->size(), " and ", row.size(), " numbers.");
    all.insert(all.end(), row.begin(), row.end());
  }
  auto n = static_cast<Size>(rows.size());
  return from(all.data(), static_cast<Size>(all.size()),
              {n, n ? static_cast<Size>(rows.begin()->size()) : 0}, type);
}

Array values(std::span<const float> n, const Shape& shape) {
  return from(n.data(), static_cast<Size>(n.size()), shape, float32);
}
Array values(std::span<const double> n, const Shape& shape) {
  return from(n.data(), static_cast<Size>(n.size()), shape, float64);
}
Array values(std::span<const Size> n, const Shape& shape) {
  return from(n.data(), static_cast<Size>(n.size()), shape, int64);
}

Array indices(std::initializer_list<Size> numbers) {
  auto n = static_cast<Size>(numbers.size());
  return from(numbers.begin(), n, {n}, int64);
}

bool identical(const Array& a, const Array& b) {
  if (a.type() != b.type() || a.shape() != b.shape()) return false;
  return dispatch(a.type(), [&]<class T>() {
    std::vector<T> x = a.to_vector<T>(), y = b.to_vector<T>();
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!(x[i] == y[i]) && !(x[i] != x[i] && y[i] != y[i])) return false;
    return true;
  });
}

}  // namespace unroll
