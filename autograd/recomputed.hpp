// Gradient checkpointing: a function whose values in between are computed again by the backward
// pass instead of being kept. Which parts of a sequence are recomputed is over_time's business.
#pragma once

#include <unroll/autograd/tape.hpp>

namespace unroll {

/// f(inputs), of which the tape keeps the inputs and results alone: the backward pass calls f
/// again, on a tape of its own, and goes back over that (gradient checkpointing, Chen et al. 2016,
/// "Training Deep Nets with Sublinear Memory Cost"). The gradients are those of the plain call, by
/// its results too.
///
///     Variables y = recomputed([&](const Variables& x) { return Variables{block(x[0])}; }, {x});
///
/// f may use Parameters and any recorded values besides its inputs; they get their gradients. What it
/// leaves elsewhere than in its results has none: ops refuse it, detach(x) takes it as a constant. It
/// must give the same numbers when called again, and outlive the backward pass with all it refers
/// to; dropout and other random ops draw the same numbers again. Calls may nest. Without a
/// recording tape, and under anomaly detection, it is f(inputs). With create_graph nothing is
/// saved: f is recorded, and what has been made so can be differentiated by anything but results of
/// f. A hook on one result does not see what comes by way of another. Throws Error as f does, and
/// from the backward pass if an input or a Parameter that f used was changed in between.
Variables recomputed(Function<Variables(const Variables&)> f, const Variables& inputs);

namespace detail {
/// True while a backward pass of this thread calls such an f again: for who watches what is
/// computed.
bool is_computing_again();
}  // namespace detail

}  // namespace unroll
