// Convolutions as matrix products with the windows of an image (im2col), one image at a time.
// unfold2d and fold2d, adjoint to each other, carry their gradients to any order; pooling is in
// pool.cpp.
#include <algorithm>

#include <unroll/ops/checks.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/gemm.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/row_kernels.hpp>
#include <unroll/ops/windows.hpp>

namespace unroll {

namespace {

/// One call: y = W windows(x), group by group.
struct Convolution {
  Windows windows;
  Size images, channels, outputs, groups;
  Conv2dOptions options;

  Size in() const { return channels / groups; }    // channels of a group
  Size out() const { return outputs / groups; }
  Size inner() const { return in() * windows.kernel_size(); }
  Size positions() const { return windows.count(); }

  /// f(image * groups + group, group, columns) for the windows of each group of channels, which lie
  /// in scratch memory unless they are x itself. Columns hold the windows only if `fill`.
  template <class T, class F>
  void each(const T* x, bool fill, F&& f) const {
    bool same = windows.is_identity();
    Array scratch = Array::uninitialised({same ? 0 : inner() * positions()}, type_of<T>);
    T* cols = scratch.mutable_data<T>();
    for (Size image = 0; image < images; ++image)
      for (Size group = 0; group < groups; ++group) {
        const T* part = x + (image * channels + group * in()) * windows.image_size();
        if (fill && !same) windows.gather(part, cols, in());
        f(image * groups + group, group, same ? const_cast<T*>(part) : cols);
      }
  }

  template <class T>
  void value(const T* x, const T* W, T* y) const {
    each<T>(x, true, [&](Size n, Size group, const T* cols) {
      gemm<T>(false, false, out(), positions(), inner(), 1, W + group * out() * inner(), inner(),
              cols, positions(), 0, y + n * out() * positions(), positions());
    });
  }

  // dW = sum over images of dy cols^T
  template <class T>
  void weight_gradient(const T* x, const T* dy, T* dW, bool accumulate) const {
    if (!accumulate) std::fill_n(dW, outputs * inner(), T(0));
    each<T>(x, true, [&](Size n, Size group, const T* cols) {
      gemm<T>(false, true, out(), inner(), positions(), 1, dy + n * out() * positions(),
              positions(), cols, positions(), 1, dW + group * out() * inner(), inner());
    });
  }

  // dcols = W^T dy, summed into the images
  template <class T>
  void input_gradient(const T* W, const T* dy, T* dx, bool accumulate) const {
    if (!accumulate) std::fill_n(dx, images * channels * windows.image_size(), T(0));
    bool same = windows.is_identity();
    each<T>(dx, false, [&](Size n, Size group, T* cols) {
      gemm<T>(true, false, inner(), positions(), out(), 1, W + group * out() * inner(), inner(),
              dy + n * out() * positions(), positions(), same ? 1 : 0, cols, positions());
      if (!same) windows.scatter(cols, dx + n * in() * windows.image_size(), in());
    });
  }

  void operator()(Backward& b) const {
    if (b.create_graph()) return composed(b);
    Array x = b.x(0).value().contiguous(), W = b.x(1).value().contiguous();
    Array dy = b.dy().value().contiguous();
    dispatch_float("conv2d", x.type(), [&]<class T>() {
      if (b.wants(0))
        kernel::into_target<T>(b, 0, [&](T* dx, bool accumulate) {
          input_gradient(W.data<T>(), dy.data<T>(), dx, accumulate);
        });
      if (b.wants(1))
        kernel::into_target<T>(b, 1, [&](T* dW, bool accumulate) {
          weight_gradient(x.data<T>(), dy.data<T>(), dW, accumulate);
        });
    });
  }

