// Random arrays, sampling and dropout: loops over a Generator. The generator itself is in
// autograd/generator.hpp.
#include <unroll/ops/random.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <unroll/autograd/op.hpp>
#include <unroll/autograd/strided.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/row_kernels.hpp>

namespace unroll {

namespace {

void check_probability(const char* op, double p, bool one_allowed = true) {
  if (!(p >= 0 && (one_allowed ? p <= 1 : p < 1)))
    fail(op, "p is ", p, "; expected a probability in [0, 1", one_allowed ? "]." : ").");
}

/// An array whose elements are draw(), converted, in row-major order.
template <class F>
Array drawn(const char* op, const Shape& shape, Type type, F&& draw) {
  Array y = Array::uninitialised(shape, type);
  dispatch_float(op, type, [&]<class T>() {
    T* to = y.mutable_data<T>();
    for (Size i = 0, n = y.size(); i < n; ++i) to[i] = static_cast<T>(draw());
  });
  return y;
}

}  // namespace

Array uniform(const Shape& shape, Generator& generator, const UniformOptions& options) {
  double low = options.low, width = options.high - options.low;
  if (!(width >= 0 && std::isfinite(width)))
    fail("uniform", "low is ", low, ", high is ", options.high,
         "; expected low <= high, both finite.");
  // Rounding may reach `high`, which the interval does not contain.
  double top = options.type == float32
                   ? std::nextafterf(static_cast<float>(options.high), -INFINITY)
                   : std::nextafter(options.high, -INFINITY);
  top = std::max(low, top);
  return drawn("uniform", shape, options.type,
               [&] { return std::min(low + width * generator.uniform(), top); });
}

Array normal(const Shape& shape, Generator& generator, const NormalOptions& options) {
  if (!(options.stddev >= 0) || !std::isfinite(options.mean) || !std::isfinite(options.stddev))
    fail("normal", "mean is ", options.mean, ", stddev is ", options.stddev,
         "; expected finite numbers, stddev >= 0.");
  return drawn("normal", shape, options.type,
               [&] { return options.mean + options.stddev * generator.normal(); });
}

Array bernoulli(const Shape& shape, double p, Generator& generator, Type type) {
  check_probability("bernoulli", p);
  return drawn("bernoulli", shape, type, [&] { return generator.uniform() < p ? 1.0 : 0.0; });
}

namespace {

/// Unnormalised probabilities of a row, relative to its largest logit.
std::vector<double> probabilities(const double* logits, Size n, double temperature, Size row) {
  double most = -INFINITY;
  for (Size c = 0; c < n; ++c) {
    if (std::isnan(logits[c]) || logits[c] == INFINITY)
      fail("categorical", "logit ", c, " of row ", row, " is ", logits[c],
           "; expected finite numbers or -inf.");
    most = std::max(most, logits[c]);
  }
  if (most == -INFINITY)
    fail("categorical", "row ", row, " has no finite logit; expected a class that can be drawn.");
  std::vector<double> p(static_cast<std::size_t>(n));
  for (Size c = 0; c < n; ++c) {
    double away = logits[c] - most;  // exp(-inf) = 0 also stands for what temperature 0 excludes
    p[static_cast<std::size_t>(c)] = away == 0 ? 1 : std::exp(away / temperature);
  }
  return p;
}

/// Sets all but the likeliest to 0: at most `top_k`, and only as many as `nucleus` needs.
void cut(std::vector<double>& p, Size top_k, double nucleus) {
  std::size_t keep = top_k > 0 ? std::min(p.size(), static_cast<std::size_t>(top_k)) : p.size();
  if (keep == p.size() && nucleus == 1) return;
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto likelier = [&](std::size_t a, std::size_t b) { return p[a] != p[b] ? p[a] > p[b] : a < b; };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep), order.end(),
                    likelier);
  double total = 0, sum = 0;
  for (std::size_t k = 0; k < keep; ++k) total += p[order[k]];
  std::size_t kept = 0;
  while (kept < keep && (kept == 0 || sum < nucleus * total)) sum += p[order[kept++]];
  for (std::size_t k = kept; k < order.size(); ++k) p[order[k]] = 0;
}

