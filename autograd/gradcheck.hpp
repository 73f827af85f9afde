// gradcheck: compares the gradients of a function of Variables with differences of its values, and
// says where they part. Modules and cells are checked by layers/gradcheck.hpp, on top of this.
#pragma once

#include <unroll/autograd/differentiable.hpp>

namespace unroll {

/// A shape, to be filled with standard normal numbers, or the numbers themselves. int64 inputs
/// (indices) are passed on as constants.
struct CheckInput {
  CheckInput() = default;
  CheckInput(std::initializer_list<Size> sizes) : shape(sizes) {}
  CheckInput(const Shape& shape) : shape(shape) {}
  CheckInput(const Array& value) : value(value), has_value(true) {}
  CheckInput(const Variable& value) : CheckInput(value.value()) {}

  Shape shape;
  Array value;
  bool has_value = false;
};
using CheckInputs = std::vector<CheckInput>;

/// Parameters to check: a list, one, or anything with a function parameters(), such as a Module. Of a
/// Module all are expected to be there: another one that is used and not frozen was forgotten.
struct CheckParameters {
  CheckParameters() = default;
  CheckParameters(const Parameter& one) : list{one} {}
  CheckParameters(std::initializer_list<Parameter> list) : list(list) {}
  CheckParameters(std::vector<Parameter> list) : list(std::move(list)) {}
  template <class M>
    requires requires(const M& m) { m.parameters(); }
  CheckParameters(const M& net) : complete(true) {
    for (const auto& p : net.parameters()) list.emplace_back(p);
  }

  std::vector<Parameter> list;
  std::vector<std::string> names;  ///< instead of the Parameters' own, if given
  bool complete = false;           ///< the function must not use others
};

struct CheckOptions {
  /// 0: every element by itself (the full Jacobian); n: n random directions for each input and
  /// Parameter; -1: the former up to 500 elements in all, else 4 directions.
  Size directions = -1;
  /// Do not complain about an input that the result does not depend on.
  bool may_be_constant = false;
  /// Names of the inputs, for messages.
  std::vector<std::string> names = {};
  /// 2 checks the gradients' gradients too, and that first-order kernels give the same numbers as
  /// the differentiable form.
  int order = 1;
  /// Default: every Parameter that the function uses and that is not frozen.
  CheckParameters parameters = {};
  /// For random inputs, directions, and the tape's generator (the same draws in every evaluation).
  std::uint64_t seed = 1;
  /// Of the central differences, relative to inputs larger than one.
  double step = 1e-5;
  /// Largest error allowed, relative to the gradient (its largest element in this input).
  double tolerance = 1e-6;
};

/// What gradcheck found: true if all is well. text() tells in words.
class CheckReport {
 public:
  explicit operator bool() const { return passed; }
  const std::string& text() const { return message; }

  bool passed = true;
  int order = 0;                      ///< in which the gradient failed
  std::string where;                  ///< the input or Parameter: "input 0", "Wf"
  Shape index;                        ///< the element in it
  double gradient = 0, difference = 0;  ///< the two numbers that should agree
  double allowed = 0;                 ///< how far they may differ
  std::string suspect;                ///< the op whose gradient is wrong by itself; may be empty
  Size step = -1;                     ///< the time step at which that op was recorded
  double largest_error = 0;           ///< over all comparisons, relative
  Size comparisons = 0, evaluations = 0;
  std::vector<Parameter> unlisted;    ///< used by the function, but not in options.parameters
  std::string message;
};

/// A function of any number of Variables without its type.
using CheckFunction = Function<std::vector<Variable>(const Variables&)>;

namespace detail {

CheckReport gradcheck(const CheckFunction& f, const CheckInputs& inputs,
                      const CheckOptions& options);
[[noreturn]] void fail_arity(std::size_t given);

template <class F, std::size_t... K>
constexpr bool takes(std::index_sequence<K...>) {
  return std::is_invocable_v<F&, decltype((static_cast<void>(K), std::declval<const Variable&>()))...>;
}

template <class F, std::size_t N>
bool call_with(F& f, const Variables& xs, std::vector<Variable>& ys) {
  constexpr auto all = std::make_index_sequence<N>();
  if constexpr (takes<F>(all)) {
    if (xs.size() != N) return false;
    ys = [&]<std::size_t... K>(std::index_sequence<K...>) {
      return variables_of(f(xs[K]...));
    }(all);
    return true;
  } else {
    return false;
  }
}

/// f with its inputs as a list: the count of inputs is known when it runs only, so f is compiled
/// for every count that it takes.
template <class F>
CheckFunction erased(F&& f) {
  using Plain = std::decay_t<F>;
  constexpr bool refers = std::is_lvalue_reference_v<F> && std::is_class_v<Plain>;
  struct Held {
    std::conditional_t<refers, Plain*, Plain> held;
    Plain& function() {
      if constexpr (refers) return *held;
      else return held;
    }
    std::vector<Variable> operator()(const Variables& xs) {
      Plain& f = function();
      std::vector<Variable> ys;
      bool done = [&]<std::size_t... N>(std::index_sequence<N...>) {
        return (call_with<Plain, N>(f, xs, ys) || ...);
      }(std::make_index_sequence<13>());
      if constexpr (requires { &Plain::operator(); })  // not generic: it may take the list
        if constexpr (std::is_invocable_v<Plain&, const Variables&>)
          if (!done) return variables_of(f(xs));
      if (!done) fail_arity(xs.size());
      return ys;
    }
  };
  if constexpr (refers) return CheckFunction(Held{const_cast<Plain*>(&f)});
  else return CheckFunction(Held{std::forward<F>(f)});
}

template <class F>
concept HasParameters = requires(const F& f) { f.parameters(); };

}  // namespace detail

/// Checks the gradients of f, a function of as many Variables as there are inputs, that returns a
/// Variable or a tuple, array or vector of them:
///
///     gradcheck([](auto& x, auto& W) { return tanh(linear(x, W)); }, {{3, 4}, {5, 4}}, {.order = 2})
///     gradcheck([&](auto& x, auto& y) { return net.loss(x, y); }, {x, y}, {.parameters = net})
///
/// Everything is computed in float64: float32 inputs and Parameters are converted for the check,
/// and the Parameters are as before afterwards. Dropout that draws from the tape's generator
/// repeats; a function that does not repeat by itself is reported. The report is false on failure
/// and then names the input or Parameter, its element, both numbers and the op to blame.
/// Errors that f throws pass through.
template <class F>
  requires(!detail::HasParameters<std::remove_cvref_t<F>>)
CheckReport gradcheck(F&& f, const CheckInputs& inputs, const CheckOptions& options = {}) {
  return detail::gradcheck(detail::erased(std::forward<F>(f)), inputs, options);
}

}  // namespace unroll
