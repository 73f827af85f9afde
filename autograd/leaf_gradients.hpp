// The two halves of Tape::backward, for sums over several tapes (layers/parallel.hpp). Internal:
// programs call Tape::backward, or grad().
#pragma once

#include <vector>

#include <unroll/autograd/tape.hpp>

namespace unroll {

/// A Parameter or watched input of a tape, and what a sweep found for it.
struct LeafGradient {
  Ref<Record> leaf;
  Variable gradient;
};

/// What tape.backward(result, options) would add to grad(), in the order in which the tape met the
/// leaves. Releases the graph and throws as it does.
std::vector<LeafGradient> leaf_gradients(Tape& tape, const Variable& result,
                                         const BackwardOptions& options = {});

/// The number of a new backward sweep, which may add several lists to the leaves.
std::uint64_t new_sweep();

/// Adds all of them to grad(). Arrays that nobody else holds become grad() themselves: move the
/// list to give them away, copy it to have them freed by the thread that made them.
void add_to_leaves(std::vector<LeafGradient> list, std::uint64_t sweep);

}  // namespace unroll
