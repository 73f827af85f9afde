// Pooling as a maximum or mean over unfolded windows, whose gradients are those of max, mean and
// unfold2d. Also the geometry of windows; the convolutions are in conv.cpp.
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/windows.hpp>

namespace unroll {

Windows::Windows(const char* op, Pair image, Pair kernel, Pair stride, Pair padding, Pair dilation)
    : image(image), kernel(kernel), stride(stride), padding(padding), dilation(dilation),
      positions(0) {
  auto text = [](Pair p) { return Shape{p.h, p.w}.text(); };
  if (std::min({kernel.h, kernel.w, stride.h, stride.w, dilation.h, dilation.w}) < 1)
    fail(op, "kernel ", text(kernel), ", stride ", text(stride), ", dilation ", text(dilation),
         "; expected positive numbers.");
  if (padding.h < 0 || padding.w < 0)
    fail(op, "padding is ", text(padding), "; expected 0 or more.");
  auto fit = [](Size size, Size pad, Size kernel, Size dilation, Size stride) {
    Size room = size + 2 * pad - dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
  };
  positions = {fit(image.h, padding.h, kernel.h, dilation.h, stride.h),
               fit(image.w, padding.w, kernel.w, dilation.w, stride.w)};
  if (count() == 0)
    fail(op, "kernel ", text(kernel), " with dilation ", text(dilation),
         " does not fit into image ", text(image), " with padding ", text(padding),
         "; use a smaller kernel or more padding.");
}

bool Windows::is_identity() const {
  return kernel_size() == 1 && stride.h == 1 && stride.w == 1 && padding.h == 0 && padding.w == 0;
}

namespace {

/// The windows (N, C, K, L), and the shape of one number each.
struct Pooled {
  Variable windows;
  Shape shape;
};

Pooled pooled(const char* op, const Variable& x, const PoolOptions& options) {
  if (x.rank() != 4) fail(op, "x is ", x.shape(), "; expected (N, C, H, W).");
  Pair stride(options.stride.h ? options.stride.h : options.size.h,
              options.stride.w ? options.stride.w : options.size.w);
  Windows windows(op, {x.size(2), x.size(3)}, options.size, stride, 0, 1);
  return {unfold2d(x, options.size, {.stride = stride}),
          {x.size(0), x.size(1), windows.positions.h, windows.positions.w}};
}

}  // namespace

Variable max_pool2d(const Variable& x, const PoolOptions& options) {
  auto [windows, shape] = pooled("max_pool2d", x, options);
  return reshape(max(windows, {.axes = {2}}), shape);
}

Variable avg_pool2d(const Variable& x, const PoolOptions& options) {
  auto [windows, shape] = pooled("avg_pool2d", x, options);
  return reshape(mean(windows, {.axes = {2}}), shape);
}

}  // namespace unroll
