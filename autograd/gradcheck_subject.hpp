// What gradcheck works on: a function with its inputs and Parameters as one list of float64 tensors
// that can be moved along a direction, and one evaluation of it. Internal to gradcheck.
#pragma once

#include <unroll/autograd/gradcheck.hpp>
#include <unroll/autograd/node.hpp>

namespace unroll::check {

/// Something that the function is differentiated by.
struct Target {
  enum Kind { kInput, kParameter, kIncoming };
  Kind kind;
  std::size_t number;  ///< which input; for kIncoming which result it is the gradient of
  std::string name;
  Array at;            ///< the point of the check, float64, contiguous
  Parameter parameter = {};
};

/// A direction within one target; the target -1 stands for none.
struct Direction {
  int target = -1;
  Array d = {};
  double length = 0;  ///< how far to go along it
};

/// The function. Its Parameters are float64 while this object lives, and as before afterwards.
class Subject {
 public:
  Subject(const CheckFunction& f, const CheckInputs& inputs, const CheckOptions& options);
  ~Subject();
  Subject(const Subject&) = delete;

  /// Finds the Parameters that f uses, and whether it repeats; what is wrong, or "".
  std::string meet();
  /// Adds the gradients of the results as targets, for order 2; `weights` is the point.
  void add_incoming(const std::vector<Array>& weights);
  std::vector<Variable> call(const Variables& inputs) const { return f_(inputs); }
  /// Sets the Parameters to their point plus the direction.
  void move(const Direction& direction);
  Array point(int target, const Direction& direction) const;

  const CheckOptions& options;
  std::vector<Target> targets;
  std::vector<Array> inputs;  ///< float64, or int64 constants
  std::vector<Parameter> unlisted;
  Size evaluations = 0;

 private:
  struct Saved {
    Parameter parameter;
    Array value;
    Ref<Record> gradient;
  };
  bool convert(const Parameter& parameter);
  bool is_saved(const Parameter& parameter) const;
  std::string meet_round(std::vector<Parameter>& expected, bool& again);
  std::string repeats();
  void list_targets();

  CheckFunction f_;
  std::vector<Saved> saved_;
  int moved_ = -1;  ///< the Parameter's target that is not at its point now
  Array unmoved_;
  std::uint32_t newest_version_ = 0;
};

/// One evaluation of the function on a tape of its own; alive as long as the object.
struct Evaluation {
  explicit Evaluation(Subject& subject, const Direction& direction = {}, TapeOptions options = {});

  bool is_recorded(const Variable& v) const;
  TapeImpl& impl() const { return tape.impl(); }

  Generator generator;
  Tape tape;
  Variables xs;  ///< the targets, as recorded here
  Variables ys;  ///< the results of float type
};

/// The Parameters that a tape has recorded.
std::vector<Parameter> parameters_of(const TapeImpl& tape);
/// Standard normal numbers, float64.
Array normal(const Shape& shape, Generator& generator);
/// Sum of a * b; where b is 0, a does not count, even if infinite.
double dot(const Array& a, const Array& b);
/// Sum of |a * b|, which bounds the rounding error of dot.
double absolute_dot(const Array& a, const Array& b);
/// The largest finite magnitude.
double largest(const Array& a);
/// A number in eight digits.
std::string brief(double number);

/// Gradients of the outputs by the targets; zeros where nothing is recorded between them.
std::vector<Variable> gradients(const Evaluation& e, const Variables& outputs,
                                const Variables& targets, const Variables& weights,
                                bool create_graph, bool retain_graph = false);

/// The op that is wrong by itself along a direction along which the whole is wrong.
struct Suspect {
  std::string op;
  Size step = -1;
  std::string text;
};
Suspect suspect_of_order(int order, Subject& subject, const Direction& direction);
/// The op whose first-order kernel differs from its differentiable form.
Suspect suspect_of_kernels(Subject& subject);

}  // namespace unroll::check