  // The same in public ops, with a group axis: W (G, O/G, K), columns (N, G, K, L).
  void composed(Backward& b) const {
    Variable W = reshape(b.x(1), {groups, out(), inner()});
    Variable dy = reshape(b.dy(), {images, groups, out(), positions()});
    if (b.wants(0)) {
      Variable columns = reshape(matmul(transpose(W), dy),
                                 {images, channels, windows.kernel_size(), positions()});
      b.give(0, fold2d(columns, windows.image, windows.kernel, options));
    }
    if (b.wants(1)) {
      Variable columns = reshape(unfold2d(b.x(0), windows.kernel, options),
                                 {images, groups, inner(), positions()});
      b.give(1, reshape(sum(matmul(dy, transpose(columns)), {.axes = {0}}), b.x_shape(1)));
    }
  }
};

Array unfolded(const Array& x, const Windows& windows) {
  Size images = x.size(0) * x.size(1);
  Array y = Array::uninitialised({x.size(0), x.size(1), windows.kernel_size(), windows.count()},
                                 x.type());
  Array a = x.contiguous();
  dispatch_float("unfold2d", x.type(), [&]<class T>() {
    windows.gather(a.data<T>(), y.mutable_data<T>(), images);
  });
  return y;
}

Array folded(const Array& columns, const Windows& windows) {
  Array y({columns.size(0), columns.size(1), windows.image.h, windows.image.w}, columns.type());
  Array a = columns.contiguous();
  dispatch_float("fold2d", columns.type(), [&]<class T>() {
    windows.scatter(a.data<T>(), y.mutable_data<T>(), columns.size(0) * columns.size(1));
  });
  return y;
}

}  // namespace

Variable unfold2d(const Variable& x, Pair kernel, const Conv2dOptions& options) {
  Op op("unfold2d", x);
  op.require(op[0].rank() == 4, "x is ", op[0].shape(), "; expected (N, C, H, W).");
  Pair image(op[0].size(2), op[0].size(3));
  Windows windows("unfold2d", image, kernel, options.stride, options.padding, options.dilation);
  return op.record(unfolded(op[0], windows), [image, kernel, options](Backward& b) {
    b.give(0, fold2d(b.dy(), image, kernel, options));
  }, Keep::nothing);
}

Variable fold2d(const Variable& columns, Pair image, Pair kernel, const Conv2dOptions& options) {
  Op op("fold2d", columns);
  Windows windows("fold2d", image, kernel, options.stride, options.padding, options.dilation);
  const Shape& shape = op[0].shape();
  op.require(shape.rank() == 4 && shape[2] == windows.kernel_size() && shape[3] == windows.count(),
             "columns are ", shape, "; expected (N, C, ", windows.kernel_size(), ", ",
             windows.count(), ").");
  return op.record(folded(op[0], windows), [kernel, options](Backward& b) {
    b.give(0, unfold2d(b.dy(), kernel, options));
  }, Keep::nothing);
}

Variable conv2d(const Variable& x, const Variable& W, const Conv2dOptions& options) {
  Op op("conv2d", x, W);
  require_float(op, {"x", "W"});
  const Shape &image = op[0].shape(), &weight = op[1].shape();
  Size groups = options.groups;
  op.require(image.rank() == 4 && weight.rank() == 4, "x is ", image, ", W is ", weight,
             "; expected x (N, C, H, W) and W (O, C / groups, KH, KW).");
  op.require(groups >= 1 && image[1] == weight[1] * groups && weight[0] % groups == 0,
             "channels do not fit: x is ", image, ", W is ", weight, ", groups ", groups,
             "; expected W (O, C / groups, KH, KW) with O a multiple of groups.");
  Windows windows("conv2d", {image[2], image[3]}, {weight[2], weight[3]}, options.stride,
                  options.padding, options.dilation);
  Convolution call{windows, image[0], image[1], weight[0], groups, options};
  Array y = Array::uninitialised({image[0], weight[0], windows.positions.h, windows.positions.w},
                                 op.type());
  Array a = op[0].contiguous(), w = op[1].contiguous();
  dispatch_float("conv2d", y.type(), [&]<class T>() {
    call.value(a.data<T>(), w.data<T>(), y.mutable_data<T>());
  });
  return op.record(std::move(y), call, Keep::inputs);
}

// An image of height 1.
Variable conv1d(const Variable& x, const Variable& W, const Conv1dOptions& options) {
  require_float(Op("conv1d", x, W), {"x", "W"});
  if (x.rank() != 3 || W.rank() != 3)
    fail("conv1d", "x is ", x.shape(), ", W is ", W.shape(),
         "; expected x (N, C, L) and W (O, C / groups, K).");
  Conv2dOptions flat{{1, options.dilation}, options.groups, {0, options.padding},
                     {1, options.stride}};
  return squeeze(conv2d(expand(x, 2), expand(W, 2), flat), 2);
}

}  // namespace unroll
