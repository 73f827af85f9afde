// Op table: layer normalisation, convolution, pooling.
#include <algorithm>
#include <cmath>

#include <unroll/ops/nn.hpp>

#include "op_table.hpp"

namespace op_table {
namespace {

using unroll::Conv2dOptions;
using unroll::Pair;

// ---- layer_norm --------------------------------------------------------------------------------

double sum_of(const std::vector<double>& x) {
  double sum = 0;
  for (double e : x) sum += e;
  return sum;
}

Row layer_norm(const char* variant, int axes, bool gain, bool bias, Index shape) {
  const Index last(shape.end() - axes, shape.end());
  std::vector<Input> inputs{real(shape)};
  const Input part = last == shape ? real(last) : empty_as(real(last), last);
  if (gain) inputs.push_back(part);
  if (bias) inputs.push_back(part);
  const std::vector<Index> nothing(inputs.size(), Index(last.size(), 0));
  std::vector<Index> nothing_along_last;
  for (const Input& input : inputs) {
    nothing_along_last.push_back(input.shape);
    nothing_along_last.back().back() = 0;
  }
  return {.name = "layer_norm",
          .variant = variant,
          .f = [=](const Variables& x) {
            return unroll::layer_norm(x[0], gain ? x[1] : Variable(), bias ? x.back() : Variable(),
                                      {.axes = axes, .epsilon = 1e-3});
          },
          .reference =
              [=](const NumbersList& x) {
                std::vector<Size> which;
                for (int k = 1; k <= axes; ++k) which.push_back(-k);
                const Numbers means = fold(x[0], which, true, [](const std::vector<double>& e) {
                  return sum_of(e) / static_cast<double>(e.size());
                });
                const Numbers variances = fold(x[0], which, true, [](std::vector<double> e) {
                  const double n = static_cast<double>(e.size()), mean = sum_of(e) / n;
                  for (double& v : e) v = (v - mean) * (v - mean);
                  return sum_of(e) / n;
                });
                return build(x[0].shape, [&](const Index& i) {
                  double y = (x[0].at(i) - broadcast_at(means, i)) /
                             std::sqrt(broadcast_at(variances, i) + 1e-3);
                  if (gain) y *= broadcast_at(x[1], i);
                  if (bias) y += broadcast_at(x.back(), i);
                  return y;
                });
              },
          .inputs = inputs,
          .also_empty = {nothing, nothing_along_last}};
}

const Rows layer_norm_rows{
    layer_norm("gain and bias", 1, true, true, {3, 2, 5}),
    layer_norm("two axes", 2, true, true, {3, 2, 5}),
    layer_norm("gain", 1, true, false, {3, 19}),
    layer_norm("bias", 1, false, true, {3, 5}),
    layer_norm("plain", 1, false, false, {3, 5}),
    layer_norm("everything at once", 2, true, true, {3, 4}),
};

// ---- convolution -------------------------------------------------------------------------------

/// x[n, c, h, w], 0 in the padding.
double pixel(const Numbers& x, Size n, Size c, Size h, Size w) {
  if (h < 0 || h >= x.size(2) || w < 0 || w >= x.size(3)) return 0;
  return x(n, c, h, w);
}

Pair output_size(Pair image, Pair kernel, const Conv2dOptions& o) {
  return {(image.h + 2 * o.padding.h - o.dilation.h * (kernel.h - 1) - 1) / o.stride.h + 1,
          (image.w + 2 * o.padding.w - o.dilation.w * (kernel.w - 1) - 1) / o.stride.w + 1};
}

Numbers conv(const Numbers& x, const Numbers& W, const Conv2dOptions& o) {
  const Pair size = output_size({x.size(2), x.size(3)}, {W.size(2), W.size(3)}, o);
  const Size in = W.size(1), out = W.size(0) / o.groups;
  return build({x.size(0), W.size(0), size.h, size.w}, [&](const Index& i) {
    double sum = 0;
    each_index({in, W.size(2), W.size(3)}, [&](const Index& k) {
      sum += W(i[1], k[0], k[1], k[2]) *
             pixel(x, i[0], i[1] / out * in + k[0],
                   i[2] * o.stride.h + k[1] * o.dilation.h - o.padding.h,
                   i[3] * o.stride.w + k[2] * o.dilation.w - o.padding.w);
    });
    return sum;
  });
}

Index with_size(Index shape, std::size_t axis, Size size) {
  shape[axis] = size;
  return shape;
}

Row conv2d(const char* variant, Index x, Index W, Conv2dOptions options) {
  return {.name = "conv2d",
          .variant = variant,
          .f = [=](const Variables& v) { return unroll::conv2d(v[0], v[1], options); },
          .reference = [=](const NumbersList& v) { return conv(v[0], v[1], options); },
          .inputs = {real(x), empty_as(real(W), W)},
          .also_empty = {{x, with_size(W, 0, 0)}, {with_size(x, 1, 0), with_size(W, 1, 0)}}};
}

Row conv1d(const char* variant, Index x, Index W, unroll::Conv1dOptions options) {
  return {.name = "conv1d",
          .variant = variant,
          .f = [=](const Variables& v) { return unroll::conv1d(v[0], v[1], options); },
          .reference =
              [=](const NumbersList& v) {
                Numbers image = v[0], kernel = v[1];
                image.shape.insert(image.shape.begin() + 2, 1);
                kernel.shape.insert(kernel.shape.begin() + 2, 1);
                Numbers y = conv(image, kernel,
                                 {.dilation = {1, options.dilation},
                                  .groups = options.groups,
                                  .padding = {0, options.padding},
                                  .stride = {1, options.stride}});
                y.shape.erase(y.shape.begin() + 2);
                return y;
              },
          .inputs = {real(x), empty_as(real(W), W)},
          .also_empty = {{x, with_size(W, 0, 0)}, {with_size(x, 1, 0), with_size(W, 1, 0)}}};
}

const Rows conv_rows{
    conv2d("plain", {2, 2, 4, 5}, {3, 2, 3, 2}, {}),
    conv2d("padding", {2, 2, 4, 5}, {3, 2, 3, 3}, {.padding = 1}),
    conv2d("wide padding", {2, 1, 2, 3}, {2, 1, 3, 3}, {.padding = {3, 2}}),
    conv2d("stride", {2, 1, 6, 7}, {2, 1, 3, 2}, {.padding = {1, 0}, .stride = {3, 2}}),
    conv2d("stride 2 of 1 x 1", {2, 3, 4, 5}, {2, 3, 1, 1}, {.stride = 2}),
    conv2d("1 x 1", {2, 3, 4, 5}, {2, 3, 1, 1}, {}),
    conv2d("1 x 1 in groups", {2, 4, 2, 3}, {2, 2, 1, 1}, {.groups = 2}),
    conv2d("dilation", {2, 2, 6, 7}, {2, 2, 2, 3}, {.dilation = {3, 2}, .padding = 1}),
    conv2d("groups", {2, 4, 4, 4}, {6, 2, 2, 2}, {.groups = 2}),
    conv2d("depthwise", {2, 3, 4, 4}, {3, 1, 3, 3}, {.groups = 3, .padding = 1}),
    conv2d("everything", {2, 4, 7, 6}, {2, 2, 2, 3},
           {.dilation = {2, 1}, .groups = 2, .padding = {1, 2}, .stride = {2, 3}}),
    conv1d("plain", {2, 2, 6}, {3, 2, 3}, {}),
    conv1d("everything", {2, 4, 9}, {2, 2, 3},
           {.dilation = 2, .groups = 2, .padding = 3, .stride = 2}),
};

// ---- windows -----------------------------------------------------------------------------------

const Conv2dOptions kWindows{.dilation = {2, 1}, .padding = {1, 2}, .stride = {2, 3}};

/// f(n, c, pixel h, pixel w, element of the kernel, window) for each element of a column.
template <class F>
void each_element(Index columns, Pair kernel, Size windows_w, F&& f) {
  each_index(columns, [&](const Index& i) {
    const Size h = i[3] / windows_w * kWindows.stride.h +
                   i[2] / kernel.w * kWindows.dilation.h - kWindows.padding.h;
    const Size w = i[3] % windows_w * kWindows.stride.w +
                   i[2] % kernel.w * kWindows.dilation.w - kWindows.padding.w;
    f(i, h, w);
  });
}

Row unfold() {
  return {.name = "unfold2d",
          .variant = "",
          .f = [](const Variables& x) { return unroll::unfold2d(x[0], {2, 3}, kWindows); },
          .reference =
              [](const NumbersList& x) {
                const Pair size = output_size({5, 6}, {2, 3}, kWindows);
                Numbers y(Index{x[0].size(0), 2, 6, size.h * size.w});
                each_element(y.shape, {2, 3}, size.w, [&](const Index& i, Size h, Size w) {
                  y.at(i) = pixel(x[0], i[0], i[1], h, w);
                });
                return y;
              },
          .inputs = {real({2, 2, 5, 6})}};
}

Row folding() {
  const Pair size = output_size({5, 6}, {2, 3}, kWindows);
  return {.name = "fold2d",
          .variant = "",
          .f = [](const Variables& x) { return unroll::fold2d(x[0], {5, 6}, {2, 3}, kWindows); },
          .reference =
              [=](const NumbersList& x) {
                Numbers y(Index{x[0].size(0), 2, 5, 6});
                each_element(x[0].shape, {2, 3}, size.w, [&](const Index& i, Size h, Size w) {
                  if (h >= 0 && h < 5 && w >= 0 && w < 6) y.at({i[0], i[1], h, w}) += x[0].at(i);
                });
                return y;
              },
          .inputs = {real({2, 2, 6, size.h * size.w})}};
}

Row pool(const char* name, const char* variant,
         Variable (*op)(const Variable&, const unroll::PoolOptions&),
         double (*f)(const std::vector<double>&), Input x, Pair size, Pair stride) {
  return {.name = name,
          .variant = variant,
          .f = [=](const Variables& v) { return op(v[0], {.size = size, .stride = stride}); },
          .reference =
              [=](const NumbersList& v) {
                const Pair step(stride.h ? stride.h : size.h, stride.w ? stride.w : size.w);
                const Index shape{v[0].size(0), v[0].size(1), (v[0].size(2) - size.h) / step.h + 1,
                                  (v[0].size(3) - size.w) / step.w + 1};
                return build(shape, [&](const Index& i) {
                  std::vector<double> window;
                  each_index({size.h, size.w}, [&](const Index& k) {
                    window.push_back(v[0](i[0], i[1], i[2] * step.h + k[0], i[3] * step.w + k[1]));
                  });
                  return f(window);
                });
              },
          .inputs = {x},
          .also_empty = {{with_size(x.shape, 1, 0)}}};
}

double largest(const std::vector<double>& x) { return *std::max_element(x.begin(), x.end()); }
double average(const std::vector<double>& x) { return sum_of(x) / static_cast<double>(x.size()); }

const Rows window_rows{
    unfold(),
    folding(),
    pool("max_pool2d", "2 x 2", unroll::max_pool2d, largest, spaced({2, 2, 4, 5}), 2, 0),
    pool("max_pool2d", "overlapping", unroll::max_pool2d, largest, spaced({2, 1, 5, 6}), {3, 2}, 1),
    pool("avg_pool2d", "2 x 2", unroll::avg_pool2d, average, real({2, 2, 4, 5}), 2, 0),
    pool("avg_pool2d", "overlapping", unroll::avg_pool2d, average, real({2, 1, 5, 6}), {3, 2},
         {2, 1}),
};

}  // namespace
}  // namespace op_table
