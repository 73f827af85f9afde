// Masks of padded batches. Ops that leave padding out take `lengths` or a `mask` as options; so do
// loops over time, in layers.
#pragma once

#include <vector>

#include <unroll/autograd/array.hpp>

namespace unroll {

/// int64 (steps, B): 1 where t < lengths[b], 0 in the padding. Throws Error for lengths that are
/// not in [0, steps].
Array length_mask(const std::vector<Size>& lengths, Size steps);

}  // namespace unroll
