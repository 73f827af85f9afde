// How a failed comparison is put into words: which element, which entry of the Jacobian, which op.
// The comparisons themselves are in gradcheck.cpp.
#include <algorithm>

#include <unroll/autograd/gradcheck_checker.hpp>

namespace unroll::check {

Shape index_of(Size position, const Shape& shape) {
  Shape index = shape;
  for (int k = shape.rank() - 1; k >= 0; --k) {
    index[k] = position % shape[k];
    position /= shape[k];
  }
  return index;
}

Variables as_variables(const std::vector<Array>& arrays) {
  return std::vector<Variable>(arrays.begin(), arrays.end());
}

/// Halves a wrong random direction until one element of the input is left.
Comparison Checker::single_element(int order, Comparison c, const Array& gradient) {
  int k = c.direction.target;
  Size low = 0, high = target(k).at.size();
  while (high - low > 1) {
    Size middle = (low + high) / 2;
    auto half = [&](Size from, Size to) {
      Array d = zeros(target(k).at.shape(), float64);
      std::vector<double> numbers = c.direction.d.to_vector<double>();
      for (Size i = from; i < to; ++i)
        d.mutable_data<double>()[i] = numbers[static_cast<std::size_t>(i)];
      return compare(order, k, d, gradient);
    };
    Comparison left = half(low, middle), right = half(middle, high);
    if (left.fine && right.fine) return c;
    bool go_left = left.badness() >= right.badness();
    c = go_left ? left : right;
    (go_left ? high : low) = middle;
  }
  Array d = zeros(target(k).at.shape(), float64);
  d.mutable_data<double>()[low] = 1;
  return compare(order, k, d, gradient);
}

/// Which entry of the Jacobian is wrong; its two numbers replace those of the weighted sum.
std::string Checker::explain_entry(Comparison& c) {
  Size count = 0;
  for (const Array& w : result_weights_) count += w.size();
  if (count < 2 || count > 256) return "";
  Direction back = c.direction;
  back.length = -back.length;
  Evaluation plus(subject_, c.direction), minus(subject_, back), here(subject_);
  const Variable& x = here.xs[static_cast<std::size_t>(c.direction.target)];
  double worst = -1;
  std::string text;
  for (std::size_t k = 0; k < here.ys.size(); ++k) {
    const Shape& shape = here.ys[k].shape();
    std::vector<double> p = plus.ys[k].value().to_vector<double>(),
                        m = minus.ys[k].value().to_vector<double>();
    for (std::size_t i = 0; i < p.size(); ++i) {
      Array one = zeros(shape, float64);
      one.mutable_data<double>()[i] = 1;
      Variable g = gradients(here, {here.ys[k]}, {x}, {one}, false, true)[0];
      double a = dot(g.value(), c.direction.d);
      double n = (p[i] - m[i]) / (2 * c.direction.length);
      if (!(std::fabs(a - n) > worst)) continue;
      worst = std::fabs(a - n);
      c.gradient = a;
      c.difference = n;
      text = join(" of result ", here.ys.size() > 1 ? join(k, " ") : std::string(), "at index ",
                  index_of(static_cast<Size>(i), shape));
    }
  }
  return text;
}

void Checker::explain(int order, Comparison c, const Array& gradient, const std::string& others) {
  Target& t = target(c.direction.target);
  std::vector<double> d = c.direction.d.to_vector<double>();
  bool dense = std::count(d.begin(), d.end(), 0.0) + 1 < static_cast<std::ptrdiff_t>(d.size());
  if (dense) c = single_element(order, c, gradient);
  d = c.direction.d.to_vector<double>();
  auto first = std::find_if(d.begin(), d.end(), [](double v) { return v != 0; });
  report_.index = index_of(first - d.begin(), t.at.shape());
  Comparison entry = c;
  std::string of = order == 1 ? explain_entry(entry)
                              : std::string(" of the gradients, summed with random weights,");
  Suspect suspect = suspect_of_order(order, subject_, c.direction);
  report_.order = order;
  report_.where = t.name;
  report_.gradient = entry.gradient;
  report_.difference = entry.difference;
  report_.allowed = c.allowed;
  report_.suspect = suspect.op;
  report_.step = suspect.step;
  fail_with(join("the gradient of order ", order, of, " by ", t.name, " ", t.at.shape(),
                 " at index ", report_.index, " is ", brief(entry.gradient),
                 ", differences of step ", brief(c.direction.length), " give ",
                 brief(entry.difference), "; allowed error ", brief(c.allowed),
                 ".\n  ", suspect.text,
                 others.empty() ? "" : "\n  Also wrong: by " + others + "."));
}

}  // namespace unroll::check
