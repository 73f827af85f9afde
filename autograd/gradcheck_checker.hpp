// The state of one gradcheck, shared by its comparisons (gradcheck.cpp) and its explanation of a
// failure (gradcheck_explain.cpp). Internal to gradcheck.
#pragma once

#include <cmath>

#include <unroll/autograd/gradcheck_subject.hpp>

namespace unroll::check {

struct Sum {
  double value = 0, magnitude = 0;  ///< magnitude bounds the terms, and so the rounding error
};

/// A slope by the gradient and by differences.
struct Comparison {
  Direction direction;
  double gradient = 0, difference = 0, allowed = 0, error = 0;
  bool fine = true;
  double badness() const { return std::isfinite(error) ? error / allowed : HUGE_VAL; }
};

class Checker {
 public:
  Checker(Subject& subject, CheckReport& report) : subject_(subject), report_(report) {}
  void run();

 private:
  const CheckOptions& options() const { return subject_.options; }
  Target& target(int k) { return subject_.targets[static_cast<std::size_t>(k)]; }
  void fail_with(std::string message);
  bool all_registered();
  bool connected();
  void make_weights();
  Variables own(const Evaluation& e) const { return {e.xs.begin(), e.xs.begin() + n_targets_}; }
  Variables incoming(const Evaluation& e) const { return {e.xs.begin() + n_targets_, e.xs.end()}; }
  Sum measure(int order, const Direction& direction);
  std::vector<Variable> analytic(int order);
  bool kernels_agree();
  void check_order(int order);
  std::vector<Array> directions(int k);
  Comparison compare(int order, int k, const Array& d, const Array& gradient);
  bool accept(const Comparison& c, double slope, double noise) const;
  bool is_fine_after_all(int order, Comparison& c);
  bool is_kink(int order, Comparison& c);
  Comparison single_element(int order, Comparison c, const Array& gradient);
  void explain(int order, Comparison c, const Array& gradient, const std::string& others);
  std::string explain_entry(Comparison& c);

  Subject& subject_;
  CheckReport& report_;
  int n_targets_ = 0;
  Size elements_ = 0;
  std::vector<Array> result_weights_, gradient_weights_;
};

/// The index per axis of the element at that position in row-major order.
Shape index_of(Size position, const Shape& shape);
Variables as_variables(const std::vector<Array>& arrays);

}  // namespace unroll::check
