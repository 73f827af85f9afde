// The windows that a kernel sees of an image: their geometry, and copying them to columns and
// back. Internal to convolution and pooling; nothing here knows of gradients.
#pragma once

#include <algorithm>

#include <unroll/autograd/strided.hpp>
#include <unroll/ops/nn.hpp>

namespace unroll {

struct Windows {
  Pair image, kernel, stride, padding, dilation;
  Pair positions;  ///< how many fit along each axis

  /// Throws Error naming op for options that make no sense, or a kernel larger than the image.
  Windows(const char* op, Pair image, Pair kernel, Pair stride, Pair padding, Pair dilation);

  Size image_size() const { return image.h * image.w; }
  Size kernel_size() const { return kernel.h * kernel.w; }
  Size count() const { return positions.h * positions.w; }
  /// True if the columns are the image itself: a kernel of 1 that skips nothing.
  bool is_identity() const;

  /// Images (channels, H, W) to columns (channels, KH * KW, positions); zeros in the padding.
  template <class T>
  void gather(const T* x, T* columns, Size channels) const {
    each_row(channels, [&](Size pixel, Size column, Size first, Size last) {
      T* to = columns + column;
      std::fill_n(to, first, T(0));
      for (Size w = first; w < last; ++w) to[w] = x[pixel + w * stride.w];
      std::fill(to + last, to + positions.w, T(0));
    });
  }

  /// The adjoint: adds columns to the images.
  template <class T>
  void scatter(const T* columns, T* x, Size channels) const {
    each_row(channels, [&](Size pixel, Size column, Size first, Size last) {
      for (Size w = first; w < last; ++w) x[pixel + w * stride.w] += columns[column + w];
    });
  }

 private:
  /// row(pixel, column, first, last) for each row of windows and element of the kernel: window w
  /// sees the element at pixel + w * stride if it is in [first, last), else padding.
  template <class F>
  void each_row(Size channels, F&& row) const {
    Size column = 0;
    for (Size c = 0; c < channels; ++c)
      for (Size i = 0; i < kernel.h; ++i)
        for (Size j = 0; j < kernel.w; ++j) {
          Size shift = j * dilation.w - padding.w;
          Size first = shift >= 0 ? 0 : std::min(positions.w, (-shift + stride.w - 1) / stride.w);
          Size last = shift >= image.w
                          ? 0
                          : std::min(positions.w, (image.w - 1 - shift) / stride.w + 1);
          last = std::max(first, last);
          for (Size h = 0; h < positions.h; ++h, column += positions.w) {
            Size y = h * stride.h + i * dilation.h - padding.h;
            bool inside = y >= 0 && y < image.h;
            row((c * image.h + y) * image.w + shift, column, inside ? first : positions.w,
                inside ? last : positions.w);
          }
        }
  }
};

}  // namespace unroll
