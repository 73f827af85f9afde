// Element types and shapes of arrays. Shapes of up to four axes live inside the object, longer
// ones on the heap; nothing here knows of memory or values.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <unroll/autograd/error.hpp>

namespace unroll {

/// Sizes, indices and counts; signed, so that -1 means the last axis.
using Size = std::int64_t;

/// Element type of an Array, a run-time property.
enum class Type : std::uint8_t { float32, float64, int64 };
inline constexpr Type float32 = Type::float32;
inline constexpr Type float64 = Type::float64;
inline constexpr Type int64 = Type::int64;

/// Bytes of one element.
constexpr Size bytes_of(Type type) { return type == float32 ? 4 : 8; }
constexpr bool is_float(Type type) { return type != int64; }
constexpr const char* name_of(Type type) {
  return type == float32 ? "float32" : type == float64 ? "float64" : "int64";
}

template <class T>
inline constexpr Type type_of = [] {
  static_assert(sizeof(T) == 0, "[array] element types are float, double and std::int64_t");
  return float32;
}();
template <>
inline constexpr Type type_of<float> = float32;
template <>
inline constexpr Type type_of<double> = float64;
template <>
inline constexpr Type type_of<std::int64_t> = int64;

/// Sizes (or strides) along the axes: (T, B, D). Rank 0, (), is a scalar.
class Shape {
 public:
  static constexpr int kInline = 4;

  Shape() = default;
  Shape(std::initializer_list<Size> sizes) : Shape(sizes.begin(), static_cast<int>(sizes.size())) {}
  explicit Shape(const std::vector<Size>& sizes)
      : Shape(sizes.data(), static_cast<int>(sizes.size())) {}
  Shape(const Size* sizes, int rank) {
    resize(rank);
    for (int k = 0; k < rank; ++k) data()[k] = sizes[k];
  }
  Shape(const Shape& other)
      : inline_{other.inline_[0], other.inline_[1], other.inline_[2], other.inline_[3]},
        rank_(other.rank_) {
    if (rank_ > kInline) copy_heap(other);
  }
  Shape(Shape&& other) noexcept
      : inline_{other.inline_[0], other.inline_[1], other.inline_[2], other.inline_[3]},
        rank_(std::exchange(other.rank_, 0)) {}
  Shape& operator=(const Shape& other) {
    if (this == &other) return *this;
    if (rank_ <= kInline && other.rank_ <= kInline) {
      rank_ = other.rank_;
      std::memcpy(inline_, other.inline_, sizeof inline_);
    } else {
      release();
      rank_ = other.rank_;
      if (rank_ <= kInline) std::memcpy(inline_, other.inline_, sizeof inline_);
      else copy_heap(other);
    }
    return *this;
  }
  Shape& operator=(Shape&& other) noexcept {
    if (this != &other) {
      release();
      steal(other);
    }
    return *this;
  }
  ~Shape() { release(); }

  int rank() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  Size* data() { return rank_ > kInline ? heap_ : inline_; }
  const Size* data() const { return rank_ > kInline ? heap_ : inline_; }
  Size* begin() { return data(); }
  Size* end() { return data() + rank_; }
  const Size* begin() const { return data(); }
  const Size* end() const { return data() + rank_; }
  Size& operator[](int k) { return data()[k]; }
  Size operator[](int k) const { return data()[k]; }
  Size back() const { return data()[rank_ - 1]; }

  /// Number of elements: the product of the sizes, 1 for ().
  Size count() const {
    if (rank_ == 2) return inline_[0] * inline_[1];
    Size n = 1;
    for (int k = 0; k < rank_; ++k) n *= data()[k];
    return n;
  }
  void push_back(Size size) { insert(rank_, size); }
  void insert(int k, Size size);
  void erase(int k);
  bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    const Size *mine = data(), *theirs = other.data();
    for (int k = 0; k < rank_; ++k)
      if (mine[k] != theirs[k]) return false;
    return true;
  }
  /// "(3, 4)", "(3,)", "()".
  std::string text() const;

 private:
  void resize(int rank) {
    rank_ = rank;
    if (rank > kInline) heap_ = new Size[static_cast<std::size_t>(rank)];
  }
  void copy_heap(const Shape& other);
  void steal(Shape& other) {
    std::memcpy(inline_, other.inline_, sizeof inline_);
    rank_ = std::exchange(other.rank_, 0);
  }
  void release() {
    if (rank_ > kInline) delete[] heap_;
    rank_ = 0;
  }

  union {
    Size inline_[kInline] = {};  // whole, so that copying it reads nothing uninitialised
    Size* heap_;
  };
  int rank_ = 0;  // last, so that what holds a Shape may use the bytes behind it
};

/// Strides, in elements, of a row-major array of that shape.
Shape contiguous_strides(const Shape& shape);

/// True if elements with those strides are in row-major order behind each other.
inline bool are_contiguous(const Shape& shape, const Shape& strides) {
  const Size *sizes = shape.data(), *steps = strides.data();
  Size step = 1;
  for (int k = shape.rank() - 1; k >= 0; step *= sizes[k--])
    if (steps[k] != step && sizes[k] != 1) return shape.count() == 0;
  return true;
}

/// The common shape of NumPy's broadcasting; throws Error("[op] shapes ... do not broadcast").
Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b);

/// axis in [0, rank) from one in [-rank, rank); throws Error naming op, axis and shape.
int checked_axis(std::string_view op, Size axis, const Shape& shape);

}  // namespace unroll
