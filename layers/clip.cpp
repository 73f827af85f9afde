// Norms of all gradients together, and clipping by them. Sums are kept in float64, in an order that
// does not depend on the machine's lanes.
#include <unroll/layers/clip.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <unroll/autograd/strided.hpp>

namespace unroll {

namespace {

// Sum of f(x) over the elements, in eight interleaved sums so that the loop can use lanes.
template <class T, class F>
double sum_of(const Array& a, const F& f) {
  const T* x = a.data<T>();
  const Size n = a.size();
  std::array<double, 8> sums{};
  Size i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; ++j)
      sums[static_cast<std::size_t>(j)] += f(static_cast<double>(x[i + j]));
  for (; i < n; ++i) sums[0] += f(static_cast<double>(x[i]));
  double sum = 0;
  for (double s : sums) sum += s;
  return sum;
}

template <class T>
double largest_of(const Array& a) {
  const T* x = a.data<T>();
  T most = 0;
  for (Size i = 0; i < a.size(); ++i) {
    T magnitude = std::abs(x[i]);
    if (!(magnitude <= most)) most = magnitude;  // NaN gets in
    if (most != most) break;                     // and stays
  }
  return static_cast<double>(most);
}

std::vector<Array> gradients_of(const ParameterList& parameters) {
  std::vector<Array> list;
  for (const Parameter& p : parameters)
    if (p.data().gradient && !p.is_frozen()) list.push_back(p.grad().value().contiguous());
  return list;
}

double largest_of(const std::vector<Array>& arrays) {
  double most = 0;
  for (const Array& a : arrays) {
    double x = dispatch_float("global_norm", a.type(), [&]<class T>() { return largest_of<T>(a); });
    if (!(x <= most)) most = x;
    if (std::isnan(most)) break;
  }
  return most;
}

double norm_of(const std::vector<Array>& arrays, double p, double scale) {
  double sum = 0;
  for (const Array& a : arrays)
    sum += dispatch_float("global_norm", a.type(), [&]<class T>() {
      if (p == 2) return sum_of<T>(a, [=](double x) { return (x * scale) * (x * scale); });
      if (p == 1) return sum_of<T>(a, [=](double x) { return std::abs(x * scale); });
      return sum_of<T>(a, [=](double x) { return std::pow(std::abs(x * scale), p); });
    });
  return (p == 2 ? std::sqrt(sum) : p == 1 ? sum : std::pow(sum, 1 / p)) / scale;
}

// Calls f(x) for every element, in memory that nobody else sees: gradients that were handed out by
// grad() do not change.
template <class F>
void change_gradients(const char* op, const ParameterList& parameters, F&& f) {
  for (const Parameter& p : parameters) {
    if (!p.data().gradient || p.is_frozen()) continue;
    Ref<Record>& gradient = p.data().gradient;
    if (!gradient.unique() || !gradient->value.buffer().unique() ||
        !gradient->value.is_contiguous())
      gradient = Record::make(gradient->value.copy());
    Array& a = gradient->value;
    dispatch_float(op, a.type(), [&]<class T>() {
      T* x = a.mutable_data<T>();
      for (Size i = 0; i < a.size(); ++i) x[i] = f(x[i]);
    });
  }
}

}  // namespace

double global_norm(const ParameterList& parameters, const ClipOptions& options) {
  const double p = options.p;
  if (!(p > 0)) fail("global_norm", "p is ", p, "; expected a number above 0, or infinity.");
  std::vector<Array> gradients = gradients_of(parameters);
  if (std::isinf(p)) return largest_of(gradients);
  double norm = norm_of(gradients, p, 1);
  if (std::isfinite(norm) && norm > 1e-100) return norm;
  // Powers of the gradients may have left the range of float64 although the norm is inside.
  double most = largest_of(gradients);
  return std::isfinite(most) && most > 0 ? norm_of(gradients, p, 1 / most) : norm;
}

double clip_global_norm(const ParameterList& parameters, double max_norm,
                        const ClipOptions& options) {
  if (!(max_norm >= 0))
    fail("clip_global_norm", "max_norm is ", max_norm, "; expected a number of at least 0.");
  const double norm = global_norm(parameters, options);
  const double factor = max_norm / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1)
    change_gradients("clip_global_norm", parameters,
                     [=](auto x) { return x * static_cast<decltype(x)>(factor); });
  return norm;
}

void clip_value(const ParameterList& parameters, double limit) {
  if (!(limit >= 0)) fail("clip_value", "limit is ", limit, "; expected a number of at least 0.");
  change_gradients("clip_value", parameters, [=](auto x) {
    const auto most = static_cast<decltype(x)>(limit);
    return x > most ? most : x < -most ? -most : x;
  });
}

}  // namespace unroll