Size draw(const std::vector<double>& p, Generator& generator) {
  double left = generator.uniform() * std::accumulate(p.begin(), p.end(), 0.0);
  std::size_t last = 0;
  for (std::size_t c = 0; c < p.size(); ++c) {
    if (p[c] == 0) continue;
    last = c;
    if ((left -= p[c]) < 0) break;
  }
  return static_cast<Size>(last);
}

/// 0 with probability p, else 1 / (1 - p), from 32 random bits each; drawn ahead in blocks, so that
/// the comparisons are vectorised.
template <class T>
void draw_mask(T* mask, Size n, double p, Generator& generator) {
  constexpr Size kBlock = 256;
  std::uint32_t words[kBlock];
  auto limit = static_cast<std::uint32_t>(std::min(std::ldexp(p, 32), 4294967295.0));
  T scale = static_cast<T>(1 / (1 - p));
  for (Size start = 0; start < n; start += kBlock) {
    Size count = std::min(kBlock, n - start);
    for (Size i = 0; i < count; i += 2) {
      std::uint64_t bits = generator.bits();
      words[i] = static_cast<std::uint32_t>(bits >> 32);
      words[i + 1] = static_cast<std::uint32_t>(bits);
    }
    for (Size i = 0; i < count; ++i) mask[start + i] = words[i] >= limit ? scale : T(0);
  }
}

Variable dropped(const Variable& x, double p, Generator& generator) {
  Op op("dropout", x);
  Array mask = Array::uninitialised(op[0].shape(), op[0].type());
  Array y = Array::uninitialised(op[0].shape(), op[0].type()), a = op[0].contiguous();
  dispatch_float("dropout", a.type(), [&]<class T>() {
    const T* from = a.data<T>();
    T *to = y.mutable_data<T>(), *kept = mask.mutable_data<T>();
    draw_mask(kept, a.size(), p, generator);
    kernel::write_lanes(to, a.size(), false, [from, kept](Size i, Size m) {
      kernel::Lanes<T> x = kernel::load(from + i, m, T(0)), k = kernel::load(kept + i, m, T(0));
      return xsimd::select(k > T(0), x * k, kernel::Lanes<T>(T(0)));  // a dropped NaN is gone
    });
  });
  return op.record(std::move(y), [mask](Backward& b) { b.give(0, b.dy() * mask); }, Keep::nothing);
}

}  // namespace

Variable categorical(const Variable& logits, Generator& generator,
                     const CategoricalOptions& options) {
  Op op("categorical", logits);
  const Shape& shape = op[0].shape();
  op.require(shape.rank() > 0 && shape.back() > 0 && is_float(op[0].type()), "logits are ",
             op[0].type(), " ", shape, "; expected float (..., V) with V > 0.");
  op.require(options.temperature >= 0 && std::isfinite(options.temperature), "temperature is ",
             options.temperature, "; expected 0 or a positive number.");
  op.require(options.nucleus > 0 && options.nucleus <= 1, "nucleus is ", options.nucleus,
             "; expected a number in (0, 1].");
  op.require(options.top_k >= 0, "top_k is ", options.top_k, "; expected a count, or 0 for all.");
  Size n = shape.back();
  Shape rows = shape;
  rows.erase(rows.rank() - 1);
  Array y = Array::uninitialised(rows, int64), x = op[0].to(float64).contiguous();
  for (Size r = 0; r < y.size(); ++r) {
    std::vector<double> p = probabilities(x.data<double>() + r * n, n, options.temperature, r);
    Size& drawn = y.mutable_data<Size>()[r];
    if (options.temperature == 0) {
      drawn = std::max_element(p.begin(), p.end()) - p.begin();
      continue;
    }
    cut(p, options.top_k, options.nucleus);
    drawn = draw(p, generator);
  }
  return op.constant(std::move(y));
}

Variable dropout(const Variable& x, double p, Generator& generator) {
  check_probability("dropout", p, false);
  return p == 0 ? as_read("dropout", x) : dropped(x, p, generator);
}

Variable dropout(const Variable& x, double p) {
  check_probability("dropout", p, false);
  if (p == 0 || !Tape::recording()) return as_read("dropout", x);
  Generator* generator = Tape::generator();
  if (!generator) fail("dropout", detail::kNoGenerator);
  return dropped(x, p, *generator);
}

}  // namespace unroll
