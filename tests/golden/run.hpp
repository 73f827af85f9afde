// Running one golden case at one precision: inputs out of the file, results compared with it, both
// at the tolerances of README.md. The mathematics of each group is in its handler, ops.cpp to
// clip.cpp.
#pragma once

#include <set>

#include <unroll/autograd/tape.hpp>

#include "reader.hpp"

namespace golden {

using unroll::Array;
using unroll::Parameter;
using unroll::Size;
using unroll::Variable;
using unroll::Variables;

/// Thrown by a handler for a kind of case that it does not know: the case counts as skipped, and
/// the program as failed.
struct Unknown : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Thrown at the end of a handler that has compared all but a tensor which is known to be wrong in
/// the file: counts as skipped if the rest agrees, as failed otherwise. Never as passed.
struct WrongReference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a number is, for its tolerance.
enum class Kind { output, gradient, second_order };

/// The largest |a - b| of a tensor divided by max(1, largest |b|); infinite where one is NaN or
/// infinite and the other is not the same.
double error_between(const Array& a, const Array& b);

class Run {
 public:
  Run(const Case& c, unroll::Type type) : c(c), type(type) {}

  const Case& c;
  const unroll::Type type;

  // Inputs. The same name is the same Variable until the next tape.
  bool has(const std::string& input) const { return c.has("in." + input); }
  bool has_parameter(const std::string& name) const { return c.has("param." + name); }
  /// in.<name>: floating values rounded to this precision and watched by the tape; int64 as it is.
  Variable in(const std::string& name);
  /// param.<name>, a Parameter.
  Parameter parameter(const std::string& name);
  /// Uses a module's Parameter as param.<name>; its numbers are the caller's business.
  void adopt(const std::string& name, const Parameter& parameter);
  /// The same for rows first .. end of a Parameter: one gate of several.
  void adopt(const std::string& name, const Parameter& parameter, Size first, Size end);
  /// Any tensor of the file at this precision, a constant.
  Array constant(const std::string& tensor) const;
  /// in.<name>, int64, as numbers.
  std::vector<Size> sizes(const std::string& name) const;

  // Results.
  /// out.<name>; takes part in the loss if in.weighting.<name> is there.
  void out(const std::string& name, const Variable& value);
  /// Compares with the tensor of that full name.
  void compare(const std::string& tensor, const Variable& value, Kind kind);

  /// The usual case: `compute` calls out() while a tape records; outputs, and the gradients of
  /// loss = sum over X of sum(out.X * in.weighting.X), are compared: once as backward() makes them,
  /// once as grad() does when it records them (the differentiable form of each op).
  template <class F>
  void differentiate(F&& compute) {
    for (bool create_graph : {false, true}) {
      unroll::Tape tape;
      begin(tape);
      compute();
      compare_gradients(tape, weighted_loss(), create_graph);
    }
  }

  // Pieces of it, for cases with another loss.
  /// Forgets Variables of an earlier tape; inputs are watched by this one from now on.
  void begin(unroll::Tape& tape);
  /// Sum over outputs X with a weighting of sum(out.X * in.weighting.X); empty if there is none.
  Variable weighted_loss() const;
  /// grad.in.* and grad.param.* against the gradients of this loss.
  void compare_gradients(unroll::Tape& tape, const Variable& loss, bool create_graph,
                         Kind kind = Kind::gradient);
  /// The Variable behind "in.x" or "param.W", made if the handler has not asked for it.
  Variable leaf(const std::string& tensor);
  /// The part of the leaf's gradient (or of any array like it) that belongs to that tensor.
  Variable part(const std::string& tensor, const Variable& like_leaf) const;
  /// What was given to out().
  const Variable& value_of(const std::string& output) const { return outputs_.at(output); }

  struct Difference {
    std::string tensor, what;
    double error = 0, allowed = 0;
  };
  /// Each tensor that differs by more than its tolerance.
  const std::vector<Difference>& differences() const { return differences_; }
  /// Expected tensors that were never compared: a handler that forgets one must not pass.
  std::vector<std::string> forgotten() const;
  double largest_error() const { return largest_; }

 private:
  double tolerance(Kind kind) const;

  unroll::Tape* tape_ = nullptr;
  std::map<std::string, Variable> inputs_, outputs_;
  std::map<std::string, Parameter> parameters_;
  std::map<std::string, std::pair<Size, Size>> rows_;
  std::set<std::string> compared_;
  std::vector<Difference> differences_;
  double largest_ = 0;
};

/// Why the README skips this case in float32; empty if it does not.
std::string float32_exception(const Case& c);

/// A group's handler registers itself: `const Handler handler{"softmax", run_softmax};`.
struct Handler {
  Handler(const char* group, void (*run)(Run&));
};
/// nullptr if nobody handles that group yet.
void (*handler_of(const std::string& group))(Run&);

}  // namespace golden
