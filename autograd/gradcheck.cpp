// The comparisons of gradcheck. The function under check is in gradcheck_subject.cpp, what is said
// of a failure in gradcheck_explain.cpp, the search for the op to blame in gradcheck_suspect.cpp.
#include <algorithm>
#include <cmath>

#include <unroll/autograd/gradcheck_checker.hpp>
#include <unroll/autograd/strided.hpp>

namespace unroll {

namespace check {

void Checker::fail_with(std::string message) {
  report_.passed = false;
  report_.message = "gradcheck failed: " + std::move(message);
}

void Checker::run() {
  std::string complaint = subject_.meet();
  report_.unlisted = subject_.unlisted;
  if (!complaint.empty()) return fail_with(complaint);
  if (!all_registered()) return;
  n_targets_ = static_cast<int>(subject_.targets.size());
  for (const Target& t : subject_.targets) elements_ += t.at.size();
  if (!connected()) return;
  make_weights();
  for (int order = 1; order <= options().order && report_.passed; ++order) {
    if (order == 2) {
      if (!kernels_agree()) return;
      subject_.add_incoming(result_weights_);
    }
    check_order(order);
  }
  if (report_.passed)
    report_.message =
        join("gradcheck passed: order ", options().order, ", ", report_.comparisons,
             " slopes, largest error ", brief(report_.largest_error), " of tolerance ",
             brief(options().tolerance));
}

/// Complains about Parameters that a Module uses without holding them.
bool Checker::all_registered() {
  std::string lost;
  for (const Parameter& p : subject_.unlisted)
    if (options().parameters.complete && !p.is_frozen())
      lost += join(lost.empty() ? "" : ", ", p.name(), " ", p.shape());
  if (lost.empty()) return true;
  fail_with(join("Parameters are used that the module has not registered: ", lost,
                 "; they would be neither trained nor saved. Wrap the module they belong to in "
                 "submodule(\"name\", ...), declare them with parameter(...), or freeze them."));
  return false;
}

/// Complains about inputs from which nothing recorded leads to a result.
bool Checker::connected() {
  Evaluation e(subject_);
  bool results = false;
  for (const Variable& y : e.ys) {
    results |= y.size() > 0;
    if (kernel::all_finite(y.value())) continue;
    fail_with("the result holds nan or infinity at this input; give one where it is finite.");
    return false;
  }
  for (int k = 0; k < n_targets_ && results; ++k) {
    if (target(k).kind != Target::kInput || target(k).at.size() == 0) continue;
    const TapeImpl& tape = e.impl();
    std::vector<bool> reached(static_cast<std::size_t>(tape.slots.size()));
    auto is_reached = [&](int slot) {
      return slot >= 0 && reached[static_cast<std::size_t>(slot)];
    };
    reached[static_cast<std::size_t>(e.xs[static_cast<std::size_t>(k)].record()->slot)] = true;
    for (int i = 0; i < tape.nodes.size(); ++i) {
      const Node& node = tape.nodes[i];
      bool any = false;
      for (int j = 0; j < node.n_inputs; ++j) any |= is_reached(node.inputs[j].slot);
      for (int j = 0; any && j < node.n_results; ++j)
        reached[static_cast<std::size_t>(node.first_slot + j)] = true;
    }
    bool found = false;
    for (const Variable& y : e.ys)
      found |= e.is_recorded(y) && is_reached(tape.slot_of("gradcheck", y));
    if (found) continue;
    Generator generator(options().seed + 1);
    Array d = normal(target(k).at.shape(), generator);
    Evaluation moved(subject_, {k, d, options().step});
    bool changes = false;
    for (std::size_t j = 0; j < e.ys.size() && j < moved.ys.size(); ++j)
      changes |= !identical(e.ys[j].value(), moved.ys[j].value());
    if (!changes && options().may_be_constant) continue;
    report_.where = target(k).name;
    report_.order = 1;
    fail_with(join("the result does not depend on ", target(k).name, " ", target(k).at.shape(),
                   changes ? " by any recorded op, though its value changes with it; was it taken "
                             "out of the graph by value(), item(), detach or no_grad?"
                           : "; use it, or pass {.may_be_constant = true}."));
    return false;
  }
  return true;
}

/// Results of several numbers are checked as one number, their sum with random weights.
void Checker::make_weights() {
  Generator generator(options().seed + 2);
  Evaluation e(subject_);
  for (const Variable& y : e.ys)
    result_weights_.push_back(e.ys.size() == 1 && y.size() == 1 ? ones(y.shape(), float64)
                                                                : normal(y.shape(), generator));
  for (int k = 0; k < n_targets_; ++k)
    gradient_weights_.push_back(normal(target(k).at.shape(), generator));
}

/// The number whose slopes are checked: of order 1 the weighted results, of order 2 the weighted
/// first-order gradients.
Sum Checker::measure(int order, const Direction& direction) {
  Evaluation e(subject_, direction);
  Variables values = e.ys;
  if (order == 2) values = gradients(e, e.ys, own(e), incoming(e), false);
  const std::vector<Array>& weights = order == 1 ? result_weights_ : gradient_weights_;
  Sum sum;
  for (std::size_t k = 0; k < values.size(); ++k) {
    sum.value += dot(values[k].value(), weights[k]);
    sum.magnitude += absolute_dot(values[k].value(), weights[k]);
  }
  return sum;
}

/// Gradients by the targets of what measure() returns.
std::vector<Variable> Checker::analytic(int order) {
  Evaluation e(subject_);
  if (order == 1) return gradients(e, e.ys, own(e), as_variables(result_weights_), false);
  Variables first = gradients(e, e.ys, own(e), incoming(e), true);
  return gradients(e, first, e.xs, as_variables(gradient_weights_), false);
}

/// The first-order kernels and the ops that take their place when gradients are recorded.
bool Checker::kernels_agree() {
  Variables weights = as_variables(result_weights_);
  std::vector<Variable> fast = analytic(1), composed;
  {
    Evaluation e(subject_);
    composed = gradients(e, e.ys, own(e), weights, true);
  }
  for (int k = 0; k < n_targets_; ++k) {
    auto t = static_cast<std::size_t>(k);
    std::vector<double> a = fast[t].value().to_vector<double>(),
                        b = composed[t].value().to_vector<double>();
    double allowed = 1e-9 * std::max(largest(fast[t].value()), largest(composed[t].value()));
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (std::fabs(a[i] - b[i]) <= allowed) continue;
      Suspect suspect = suspect_of_kernels(subject_);
      report_.order = 2;
      report_.where = target(k).name;
      report_.index = index_of(static_cast<Size>(i), target(k).at.shape());
      report_.gradient = b[i];
      report_.difference = a[i];
      report_.allowed = allowed;
      report_.suspect = suspect.op;
      report_.step = suspect.step;
      fail_with(join("the gradient by ", target(k).name, " ", target(k).at.shape(), " at index ",
                     report_.index, " is ", brief(a[i]), ", but ", brief(b[i]),
                     " with create_graph; both should be equal.\n  ", suspect.text));
      return false;
    }
  }
  return true;
}

std::vector<Array> Checker::directions(int k) {
  const Shape& shape = target(k).at.shape();
  Size n = target(k).at.size(), count = options().directions;
  if (count < 0) count = elements_ <= 500 || n <= 8 ? 0 : 4;
  std::vector<Array> list;
  if (count == 0 || n <= count) {
    for (Size i = 0; i < n; ++i) {
      Array d = zeros(shape, float64);
      d.mutable_data<double>()[i] = 1;
      list.push_back(d);
    }
    return list;
  }
  Generator generator(options().seed + 3 + static_cast<std::uint64_t>(k));
  for (Size i = 0; i < count; ++i) list.push_back(normal(shape, generator));
  return list;
}

bool Checker::accept(const Comparison& c, double slope, double noise) const {
  double error = std::fabs(c.gradient - slope);
  return std::isfinite(error) && error <= c.allowed + noise;
}

/// Rounding error of a difference over that step.
static double noise(const Sum& s, double step) { return 50 * 2.3e-16 * s.magnitude / step; }

/// Measures again: wide with the five-point formula, for functions with much rounding; narrow, for
/// those that bend much; and on both sides, for a kink.
bool Checker::is_fine_after_all(int order, Comparison& c) {
  auto sum = [&](double length) {
    return measure(order, {c.direction.target, c.direction.d, length});
  };
  double w = 50 * c.direction.length, n = c.direction.length / 50;
  Sum p1 = sum(w), p2 = sum(2 * w), m1 = sum(-w), m2 = sum(-2 * w);
  double wide = (8 * (p1.value - m1.value) - (p2.value - m2.value)) / (12 * w);
  if (accept(c, wide, noise(p1, w))) return true;
  Sum p = sum(n), m = sum(-n);
  double slack = noise(p, n);
  if (slack < 10 * c.allowed && accept(c, (p.value - m.value) / (2 * n), slack)) return true;
  return is_kink(order, c);
}

Comparison Checker::compare(int order, int k, const Array& d, const Array& gradient) {
  const Array& at = target(k).at;
  std::vector<double> x = at.to_vector<double>(), dx = d.to_vector<double>();
  double reach = 1, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (dx[i] != 0) reach = std::max(reach, std::fabs(x[i]));
    squares += dx[i] * dx[i];
  }
  Comparison c;
  c.gradient = dot(gradient, d);
  double h = options().step * reach;
  auto sum = [&](double length) { return measure(order, {k, d, length}); };
  c.direction = {k, d, h};
  Sum plus = sum(h), minus = sum(-h);
  c.difference = (plus.value - minus.value) / (2 * h);
  double measured = std::isfinite(c.difference) ? std::fabs(c.difference) : 0;
  double scale =
      std::max({std::fabs(c.gradient), measured, largest(gradient) * std::sqrt(squares)});
  c.allowed = options().tolerance * scale;
  c.error = std::fabs(c.gradient - c.difference);
  c.fine = accept(c, c.difference, noise(plus, h));
  if (!c.fine && std::isfinite(c.gradient)) c.fine = is_fine_after_all(order, c);
  c.allowed += noise(plus, h);
  ++report_.comparisons;
  if (c.fine && scale > 0) report_.largest_error = std::max(report_.largest_error, c.error / scale);
  return c;
}

