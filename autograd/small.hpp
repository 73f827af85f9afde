// Small: an array of a size known when it is made, on the stack unless it is large. It does not
// grow; std::vector does.
#pragma once

#include <cstddef>

namespace unroll {

/// n elements, of which `most` have room on the stack; numbers are not initialised.
template <class T, std::size_t most>
class Small {
 public:
  template <class Count>
  explicit Small(Count n) : size_(static_cast<std::size_t>(n)) {
    if (size_ > most) data_ = new T[size_];
  }
  ~Small() {
    if (data_ != inline_) delete[] data_;
  }
  Small(const Small&) = delete;
  Small& operator=(const Small&) = delete;

  template <class Index>
  T& operator[](Index k) {
    return data_[k];
  }
  template <class Index>
  const T& operator[](Index k) const {
    return data_[k];
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  T inline_[most];
  T* data_ = inline_;
  std::size_t size_;
};

}  // namespace unroll
