// Making the inputs of a row and computing values and gradients of its op, for the checks of
// op_checks.cpp. Nothing is compared here.
#pragma once

#include <unroll/autograd/array.hpp>

#include "op_table.hpp"

namespace op_table {

using unroll::Array;
using Arrays = std::vector<Array>;

/// Uniform in [0, 1): the same in every run.
double next_random(std::uint64_t& state);
/// A start for next_random that depends on the row's name only.
std::uint64_t seed_of(const Row& row);

/// Numbers for an input, in a shape that may be another than its own; float64 or int64.
Array make(const Input& input, const Index& shape, std::uint64_t& state);
Arrays inputs_of(const Row& row);

/// The same numbers for a reference.
NumbersList numbers_of(const Arrays& arrays);
Arrays compute(const Row& row, const Arrays& inputs);
/// The same where the op is given Parameters of other numbers, in whose place the inputs stand.
Arrays compute_in_place(const Row& row, const Arrays& inputs);
/// Gradients of sum over outputs k of sum(y_k w_k), with weights w_k that differ from element to
/// element; zeros for int64 inputs.
Arrays gradients(const Row& row, const Arrays& inputs);
Arrays gradients_in_place(const Row& row, const Arrays& inputs);
/// The same where input `changed` became `other` after the op was recorded.
Arrays gradients_after_change(const Row& row, const Arrays& inputs, std::size_t changed,
                              const Array& other, bool create_graph);
/// gradients() from differences of the reference.
NumbersList reference_gradients(const Row& row, NumbersList inputs);

}  // namespace op_table
