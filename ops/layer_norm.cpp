// layer_norm as one node, which keeps mean and scale of each row and recomputes the rest. Its
// gradient exists twice: as one pass over memory, and in public ops for higher orders.
#include <algorithm>

#include <unroll/ops/checks.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/row_kernels.hpp>

namespace unroll {

namespace {

using kernel::load;

/// One call; `gain` and `bias` are numbers of inputs, -1 if left out.
struct LayerNorm {
  int axes, gain, bias;
  double epsilon;
  Array means, scales;  ///< per row: mean, and 1 / sqrt(variance + epsilon)

  static Size row_length(const Shape& shape, int axes) {
    Size n = 1;
    for (int k = shape.rank() - axes; k < shape.rank(); ++k) n *= shape[k];
    return n;
  }

  // y = (x - mean) scale gain + bias
  template <class T>
  void value_row(const T* x, T* y, Size n, Size row, const T* g, const T* b) {
    auto count = static_cast<T>(n);
    T mean = kernel::sum_lanes<T>(n, [&](Size i, Size m) { return load(x + i, m, T(0)); }) / count;
    // A sum of numbers far from 0 is rounded at their size, one of differences is not.
    auto difference = [&](Size i, Size m) { return load(x + i, m, mean) - mean; };
    mean += kernel::sum_lanes<T>(n, difference) / count;
    T squares = kernel::sum_lanes<T>(n, [&](Size i, Size m) {
      auto d = difference(i, m);
      return d * d;
    });
    T scale = 1 / std::sqrt(squares / count + static_cast<T>(epsilon));
    means.mutable_data<T>()[row] = mean;
    scales.mutable_data<T>()[row] = scale;
    for (Size i = 0; i < n; ++i) y[i] = (x[i] - mean) * scale * (g ? g[i] : 1) + (b ? b[i] : 0);
  }

  // With z = (x - mean) scale and d = dy gain: dx = scale (d - mean(d) - z mean(d z)).
  template <class T>
  void gradient_row(const T* x, const T* dy, const T* g, T* dx, Size n, Size row,
                    bool accumulate) const {
    T mean = means.data<T>()[row], scale = scales.data<T>()[row];
    auto d = [&](Size i, Size m) {
      auto v = load(dy + i, m, T(0));
      return g ? v * load(g + i, m, T(0)) : v;
    };
    auto z = [&](Size i, Size m) { return (load(x + i, m, mean) - mean) * scale; };
    auto count = static_cast<T>(n);
    T mean_d = kernel::sum_lanes<T>(n, d) / count;
    T mean_dz =
        kernel::sum_lanes<T>(n, [&](Size i, Size m) { return d(i, m) * z(i, m); }) / count;
    kernel::write_lanes(dx, n, accumulate, [&](Size i, Size m) {
      return scale * (d(i, m) - mean_d - z(i, m) * mean_dz);
    });
  }

  // dgain = sum over rows of dy z, dbias = sum of dy
  template <class T>
  void gradient_of_gain(const T* x, const T* dy, T* dg, Size n, bool accumulate) const {
    if (!accumulate) std::fill_n(dg, n, T(0));
    for (Size r = 0; r < means.size(); ++r, x += n, dy += n) {
      T mean = means.data<T>()[r], scale = scales.data<T>()[r];
      for (Size i = 0; i < n; ++i) dg[i] += dy[i] * ((x[i] - mean) * scale);
    }
  }

  void operator()(Backward& b) const {
    if (bias >= 0) b.give(bias, b.dy());
    if (b.create_graph()) return composed(b);
    Array x = b.x().value().contiguous(), dy = b.dy().value().contiguous(), g;
    if (gain >= 0) g = b.x(gain).value().contiguous();
    dispatch_float("layer_norm", x.type(), [&]<class T>() {
      Size n = row_length(x.shape(), axes);
      const T *from = x.data<T>(), *d = dy.data<T>(), *factor = gain >= 0 ? g.data<T>() : nullptr;
      if (b.wants(0))
        kernel::into_target<T>(b, 0, [&](T* dx, bool accumulate) {
          for (Size r = 0; r < means.size(); ++r)
            gradient_row(from + r * n, d + r * n, factor, dx + r * n, n, r, accumulate);
        });
      if (gain >= 0 && b.wants(gain))
        kernel::into_target<T>(b, gain, [&](T* dg, bool accumulate) {
          gradient_of_gain(from, d, dg, n, accumulate);
        });
    });
  }

  void composed(Backward& b) const {
    std::vector<Size> last;
    for (int k = 1; k <= axes; ++k) last.push_back(-k);
    auto average = [&](const Variable& v) { return mean(v, {.axes = last, .keepdims = true}); };
    Variable centred = b.x() - average(b.x());
    Variable scale = rsqrt(average(square(centred)) + epsilon), z = centred * scale;
    Variable dy = b.dy(), d = gain >= 0 ? dy * b.x(gain) : dy;
    b.give(0, scale * (d - average(d) - z * average(d * z)));
    if (gain >= 0) b.give(gain, dy * z);
  }
};

void check(const Op& op, const LayerNorm& call, const LayerNormOptions& options) {
  require_float(op, 0, "x");
  if (call.gain >= 0) require_float(op, call.gain, "the gain");
  if (call.bias >= 0) require_float(op, call.bias, "the bias");
  const Shape& shape = op[0].shape();
  op.require(options.axes >= 1 && options.axes <= shape.rank(), "axes is ", options.axes, ", x is ",
             shape, "; expected a number of its trailing axes.");
  op.require(options.epsilon >= 0, "epsilon is ", options.epsilon, "; expected 0 or more.");
  Shape last;
  for (int k = shape.rank() - options.axes; k < shape.rank(); ++k) last.push_back(shape[k]);
  for (int k = 1; k < op.inputs(); ++k)
    op.require(op[k].shape() == last, "x is ", shape, ", gain or bias ", op[k].shape(),
               "; expected ", last, ", the last ", options.axes,
               options.axes == 1 ? " axis." : " axes.");
}

}  // namespace

Variable layer_norm(const Variable& x, const Variable& gain, const Variable& bias,
                    const LayerNormOptions& options) {
  Variables inputs{x};
  LayerNorm call{options.axes, -1, -1, options.epsilon, Array(), Array()};
  if (!gain.empty()) call.gain = static_cast<int>(inputs.size()), inputs.push_back(gain);
  if (!bias.empty()) call.bias = static_cast<int>(inputs.size()), inputs.push_back(bias);
  Op op("layer_norm", inputs);
  check(op, call, options);
  Array a = op[0].contiguous(), y = Array::uninitialised(a.shape(), a.type());
  Shape rows;
  for (int k = 0; k < a.rank() - options.axes; ++k) rows.push_back(a.shape()[k]);
  call.means = Array::uninitialised(rows, a.type());
  call.scales = Array::uninitialised(rows, a.type());
  dispatch_float("layer_norm", a.type(), [&]<class T>() {
    Array g = call.gain < 0 ? Array() : op[call.gain].contiguous();
    Array b = call.bias < 0 ? Array() : op[call.bias].contiguous();
    Size n = LayerNorm::row_length(a.shape(), options.axes);
    for (Size r = 0; r < rows.count(); ++r)
      call.value_row(a.data<T>() + r * n, y.mutable_data<T>() + r * n, n, r,
                     call.gain < 0 ? nullptr : g.data<T>(), call.bias < 0 ? nullptr : b.data<T>());
  });
  return op.record(std::move(y), std::move(call), Keep::inputs);
}

}  // namespace unroll