/// At a kink (relu at 0) any slope between those on either side is right.
bool Checker::is_kink(int order, Comparison& c) {
  double at = measure(order, {}).value, gap[2], low = 0, high = 0;
  for (int k = 1; k >= 0; --k) {
    double h = c.direction.length * (k ? 0.1 : 1);
    double right = (measure(order, {c.direction.target, c.direction.d, h}).value - at) / h;
    double left = (at - measure(order, {c.direction.target, c.direction.d, -h}).value) / h;
    low = std::min(left, right);
    high = std::max(left, right);
    gap[k] = high - low;
  }
  bool kink = gap[0] > 1e-3 * std::max(std::fabs(low), std::fabs(high)) && gap[1] > 0.5 * gap[0];
  double slack = 1e-3 * gap[0];
  if (!kink || c.gradient < low - slack || c.gradient > high + slack) return false;
  c.error = 0;
  return true;
}

void Checker::check_order(int order) {
  std::vector<Variable> gradients = analytic(order);
  Comparison worst;
  int failed = -1;
  std::string others;
  for (int k = 0; k < static_cast<int>(subject_.targets.size()); ++k) {
    const Array& gradient = gradients[static_cast<std::size_t>(k)].value();
    bool wrong = false;
    for (const Array& d : directions(k)) {
      Comparison c = compare(order, k, d, gradient);
      if (c.fine) continue;
      wrong = true;
      if (failed >= 0 && failed != k) break;
      if (failed < 0 || c.badness() > worst.badness()) worst = c;
      failed = k;
    }
    if (wrong && failed != k) others += (others.empty() ? "" : ", ") + target(k).name;
  }
  if (failed < 0) return;
  explain(order, worst, gradients[static_cast<std::size_t>(failed)].value(), others);
}

}  // namespace check

namespace detail {

void fail_arity(std::size_t given) {
  fail("gradcheck", "the function cannot be called with ", given,
       " Variables; give one shape or Array per argument, {{3, 4}, {5, 4}} for two.");
}

CheckReport gradcheck(const CheckFunction& f, const CheckInputs& inputs,
                      const CheckOptions& options) {
  CheckReport report;
  if (options.order < 1 || options.order > 2)
    fail("gradcheck", "order ", options.order, "; expected 1 or 2.");
  check::Subject subject(f, inputs, options);
  check::Checker(subject, report).run();
  report.evaluations = subject.evaluations;
  return report;
}

}  // namespace detail

}  // namespace unroll
