// Normalised exponentials over an axis, computed relative to the maximum so that nothing overflows.
// Losses built on them are in loss.hpp, attention in nn.hpp.
#pragma once

#include <unroll/autograd/variable.hpp>
#include <unroll/ops/reduce.hpp>

namespace unroll {

/// exp(x) / sum exp(x) along an axis, in x's shape. -inf entries get probability 0; a row of
/// nothing but -inf is NaN, as nothing can be said about it.
Variable softmax(const Variable& x, Size axis = -1);

/// softmax over the last axis, of those elements only where the mask, which broadcasts to x, is not
/// 0; the others get 0, and so does a row without any. An empty mask hides nothing.
Variable masked_softmax(const Variable& x, const Variable& mask);

/// x - log sum exp(x) along an axis, in x's shape; -inf entries stay -inf.
Variable log_softmax(const Variable& x, Size axis = -1);

/// log sum exp(x) over axes (all of them if none is named); -inf where all entries are -inf or
/// there are none, with gradient 0 there.
Variable logsumexp(const Variable& x, const Reduce& options = {});

}  // namespace unroll
