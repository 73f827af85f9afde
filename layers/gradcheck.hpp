// gradcheck of Modules and cells: all their Parameters, inputs and initial states, on top of
// gradcheck of functions (autograd/gradcheck.hpp).
#pragma once

#include <unroll/autograd/gradcheck.hpp>
#include <unroll/layers/recurrent.hpp>

namespace unroll {

struct CellCheckOptions {
  /// Of the random input, where none is given.
  Size batch = 2;
  /// As CheckOptions.
  Size directions = -1;
  /// Values of the initial state, in the order of its fields, where random numbers will not do; an
  /// empty one is random.
  std::vector<Variable> initial = {};
  /// As OverTimeOptions.
  std::vector<Size> lengths = {};
  /// As OverTimeOptions.
  Variable mask = {};
  /// 2 checks the gradients' gradients too.
  int order = 1;
  bool reverse = false;
  std::uint64_t seed = 1;
  /// Of the random input, where none is given.
  Size steps = 3;
  double tolerance = 1e-6;
};

namespace detail {

/// Checks f with all Parameters of the module, under their paths.
CheckReport gradcheck_module(const Module& module, const CheckFunction& f,
                             const CheckInputs& inputs, const CheckOptions& options);

/// x in the element type of the module's first Parameter, unless it holds integers.
Variable as_of(const Module& module, const Variable& x);

/// Standard normal numbers, float64.
Array random_input(const Shape& shape, std::uint64_t seed);

/// The values of a state, or of an Input, from a list of as many.
template <class S>
S with_values(const S& s, const Variables& list, std::size_t& k) {
  if constexpr (std::is_base_of_v<Variable, S>)
    return list[k++];
  else
    return map_values(s, [&](const Variable&) { return list[k++]; });
}

/// Puts the values of a list that are there in the place of those of a state.
template <class S>
void put_values(const std::string& label, const Variables& list, S& s) {
  const std::size_t count = values_of(s).size();
  if (list.size() != count)
    fail(label, "gradcheck has ", list.size(), " values for its initial state, which has ", count,
         "; expected one each, empty where it is to be random.");
  std::size_t k = 0;
  for_each_value(s, [&](Variable& v) { v = list[k].empty() ? v : list[k], ++k; });
}

}  // namespace detail

/// Checks a cell over a sequence, from an initial state of random numbers: gradients of its outputs
/// and of its last state by every Parameter, input and value of the initial state.
///
///     BOOST_TEST(gradcheck(MyCell(3, 4), zeros({5, 2, 3}), {.order = 2}));
///
/// On failure the report names Parameter or input, element, time step and the op to blame; also a
/// Parameter that the cell uses without having registered it, a forgotten submodule(...). What has no
/// effect on the results passes, with gradient 0, be it input, initial value or Parameter.
template <class C>
requires detail::IsCell<C> CheckReport gradcheck(const C& cell, const InputOf<C>& xs,
                                                 const CellCheckOptions& options = {}) {
  detail::check_cell<C>();
  using S = StateOf<C>;
  std::string label = detail::label_of(cell);
  Variables sequences = detail::values_of_input(xs);
  detail::InputRows rows(label, sequences);
  std::size_t k = 0;
  Variables row;
  for (; k < sequences.size(); ++k) row.push_back(detail::as_of(cell, rows.at(k, -1)));
  S zero = no_grad([&] {
    const InputOf<C> x = detail::with_values(xs, row, k = 0);
    S given = {};
    if constexpr (detail::HasZeroState<C>) given = initial_state(cell, x, given);
    if (!options.initial.empty()) detail::put_values(label, options.initial, given);
    return initial_state(cell, x, given);
  });

  CheckOptions check{.directions = options.directions,
                     .may_be_constant = true,
                     .order = options.order,
                     .seed = options.seed,
                     .tolerance = options.tolerance};
  CheckInputs inputs;
  for (const Variable& x : sequences) {
    check.names.push_back(join("input ", inputs.size()));
    inputs.emplace_back(x);
  }
  for (const Variable& s : values_of(zero)) {
    check.names.push_back(
        join("value ", inputs.size() - sequences.size(), " of the initial state"));
    const std::size_t place = inputs.size() - sequences.size();
    const bool random =
        is_float(s.type()) && (options.initial.empty() || options.initial[place].empty());
    inputs.push_back(random ? CheckInput(s.shape()) : CheckInput(s));
  }
  auto run = [&](const Variables& list) {
    std::size_t next = 0;
    InputOf<C> given = detail::with_values(xs, list, next);
    OverTimeOptions<S> o;
    o.initial = detail::with_values(zero, list, next);
    o.lengths = options.lengths;
    o.mask = options.mask;
    o.reverse = options.reverse;
    auto states = over_time(cell, given, o);
    std::vector<Variable> results{states.outputs()};
    for (const Variable& s : values_of(states.last())) results.push_back(s);
    return results;
  };
  return detail::gradcheck_module(cell, CheckFunction(run), inputs, check);
}

/// The same for random input (steps, batch, in):
///
///     BOOST_TEST(gradcheck(MyCell(3, 4), {.order = 2, .steps = 5}));
template <class C>
requires(detail::IsCell<C>&& requires(const C& c) { Size(c.in); }) CheckReport
    gradcheck(const C& cell, const CellCheckOptions& options = {}) {
  Shape shape{options.steps, options.batch, cell.in};
  return gradcheck(cell, Variable(detail::random_input(shape, options.seed)), options);
}

/// Checks a Module that is called with Variables, such as Linear, with all its Parameters.
///
///     BOOST_TEST(gradcheck(Linear(3, 4), {{2, 3}}, {.order = 2}));
template <class M>
requires(std::is_base_of_v<Module, M> && !detail::IsCell<M>) CheckReport
    gradcheck(const M& module, const CheckInputs& inputs, const CheckOptions& options = {}) {
  return detail::gradcheck_module(module, detail::erased(module), inputs, options);
}

}  // namespace unroll
