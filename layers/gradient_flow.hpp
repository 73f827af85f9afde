// How gradients flow through time: their norms at every step's state, and the share of each step in
// the gradient of a weight that all of them use. Clipping them is clip.hpp's.
#pragma once

#include <deque>

#include <unroll/autograd/substitution.hpp>
#include <unroll/layers/recurrent.hpp>

namespace unroll {

namespace detail {
/// For each of the values, which are by step, the norms of the loss's gradients: (T).
Variables norms_by_step(const Variable& loss, const std::vector<Variables>& steps,
                        const GradOptions& options);
}  // namespace detail

/// |dL/ds_t| for every step t and value s of the state, a state of (T)s: norms that shrink or grow
/// geometrically from the last t to the first are gradients that vanish or explode (Pascanu et al.
/// 2013). `states` is what over_time returned; the graph is kept. With create_graph the norms can
/// be differentiated. 0 where nothing depends on a state. A value that a step passes on as it is, as
/// padding of all sequences does, is one value at both steps, whose norm is that of all its uses, at
/// the later step too: a cell that returns h * 1 tells them apart. Throws Error if the states were
/// not kept, or if gradients pass by them, with truncation to k2 > k1.
///
///     auto norms = gradient_norms(loss, states);
///     norms.h;                                    // (T)
template <class States>
auto gradient_norms(const Variable& loss, const States& states, const GradOptions& options = {}) {
  if (states.is_run_again())
    fail("gradient_norms", "truncation with k2 > k1 has run steps again, so that gradients pass by ",
         "the states kept; expected k2 = k1.");
  std::vector<Variables> steps;
  for (Size t = 0; t < states.size(); ++t) steps.push_back(values_of(states[t]));
  const Variables norms = detail::norms_by_step(loss, steps, options);
  std::size_t k = 0;
  return map_values(states.last(), [&](const Variable&) {
    return norms.empty() ? Variable(zeros({0})) : norms[k++];
  });
}

/// Splits gradients of Parameters by time step. From its construction on each step of over_time, on
/// the recording tape and in this thread, reads a copy of its own:
///
///     Tape tape;
///     GradientByStep by_step({cell.W, cell.U});
///     auto loss = mean_squared_error(readout(over_time(cell, x).last().h), y);
///     auto g = by_step.gradients(loss);                  // (T, ...) each
///     sum(g[1], {.axes = {0}});                          // what grad(loss, cell.U) is
///     mean(g[1], {.axes = {0}});                         // per step
///
/// What reads the Parameter outside of steps has no part in it: a readout of all steps at once, or
/// DropConnect, which draws its weights before the first step. Steps are told apart by Scope::step.
class GradientByStep final : detail::Reading {
 public:
  /// Throws Error if no tape records.
  explicit GradientByStep(const ParameterList& parameters);
  explicit GradientByStep(ParameterList::Items items) : GradientByStep(ParameterList(items)) {}

  /// d(loss)/d(Parameter) of each step up to the last one seen, (T, ...), in the order of the
  /// Parameters; 0 where a step does not read it. The graph is kept.
  std::vector<Variable> gradients(const Variable& loss, const GradOptions& options = {}) const;

 private:
  struct Split {
    Parameter parameter;
    std::deque<Variable> copies;  // by step; empty where it was not read
  };
  const Variable* find(const Variable& parameter) override;

  std::uint64_t tape_;
  std::vector<Split> splits_;
};

}  // namespace unroll
