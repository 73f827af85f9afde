// Tape: records ops while it is alive and turns them into gradients. Recording itself is in
// op.hpp, the backward sweep in sweep.cpp; reports and drawings of a tape have their own headers.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include <unroll/autograd/function.hpp>
#include <unroll/autograd/generator.hpp>
#include <unroll/autograd/variable.hpp>

namespace unroll {

struct TapeOptions {
  /// Throw at the first op whose value or gradient is not finite, saying where. Slower. An infinity
  /// that the program writes, masked_fill(x, mask, -INFINITY), and one that follows from it are let
  /// through as values; NaN never is.
  bool anomaly = false;
  /// Keep every value, for drawings with numbers and for gradcheck.
  bool keep_values = false;
  /// Measure time per op, for report(tape).
  bool profile = false;
};

struct BackwardOptions {
  /// Gradient of the result, in its shape; needed unless the result is one number.
  Variable grad_output = {};
  /// Keep the graph, so that backward can run over it again.
  bool retain_graph = false;
};

struct TapeImpl;

/// Gradients are recorded in this thread from a Tape's construction to its destruction. Tapes
/// nest: the youngest records, and values of older ones are constants to it. A tape must be
/// destroyed by the thread that made it.
class Tape {
 public:
  [[nodiscard]] explicit Tape(TapeOptions options = {});
  /// Dropout and other random ops draw from that generator, which must outlive the tape.
  [[nodiscard]] explicit Tape(Generator& generator, TapeOptions options = {});
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Adds dresult/dp to grad() of every Parameter and watched input p that it depends on, and
  /// releases the graph; numbers below the normal range (1.2e-38 of float32) are 0 meanwhile. Throws
  /// Error if the result is not recorded here, is no scalar without grad_output, or was released.
  void backward(const Variable& result, const BackwardOptions& options = {});

  /// The same value as an input that gets gradients.
  Variable watch(const Variable& x);
  /// The same for every value of a plain struct, the state of a cell (layers/state.hpp).
  template <class S>
    requires std::is_aggregate_v<S>
  S watch(const S& state) {
    return watch_values(*this, state);
  }

  /// Calls f with the gradient of x when it is complete, once per sweep; what f returns replaces
  /// it, an empty Variable leaves it as it is.
  void hook(const Variable& x, Function<Variable(const Variable&)> f);

  Size nodes() const;

  /// The recording tape of this thread, nullptr if there is none.
  static Tape* current();
  /// True if ops are being recorded now: a tape is alive and not paused.
  static bool recording();
  /// The generator of the recording tape; nullptr if it has none, or nothing records.
  static Generator* generator();

  TapeImpl& impl() const { return *impl_; }

 private:
  TapeImpl* impl_;
};

struct GradOptions {
  /// Record the gradients too, so that they can be differentiated again; keeps the graph.
  bool create_graph = false;
  /// Gradients of the outputs, in their shapes; needed unless each output is one number.
  Variables grad_outputs = {};
  /// Keep the graph for another sweep.
  bool retain_graph = false;
};

/// d(sum of outputs)/d(inputs), one per input, zeros where nothing depends on it. Touches no
/// grad(). Inputs: Parameters, watched inputs, or any value recorded on this tape.
std::vector<Variable> grad(const Variables& outputs, const Variables& inputs,
                           const GradOptions& options = {});
Variable grad(const Variables& outputs, const Variable& input, const GradOptions& options = {});
inline Variable grad(const Variables& outputs, const Parameter& input,
                     const GradOptions& options = {}) {
  return grad(outputs, static_cast<const Variable&>(input), options);
}

namespace detail {
/// Sets whether ops are recorded in this thread; returns how it was.
bool set_recording(bool on);
struct Pause {
  bool before = set_recording(false);
  Pause() = default;
  Pause(const Pause&) = delete;
  ~Pause() { set_recording(before); }
};
}  // namespace detail

/// Runs f without recording and returns its result: constants.
template <class F>
decltype(auto) no_grad(F&& f) {
  detail::Pause pause;
  return f();
}

/// Names what is recorded while it is alive, for reports, drawings and anomalies: labels of nested
/// scopes are joined by '/', `step` is a time step ("lstm/encoder t=37").
class Scope {
 public:
  explicit Scope(std::string_view label);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  /// Time step of what is recorded from now on; -1 for none.
  void step(Size t);

 private:
  Tape* tape_;
  int label_before_;
  Size step_before_;
};

}  // namespace unroll
